# amaranth: UnusedElaboratable=no
"""The stream blocks around the arrays, each against a few lines of NumPy."""

import re

import numpy as np
import pytest

from hwgen_rtl.argmax import ArgmaxParams
from hwgen_rtl.convert import MergeParams, SplitParams
from hwgen_rtl.fifo import QueueParams
from hwgen_rtl.hold import HoldParams
from hwgen_rtl.line_buffer import LineBufferParams
from hwgen_rtl.numerics import IntType
from hwgen_rtl.pad import PadParams
from hwgen_rtl.requantize import RequantizeParams
from hwgen_rtl.testing import predict_stream, run_stream
from tests.rtl.harness import check_block, integers, to_beats

INT8, UINT8 = IntType(8, signed=True), IntType(8, signed=False)


@pytest.mark.parametrize(("wide", "narrow"), [(6, 2), (4, 1), (3, 3)])
def test_lane_converters_keep_order(wide, narrow):
    x = integers(np.random.default_rng(0), INT8, (20, wide))
    split = SplitParams(kind=INT8, i_lanes=wide, o_lanes=narrow)
    check_block(split, (), x, x.reshape(-1, narrow))
    merge = MergeParams(kind=INT8, i_lanes=narrow, o_lanes=wide)
    check_block(merge, (), x.reshape(-1, narrow), x)


@pytest.mark.parametrize(("padding", "value"), [((1, 2), -3), ((0, 1), 0), ((2, 0), 127)])
def test_pad_surrounds_the_image(padding, value):
    x = integers(np.random.default_rng(0), INT8, (3, 4, 4, 3))
    params = PadParams(height=4, width=3, words=2, lanes=2, kind=INT8, padding=padding, value=value)
    around = ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2)
    expected = np.pad(x, around, constant_values=value)
    expected = to_beats(expected, 2)
    # the model also sends what precedes a fourth image that never comes
    leading = sum(1 for _ in iter_leading(params))
    tail = np.full((leading, 2), value)
    check_block(params, (), to_beats(x, 2), np.concatenate([expected, tail]))


def iter_leading(params):
    for inside in params.inside():
        if inside:
            return
        yield inside


@pytest.mark.parametrize(("rows", "stride"), [(2, 1), (3, 2), (5, 1), (3, 4)])
def test_line_buffer_gives_columns(rows, stride):
    x = integers(np.random.default_rng(0), UINT8, (3, 4, 5, 3))
    params = LineBufferParams(
        height=5, width=3, words=2, lanes=2, kind=UINT8, rows=rows, stride=stride
    )
    expected = []
    for image in x:
        for top in range(0, 5 - rows + 1, stride):
            for column in range(3):
                for word in (image[:2], image[2:]):
                    expected.append(word[:, top : top + rows, column].T.ravel())
    check_block(params, (), to_beats(x, 2), np.array(expected))


@pytest.mark.parametrize("out", ["uint8", "int4", "uint1"])
@pytest.mark.parametrize(("lanes", "shift"), [(1, 0), (2, 7), (6, 20)])
def test_requantize_rounds_half_up_and_clamps(out, lanes, shift):
    rng, out = np.random.default_rng(shift), IntType.parse(out)
    acc, multiplier = IntType(12, signed=True), integers(rng, IntType(18, signed=True), 6)
    bias = rng.integers(-(1 << 24), 1 << 24, 6)
    x = integers(rng, acc, (12, 6))
    scaled = [[int(a) * int(m) + int(b) for a, m, b in zip(row, multiplier, bias, strict=True)]
              for row in x]  # fmt: skip
    expected = np.clip(np.floor(np.array(scaled) / 2**shift + 0.5), out.low, out.high)
    params = RequantizeParams(
        acc=acc, out=out, multiplier=IntType(18, signed=True), bias=IntType(27, signed=True),
        total=IntType(32, signed=True), shift=shift, lanes=lanes, channels=6,
    )  # fmt: skip
    check_block(params, (multiplier, bias), x.reshape(-1, lanes), expected.reshape(-1, lanes))


def test_requantize_reads_constants_from_block_ram():
    rng = np.random.default_rng(1)
    kind, channels = IntType(9, signed=True), 70
    multiplier, bias = rng.integers(-500, 500, channels), rng.integers(-9999, 9999, channels)
    x = integers(rng, kind, (3, channels))
    scaled = np.floor((x * multiplier + bias) / 1024 + 0.5)
    params = RequantizeParams(
        acc=kind, out=INT8, multiplier=IntType(10, signed=True), bias=IntType(16, signed=True),
        total=IntType(20, signed=True), shift=10, lanes=1, channels=channels,
    )  # fmt: skip
    expected = np.clip(scaled, -128, 127).reshape(-1, 1)
    check_block(params, (multiplier, bias), x.reshape(-1, 1), expected)


@pytest.mark.parametrize("length", [1, 2, 5, 8])
def test_argmax_takes_the_first_of_equals(length):
    x = np.random.default_rng(length).integers(-2, 3, (16, length))
    params = ArgmaxParams(length=length, kind=INT8, index=IntType(3, signed=False))
    expected = [[list(row).index(max(row))] for row in x.tolist()]
    check_block(params, (), x.reshape(-1, 1), np.array(expected))


@pytest.mark.parametrize("depth", [2, 3, 8])
def test_queue_keeps_order(depth):
    x = integers(np.random.default_rng(0), INT8, (40, 2))
    check_block(QueueParams(kind=INT8, lanes=2, depth=depth), (), x, x, seeds=(1, 2, 3, 4))


def test_hold_keeps_order():
    x = integers(np.random.default_rng(0), INT8, (20, 3))
    check_block(HoldParams(kind=INT8, lanes=3), (), x, x, seeds=(1, 2, 3))


def test_backpressure_is_predicted_through_a_chain():
    """A fast producer in front of a slow split: the queue fills and everything waits for it."""
    from hwgen.lower.top import Chain

    blocks = [
        SplitParams(kind=INT8, i_lanes=4, o_lanes=2),
        QueueParams(kind=INT8, lanes=2, depth=3),
        HoldParams(kind=INT8, lanes=2),
        MergeParams(kind=INT8, i_lanes=2, o_lanes=8),
        SplitParams(kind=INT8, i_lanes=8, o_lanes=1),
    ]
    x = integers(np.random.default_rng(0), INT8, (24, 4))
    chain = Chain([(f"block{n}", block.create()) for n, block in enumerate(blocks)])
    measured = run_stream(chain, x, x.size)
    links = predict_stream(blocks, len(x))
    np.testing.assert_array_equal(measured.beats.ravel(), x.ravel())
    assert list(measured.taken) == links[0].taken
    assert list(measured.given) == links[-1].taken


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: SplitParams(kind=INT8, i_lanes=6, o_lanes=4), "lanes must divide 6, not 4"),
        (lambda: QueueParams(kind=INT8, lanes=1, depth=1), "depth must be at least 2, not 1"),
        (
            lambda: PadParams(
                height=1, width=1, words=1, lanes=1, kind=UINT8, padding=(1, 1), value=-1
            ),
            "value must fit uint8, not -1",
        ),
        (
            lambda: ArgmaxParams(length=9, kind=INT8, index=IntType(3, signed=False)),
            "length must be 1 to 8, not 9",
        ),
    ],
)
def test_refuses_parameters(build, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        build()
