"""Shared by the block tests: one law, many tables."""

import numpy as np

from hwgen.lower.top import Chain
from hwgen_rtl.drain import DrainParams
from hwgen_rtl.finish import FinishParams
from hwgen_rtl.testing import predict_stream, run_stream
from hwgen_rtl.windowed import WindowedParams


def check_block(params, arrays, beats, expected, *, seeds=(1, 2)):
    """The block gives ``expected`` without and with stalls, in exactly the predicted cycles."""
    _check([params], lambda: params.create(*arrays), beats, expected, seeds)


def check_array(window, array, arrays, beats, expected, *, lanes=None, seeds=(1, 2)):
    """The same for an array between its window buffer and the results, ``lanes`` on a beat."""
    lanes = lanes or array.pe
    blocks = {
        "array": WindowedParams(window=window, datapath=array),
        "drain": DrainParams(array=array, lanes=lanes),
        "finish": FinishParams(array=array, lanes=lanes),
    }
    given = {"array": arrays[:1], "drain": (), "finish": arrays}

    def create():
        return Chain([(name, params.create(*given[name])) for name, params in blocks.items()])

    _check([*blocks.values()], create, beats, expected, seeds)


def _check(blocks, create, beats, expected, seeds):
    free = run_stream(create(), beats, len(expected))
    np.testing.assert_array_equal(free.beats, expected)
    links = predict_stream(blocks, len(beats))
    assert list(free.taken) == links[0].taken
    assert list(free.given) == links[-1].taken[: len(free.given)]
    for seed in seeds:
        stalled = run_stream(create(), beats, len(expected), seed=seed)
        np.testing.assert_array_equal(stalled.beats, expected)


def integers(rng, kind, shape, extremes=0.2):
    """Random integers of a type, with the type's ends appearing often."""
    values = rng.integers(kind.low, kind.high + 1, shape)
    ends = rng.choice([kind.low, kind.high], shape)
    return np.where(rng.random(shape) < extremes, ends, values)


def to_beats(images, lanes):
    """(N, C, H, W) to beats (N*H*W*C/lanes, lanes): pixel after pixel, channels innermost."""
    return np.moveaxis(images, 1, -1).reshape(-1, lanes)
