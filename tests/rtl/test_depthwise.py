# amaranth: UnusedElaboratable=no
"""Depthwise convolution behind a window buffer, against torch's grouped convolution."""

import itertools
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from amaranth.back import rtlil

from hwgen_rtl.depthwise import Depthwise, DepthwiseParams
from hwgen_rtl.numerics import Interval, IntType
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from tests.rtl.harness import check_block, integers, to_beats

INT8 = IntType(8, signed=True)

#  image  words lanes kernel  stride  x       w
LAYERS = [
    ((5, 6), 1, 1, (3, 3), (1, 1), "int8", "int8"),
    ((5, 6), 1, 4, (3, 3), (1, 1), "uint8", "int8"),
    ((7, 5), 3, 2, (3, 3), (2, 2), "uint4", "int5"),
    ((4, 4), 5, 1, (2, 3), (1, 2), "int3", "uint4"),
    ((2, 3), 4, 3, (1, 1), (1, 1), "uint8", "int2"),
    ((3, 3), 8, 1, (3, 3), (1, 1), "int8", "int8"),  # weights in block RAM
    ((1, 1), 66, 1, (1, 1), (1, 1), "int8", "int8"),  # constants too
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: "-".join(map(str, layer)))
def test_equals_torch_in_the_predicted_cycles(layer):
    image, words, lanes, size, stride, x_type, w_type = layer
    rng = np.random.default_rng(2)
    x_type, w_type = IntType.parse(x_type), IntType.parse(w_type)
    channels = words * lanes
    x = integers(rng, x_type, (3, channels, *image))
    weight = integers(rng, w_type, (channels, 1, *size))
    bias = rng.integers(-99, 100, channels)
    expected = F.conv2d(
        torch.from_numpy(x).double(), torch.from_numpy(weight).double(),
        torch.from_numpy(bias).double(), stride, groups=channels,
    ).long().numpy()  # fmt: skip
    window = WindowParams(
        height=image[0], width=image[1], words=words, lanes=lanes, kind=x_type,
        kernel=size, stride=stride, per_word=True,
    )  # fmt: skip
    depthwise = DepthwiseParams(
        x=x_type, w=w_type, lanes=lanes, beats=window.beats_per_job, words=words,
        acc=Interval(int(expected.min()), int(expected.max())).type(),
    )  # fmt: skip
    params = WindowedParams(window=window, datapath=depthwise)
    arrays = (weight.reshape(channels, -1), bias)
    check_block(params, arrays, to_beats(x, lanes), to_beats(expected, lanes))


def test_is_right_for_all_inputs():
    """Every pair of taps against every pair of weights, one channel for each pair of weights."""
    kind = IntType(2, signed=True)
    pairs = np.array(list(itertools.product(range(-2, 2), repeat=2)))
    expected = np.array([[a * c + b * d + 1 for c, d in pairs] for a, b in pairs.tolist()])
    depthwise = DepthwiseParams(
        x=kind, w=kind, acc=Interval(-7, 9).type(), lanes=4, beats=2, words=4
    )
    window = WindowParams(
        height=2, width=1, words=4, lanes=4, kind=kind, kernel=(2, 1), per_word=True
    )
    params = WindowedParams(window=window, datapath=depthwise)
    beats = np.broadcast_to(pairs[:, :, None, None], (16, 2, 4, 4)).reshape(-1, 4)
    check_block(params, (pairs, np.ones(16, int)), beats, expected.reshape(-1, 4))
    taps = np.broadcast_to(pairs[:, :, None], (16, 2, 16))
    np.testing.assert_array_equal(depthwise.compute(taps, pairs, np.ones(16, int)), expected)


def params_of(**changes):
    return DepthwiseParams(**(dict(x=INT8, w=INT8, acc=INT8, lanes=2, beats=3, words=1) | changes))


def test_conversion_leaves_the_component_as_it_was():
    block = params_of().create(np.arange(6).reshape(2, 3), np.array([3, 4]))
    assert rtlil.convert(block, emit_src=False) == rtlil.convert(block, emit_src=False)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"words": 0}, "words must be at least 1, not 0"),
        ({"x": IntType.parse("bipolar")}, "x must be an integer type, not bipolar"),
    ],
)
def test_refuses_parameters(changes, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        params_of(**changes)


@pytest.mark.parametrize(
    ("weights", "bias", "sentence"),
    [
        (np.zeros((3, 2), int), np.zeros(2, int), "weights must be shaped (2, 3), not (3, 2)"),
        (np.zeros((2, 3), int), np.zeros(3, int), "bias must be shaped (2,), not (3,)"),
        (np.full((2, 3), -129), np.zeros(2, int), "weights must fit int8, not -129..-129"),
    ],
)
def test_refuses_constants(weights, bias, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Depthwise(params_of(), weights, bias)
