# amaranth: UnusedElaboratable=no
"""Arrays for 6-input LUTs: minima and ternary sums equal NumPy, in the predicted cycles."""

import re

import numpy as np
import pytest
from amaranth.back import rtlil

from hwgen_rtl.array import ArrayParams
from hwgen_rtl.lanes import MinimumLanes
from hwgen_rtl.numerics import Interval, IntType
from hwgen_rtl.primitives import MinimumPair, Primitives, TernaryAdder
from hwgen_rtl.ternary import TernarySumParams
from hwgen_rtl.window import WindowParams
from tests.rtl.harness import check_array, integers

#  kernel     x        w
TYPES = [
    ("adder", "uint8", "uint8"),
    ("adder", "int8", "int8"),
    ("adder", "uint4", "int6"),
    ("adder", "int6", "uint4"),
    ("adder", "int6", "int3"),
    ("adder", "int3", "int6"),
    ("adder", "uint3", "uint5"),
    ("adder", "uint1", "int4"),
    ("adder", "int3", "uint3"),
    ("multiply", "int4", "int5"),
    ("multiply", "uint4", "uint4"),
    ("sign", "int5", "bipolar"),
    ("sign", "uint5", "bipolar"),
    ("shift", "int4", "int4"),
    ("xnor", "bipolar", "bipolar"),
    ("xnor", "int2", "bipolar"),
]
SHAPES = [(1, 3), (2, 1), (3, 2), (8, 1)]
"""Lanes and beats: alone, paired and with one left over; levels of the tree from 0 to 2."""


def expected_of(kernel, taps, weights, bias):
    """Plain sums, tap by tap."""
    return np.array(
        [
            [b + sum(-abs(t - v) if kernel == "adder" else t * v
                     for t, v in zip(tap, row, strict=True))
             for row, b in zip(weights.tolist(), bias.tolist(), strict=True)]
            for tap in taps.tolist()
        ]
    )  # fmt: skip


@pytest.mark.parametrize(("kernel", "x", "w"), TYPES)
def test_array_equals_plain_sums_in_the_predicted_cycles(kernel, x, w):
    x, w = IntType.parse(x), IntType.parse(w)
    rng = np.random.default_rng(3)
    for simd, beats in SHAPES:
        taps = x.clamp(integers(rng, x, (6, simd * beats)))
        weights = w.clamp(integers(rng, w, (3, simd * beats)))
        if kernel == "shift":
            weights = rng.choice([-4, -1, 0, 2], weights.shape)
        if kernel == "xnor":
            taps = rng.choice([-1, 1] if x.bipolar else [-1, 0, 1], taps.shape)
        bias = rng.integers(-9, 10, 3)
        expected = expected_of(kernel, taps, weights, bias)
        window = WindowParams(height=1, width=1, words=beats, lanes=simd, kind=x, kernel=(1, 1))
        array = ArrayParams(
            kernel=kernel, x=x, w=w, simd=simd, pe=3, beats=beats, folds=1, lut_inputs=6,
            acc=Interval(int(expected.min()), int(expected.max())).type(),
        )  # fmt: skip
        given = x.encode(taps).reshape(-1, simd)
        check_array(window, array, (weights, bias), given, expected, seeds=(1,))
        if simd == 3:
            results = expected.reshape(-1, 1)
            check_array(window, array, (weights, bias), given, results, lanes=1, seeds=(2,))


@pytest.mark.parametrize("kind", ["uint4", "int4"])
def test_minima_of_all_pairs(kind):
    """Every tap against every weight, in both lanes of a pair and in a lane by itself."""
    kind = IntType.parse(kind)
    values = np.arange(kind.low, kind.high + 1)
    for simd in (1, 2):
        taps = np.stack(np.meshgrid(*[values] * simd), -1).reshape(-1, simd)
        weights = np.stack([values] * simd, -1)
        expected = -np.abs(taps[:, None] - weights).sum(axis=2)
        window = WindowParams(height=1, width=1, words=1, lanes=simd, kind=kind, kernel=(1, 1))
        array = ArrayParams(
            kernel="adder", x=kind, w=kind, acc=IntType(8, signed=True), simd=simd,
            pe=len(values), beats=1, folds=1, lut_inputs=6,
        )  # fmt: skip
        assert isinstance(array.lanes, MinimumLanes)
        arrays = (weights, np.zeros(len(values), int))
        check_array(window, array, arrays, taps, expected, seeds=())


