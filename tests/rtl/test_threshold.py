# amaranth: UnusedElaboratable=no
"""Thresholds, against a count in plain Python."""

import re

import numpy as np
import pytest
from amaranth.back import rtlil

from hwgen_rtl.numerics import BIPOLAR, IntType, threshold
from hwgen_rtl.threshold import Threshold, ThresholdParams
from tests.rtl.harness import check_block, integers

INT6, UINT2 = IntType(6, signed=True), IntType(2, signed=False)


def counted(x, thresholds, direction, bipolar):
    """Channel after channel, comparison after comparison."""
    result = []
    for row in x.tolist():
        numbers = [
            sum(1 for t in steps if (value if way > 0 else -value) >= t)
            for value, steps, way in zip(row, thresholds.tolist(), direction.tolist(), strict=True)
        ]
        result.append([2 * n - 1 if bipolar else n for n in numbers])
    return np.array(result)


def check(params, x, thresholds, direction):
    expected = counted(x, thresholds, direction, params.out.bipolar)
    np.testing.assert_array_equal(params.compute(x, thresholds, direction), expected)
    encoded = (expected + 1) // 2 if params.out.bipolar else expected
    lanes = params.lanes
    check_block(params, (thresholds, direction), x.reshape(-1, lanes), encoded.reshape(-1, lanes))


@pytest.mark.parametrize("acc", ["int3", "uint3", "int1", "uint1"])
@pytest.mark.parametrize("lanes", [1, 2, 26])
def test_one_threshold_is_right_for_all_inputs(acc, lanes):
    """Every x, both directions, every threshold inside the type and some beyond it."""
    acc = IntType.parse(acc)
    steps = np.repeat([*range(-10, 11), -1000, 1000, -(1 << 62), 1 << 62, 0], 2)
    direction = np.tile([1, -1], len(steps) // 2)
    x = np.repeat(np.arange(acc.low, acc.high + 1)[:, None], len(steps), axis=1)
    params = ThresholdParams(acc=acc, out=BIPOLAR, thresholds=1, lanes=lanes, channels=len(steps))
    check(params, x, steps[:, None], direction)


@pytest.mark.parametrize(("acc", "extreme"), [("int8", -128), ("uint8", 255), ("int60", 2**59 - 1)])
def test_extremes_saturate(acc, extreme):
    """Thresholds at, one above and one below both ends of the type, and of int64."""
    acc = IntType.parse(acc)
    ends = [acc.low, acc.high, -acc.low, -acc.high]
    steps = sorted({e + d for e in ends for d in (-1, 0, 1)} | {-(1 << 63), (1 << 63) - 1})
    thresholds = np.array(steps * 2)[:, None]
    direction = np.repeat([1, -1], len(steps))
    x = np.array([acc.low, acc.low + 1, 0, acc.high - 1, acc.high, extreme])
    x = np.repeat(x[:, None], len(direction), axis=1)
    params = ThresholdParams(acc=acc, out=BIPOLAR, thresholds=1, lanes=1, channels=len(direction))
    check(params, x, thresholds, direction)


@pytest.mark.parametrize(
    ("acc", "out", "thresholds", "lanes", "channels"),
    [
        ("int6", "uint2", 3, 1, 4),
        ("int6", "uint2", 3, 4, 4),
        ("uint5", "uint2", 2, 2, 6),
        ("int8", "uint3", 7, 2, 4),
        ("int12", "uint4", 15, 3, 3),
        ("int6", "uint1", 1, 1, 3),
        ("int6", "uint2", 3, 1, 65),  # constants in block RAM
        ("int6", "bipolar", 1, 2, 140),
    ],
)
def test_counts_thresholds(acc, out, thresholds, lanes, channels):
    rng = np.random.default_rng(thresholds)
    acc, out = IntType.parse(acc), IntType.parse(out)
    # in no order, some of them equal and some out of reach
    steps = rng.integers(acc.low - 3, acc.high + 4, (channels, thresholds))
    direction = rng.choice([-1, 1], channels)
    params = ThresholdParams(
        acc=acc, out=out, thresholds=thresholds, lanes=lanes, channels=channels
    )
    check(params, integers(rng, acc, (6, channels)), steps, direction)


@pytest.mark.parametrize(
    ("changes", "latency"),
    [  # fetch + compare + count
        ({"out": BIPOLAR, "thresholds": 1}, 1 + 1 + 0),
        ({"channels": 130}, 2 + 1 + 1),
        ({"out": IntType(4, signed=False), "thresholds": 15}, 1 + 1 + 3),
    ],
)
def test_latency(changes, latency):
    assert params_of(**changes).latency == latency


def test_normalization_and_sign_become_one_threshold():
    """sign(gain * (x - mean) / deviation + shift), with sign(0) = +1, for every x."""
    rng = np.random.default_rng(0)
    gain, mean, shift = (rng.integers(-8, 9, 12) for _ in range(3))
    gain[gain == 0] = 3
    # gain * (x - mean) + shift >= 0, solved for x or -x in integers
    direction = np.sign(gain)
    steps = -((mean * gain - shift) * -1 // abs(gain))
    x = np.repeat(np.arange(INT6.low, INT6.high + 1)[:, None], 12, axis=1)
    expected = np.where(gain * (x - mean) + shift >= 0, 1, -1)
    np.testing.assert_array_equal(threshold(x, steps[:, None], direction, BIPOLAR), expected)


def params_of(**changes):
    given = dict(acc=INT6, out=UINT2, thresholds=3, lanes=2, channels=4)
    return ThresholdParams(**(given | changes))


def test_conversion_leaves_the_component_as_it_was():
    block = params_of().create(np.arange(12).reshape(4, 3), np.array([1, -1, 1, 1]))
    assert rtlil.convert(block, emit_src=False) == rtlil.convert(block, emit_src=False)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"acc": BIPOLAR}, "acc must be an integer type of at most 60 bits, not bipolar"),
        ({"out": INT6}, "out must be bipolar or unsigned, not int6"),
        ({"thresholds": 4}, "thresholds must be 1 to 3, not 4"),
        ({"thresholds": 2, "out": BIPOLAR}, "thresholds must be 1 to 1, not 2"),
        ({"lanes": 3}, "lanes must divide the 4 channels, not 3"),
    ],
)
def test_refuses_parameters(changes, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        params_of(**changes)


@pytest.mark.parametrize(
    ("thresholds", "direction", "sentence"),
    [
        (np.zeros((3, 4), int), np.ones(4, int), "thresholds must be shaped (4, 3), not (3, 4)"),
        (np.zeros((4, 3), int), np.ones(3, int), "direction must be shaped (4,), not (3,)"),
        (np.zeros((4, 3), int), np.arange(4), "direction must be +1 and -1, not [0, 1, 2, 3]"),
    ],
)
def test_refuses_constants(thresholds, direction, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Threshold(params_of(), thresholds, direction)
