# amaranth: UnusedElaboratable=no
"""Actions and cells of xnor, sign and shift arrays, depthwise, thresholds and tables.

Actions are held against formulas of the layer, cells against synthesis.
"""

from math import ceil, prod
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from hwgen.schedule.plan import Stage, Unit
from hwgen.schedule.resources import block_resources, counted
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.depthwise import DepthwiseParams
from hwgen_rtl.lut import LutParams
from hwgen_rtl.numerics import IntType
from hwgen_rtl.popcount import PopcountParams
from hwgen_rtl.threshold import ThresholdParams
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_sim.actions import unit_actions
from tests.rtl.synthesis import synthesized

of = IntType.parse


def actions_of(params, shape):
    """Actions of one block that reads a tensor of ``shape``."""
    plan = SimpleNamespace(graph={"x": SimpleNamespace(shape=shape)})
    unit = Unit(
        node=cast(Any, SimpleNamespace(shape=(0,))), sources=("x",),
        stages=(Stage("block", params),), pe=1, simd=1, lanes=1, interval=1,
    )  # fmt: skip
    return unit_actions(cast(Any, plan), unit)


def total(actions, kind, component=None, bits=None):
    return sum(
        a.count
        for a in actions
        if a.kind == kind and component in (None, a.component) and bits in (None, a.bits)
    )


CHANNELS, SIZE, OUTPUTS = 6, 5, 8
TAPS, PIXELS = CHANNELS * 9, 3 * 3
TYPES = {"xnor": ("bipolar", "bipolar"), "ternary": ("int2", "bipolar"),
         "sign": ("uint8", "bipolar"), "shift": ("int8", "int6")}  # fmt: skip


def layer(name, simd, pe):
    """A 3x3 layer of 6 channels and 8 outputs on a 5x5 image."""
    x, w = map(of, TYPES[name])
    window = WindowParams(
        height=SIZE, width=SIZE, words=CHANNELS // simd, lanes=simd, kind=x, kernel=(3, 3),
        repeats=OUTPUTS // pe,
    )  # fmt: skip
    array = ArrayParams(
        kernel="xnor" if name == "ternary" else name, x=x, w=w, acc=of("int16"), simd=simd, pe=pe,
        beats=window.beats_per_job, folds=window.repeats,
    )  # fmt: skip
    return WindowedParams(window=window, datapath=array)


@pytest.mark.parametrize(("simd", "pe"), [(1, 1), (3, 2), (6, 8)])
@pytest.mark.parametrize("name", sorted(TYPES))
def test_lanes_do_not_depend_on_folding(name, simd, pe):
    actions = actions_of(layer(name, simd, pe), (CHANNELS, SIZE, SIZE))
    kind = "shift" if name == "shift" else "xnor"
    assert total(actions, kind, "lanes") == TAPS * OUTPUTS * PIXELS
    assert total(actions, "multiply") == total(actions, "compare") == 0
    # only taps that may not count need a sum of their own, which all pe outputs share
    assert (total(actions, "add", "taps sum") > 0) == (name == "ternary" and simd > 1)


@pytest.mark.parametrize("name", ["sign", "shift"])
def test_sums_are_one_addition_a_tap(name):
    actions = actions_of(layer(name, 3, 2), (CHANNELS, SIZE, SIZE))
    assert total(actions, "add") == TAPS * OUTPUTS * PIXELS


@pytest.mark.parametrize("simd", [1, 2, 3, 6])
def test_popcount_adders(simd):
    """Full adders take away one bit each; the bits left are the operands of the last sum."""
    actions = actions_of(layer("xnor", simd, 2), (CHANNELS, SIZE, SIZE))
    runs = TAPS // simd * OUTPUTS * PIXELS
    assert total(actions, "add", "accumulate") == runs
    removed = {1: 0, 2: 0, 3: 1, 6: 2}[simd]
    summed = {1: 0, 2: 1, 3: 0, 6: 2}[simd]  # bits of the last sum
    bits = {}
    if removed:
        bits[1] = removed * runs
    if summed:
        bits[summed] = bits.get(summed, 0) + runs
    tree = {b: total(actions, "add", "tree", b) for b in range(1, 9)}
    assert {b: n for b, n in tree.items() if n} == bits


def test_weights_are_read_as_they_are_stored():
    for name, bits in (("xnor", 1), ("sign", 1), ("shift", 2 + 3)):
        actions = actions_of(layer(name, 3, 2), (CHANNELS, SIZE, SIZE))
        weights = [a for a in actions if a.component == "weights"]
        assert {a.bits for a in weights} == {3 * 2 * bits}
        assert total(weights, "sram_read") == TAPS // 3 * OUTPUTS // 2 * PIXELS