@pytest.mark.parametrize(
    ("terms", "beats", "levels"),
    [
        (1, 2, ()),
        (2, 2, ()),
        (3, 2, ((2, 1),)),
        (3, 1, ()),
        (4, 2, ((3, 1),)),
        (5, 2, ((3, 2),)),
        (8, 2, ((3, 3, 1, 1), (3, 1))),
        (8, 1, ((3, 3, 2),)),
        (16, 2, ((3, 3, 3, 3, 3, 1), (3, 3))),
    ],
)
def test_levels(terms, beats, levels):
    """Threes as long as two terms are left to add to the accumulator; three without one."""
    params = TernarySumParams(terms=terms, interval=Interval(0, 255), beats=beats, bits=20)
    assert params.levels == levels


def test_a_sum_can_wait_for_another_one():
    params = TernarySumParams(terms=3, interval=Interval(0, 1), beats=2, bits=9, wait=3)
    assert params.levels == ((2, 1), (1, 1), (1, 1))


def test_adder_bits():
    """Four sums of 9 bits become two by an adder of 10 LUTs, whose 11th bit is its carry."""
    params = TernarySumParams(terms=4, interval=Interval(0, 510), beats=2, bits=19)
    assert params.adder_bits == 10 + 19


def test_latency():
    """Fetch, gate and pair, eight pairs to four to two, accumulate."""
    kind = IntType(8, signed=False)
    array = ArrayParams(kernel="adder", x=kind, w=kind, acc=IntType(20, signed=True), simd=16,
                        pe=1, beats=9, folds=1, lut_inputs=6)  # fmt: skip
    assert array.latency == 1 + 2 + 2 + 1


def test_primitives_of_one_size_are_one_module():
    platform = Primitives()
    kind = IntType(5, signed=False)
    array = ArrayParams(kernel="adder", x=kind, w=kind, acc=IntType(12, signed=True), simd=8, pe=2,
                        beats=2, folds=1, lut_inputs=6)  # fmt: skip
    text = rtlil.convert(array.create(np.zeros((2, 16), int)), platform=platform)
    assert sorted(platform.found) == [
        "hwgen_minimum_pair_5",  # to 0..62
        "hwgen_ternary_adder_11_8_6_11",  # 11 bits so far, 0..186, 0..62
        "hwgen_ternary_adder_12_8_5_12",  # the shared sum: 0..217 of seven taps, 0..31
        "hwgen_ternary_adder_5_5_5_7",
        "hwgen_ternary_adder_6_6_6_8",
        "hwgen_ternary_adder_7_7_5_8",
    ]
    assert len(re.findall(r"cell \\hwgen_minimum_pair_5 ", text)) == 2 * 4


@pytest.mark.parametrize("lut_inputs", [0, 5])
def test_refuses_other_luts(lut_inputs):
    kind = IntType(8, signed=True)
    with pytest.raises(ValueError, match=f"^lut_inputs must be 4 or 6, not {lut_inputs}$"):
        ArrayParams(kernel="adder", x=kind, w=kind, acc=kind, simd=1, pe=1, beats=1, folds=1,
                    lut_inputs=lut_inputs)  # fmt: skip


def test_refuses_widths():
    with pytest.raises(ValueError, match=r"^bits must be 1 to 5, not 6$"):
        TernaryAdder((3, 3, 3), 6)
    with pytest.raises(ValueError, match=r"^bits must be at least 1, not 0$"):
        MinimumPair(0)
