"""Shared by the block tests: one law, many tables."""

import numpy as np

from hwgen_rtl.testing import predict_stream, run_stream


def check_block(params, arrays, beats, expected, *, seeds=(1, 2)):
    """The block gives ``expected`` without and with stalls, in exactly the predicted cycles."""
    free = run_stream(params.create(*arrays), beats, len(expected))
    np.testing.assert_array_equal(free.beats, expected)
    links = predict_stream([params], len(beats))
    assert list(free.taken) == links[0].taken
    assert list(free.given) == links[-1].taken[: len(free.given)]
    for seed in seeds:
        stalled = run_stream(params.create(*arrays), beats, len(expected), seed=seed)
        np.testing.assert_array_equal(stalled.beats, expected)


def integers(rng, kind, shape, extremes=0.2):
    """Random integers of a type, with the type's ends appearing often."""
    values = rng.integers(kind.low, kind.high + 1, shape)
    ends = rng.choice([kind.low, kind.high], shape)
    return np.where(rng.random(shape) < extremes, ends, values)


def to_beats(images, lanes):
    """(N, C, H, W) to beats (N*H*W*C/lanes, lanes): pixel after pixel, channels innermost."""
    return np.moveaxis(images, 1, -1).reshape(-1, lanes)