@pytest.mark.parametrize("lanes", [1, 2, 6])
def test_depthwise_actions(lanes):
    window = WindowParams(
        height=SIZE, width=SIZE, words=CHANNELS // lanes, lanes=lanes, kind=of("int8"),
        kernel=(3, 3), per_word=True,
    )  # fmt: skip
    datapath = DepthwiseParams(
        x=of("int8"), w=of("int5"), acc=of("int16"), lanes=lanes, beats=9, words=window.words
    )
    params = WindowedParams(window=window, datapath=datapath)
    actions = actions_of(params, (CHANNELS, SIZE, SIZE))
    assert total(actions, "multiply") == CHANNELS * 9 * PIXELS
    assert total(actions, "add") == CHANNELS * 9 * PIXELS
    assert total(actions, "sram_read", "weights") == CHANNELS // lanes * 9 * PIXELS
    constants = CHANNELS // lanes * PIXELS if lanes < CHANNELS else 0  # a single word is wired
    assert total(actions, "sram_read", "constants") == constants


@pytest.mark.parametrize("lanes", [1, 4])
def test_threshold_actions(lanes):
    shape = (4, 3, 2)
    params = ThresholdParams(
        acc=of("int12"), out=of("uint2"), thresholds=3, lanes=lanes, channels=4
    )
    actions = actions_of(params, shape)
    assert total(actions, "compare", bits=12) == 3 * prod(shape)
    assert total(actions, "add", "count", bits=1) == prod(shape)  # three bits are one full adder
    assert total(actions, "sram_read") == (prod(shape) if lanes == 1 else 0)


def test_table_actions():
    params = LutParams(x=of("int6"), out=of("uint4"), lanes=2, channels=4)
    actions = actions_of(params, (4, 3, 2))
    assert total(actions, "sram_read", bits=4) == 24
    assert {a.capacity_bits for a in actions} == {4 * 2 * 64}


CELLS = [
    ArrayParams(kernel="xnor", x=of("bipolar"), w=of("bipolar"), acc=of("int9"), simd=32, pe=4,
                beats=6, folds=4),
    ArrayParams(kernel="xnor", x=of("int2"), w=of("bipolar"), acc=of("int9"), simd=32, pe=4,
                beats=6, folds=4),
    ArrayParams(kernel="sign", x=of("uint8"), w=of("bipolar"), acc=of("int16"), simd=8, pe=4,
                beats=6, folds=4),
    ArrayParams(kernel="shift", x=of("int8"), w=of("int8"), acc=of("int22"), simd=8, pe=4,
                beats=6, folds=4),
    ArrayParams(kernel="shift", x=of("int8"), w=of("int8"), acc=of("int22"), simd=8, pe=4,
                beats=6, folds=4, distances=(0, 2, 3)),
    DepthwiseParams(x=of("int8"), w=of("int8"), acc=of("int20"), lanes=4, beats=9, words=8),
    ThresholdParams(acc=of("int16"), out=of("uint2"), thresholds=3, lanes=4, channels=32),
    ThresholdParams(acc=of("int12"), out=of("bipolar"), thresholds=1, lanes=8, channels=64),
    LutParams(x=of("int4"), out=of("int8"), lanes=4),
    LutParams(x=of("int8"), out=of("int8"), lanes=4),
]  # fmt: skip


def constants(params):
    """Arrays as a network would have them."""
    rng = np.random.default_rng(0)
    if isinstance(params, ArrayParams):
        shape = (params.pe * params.folds, params.simd * params.beats)
        distances = params.distances or tuple(range(params.w.bits - 1))
        levels = [1, -1] if params.w.bipolar else [0, *(s << p for p in distances for s in (1, -1))]
        return (rng.choice(levels, shape),)
    if isinstance(params, DepthwiseParams):
        channels = params.words * params.lanes
        return rng.integers(-8, 8, (channels, params.beats)), rng.integers(-99, 99, channels)
    if isinstance(params, ThresholdParams):
        steps = rng.integers(-500, 500, (params.channels, params.thresholds))
        return steps, rng.choice([-1, 1], params.channels)
    return (rng.integers(params.out.low, params.out.high + 1, (1, 1 << params.x.bits)),)


@pytest.mark.slow
@pytest.mark.parametrize("params", CELLS, ids=lambda p: f"{type(p).__name__}-{p!s:.24}")
def test_predicted_cells_are_near_synthesis(params, tmp_path):
    predicted = block_resources(params)
    found = synthesized(params.create(*constants(params)), tmp_path)
    assert predicted.lut == pytest.approx(found.lut, rel=0.3, abs=4)
    assert predicted.ff == pytest.approx(found.ff, rel=0.1 if found.ff > 300 else 0.6)
    assert (predicted.bram, predicted.dsp) == (found.bram, found.dsp)


def test_an_xnor_tree_is_predicted_as_compressors():
    narrow, wide = (
        counted(
            ArrayParams(kernel="xnor", x=of("bipolar"), w=of("bipolar"), acc=of("int9"),
                        simd=simd, pe=1, beats=1, folds=1)
        ).logic
        for simd in (64, 128)
    )  # fmt: skip
    count = PopcountParams(128).full_adders - PopcountParams(64).full_adders
    assert wide.lut - narrow.lut == 64 + 2 * count + 1  # gates, full adders, a carry more
    assert ceil(wide.lut) < 2 * 128 + 128 + 20
