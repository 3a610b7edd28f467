# amaranth: UnusedElaboratable=no
"""Predicted cells and actions of the Winograd blocks and the band buffer."""

from types import SimpleNamespace

import pytest
from amaranth.back import rtlil

from hwgen.schedule.plan import Stage
from hwgen.schedule.resources import block_resources
from hwgen.schedule.resources import counted as counted_cells
from hwgen_rtl.band import BandParams
from hwgen_rtl.numerics import IntType
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_rtl.winograd import direct_additions, tile_grid, winograd_additions
from hwgen_rtl.winograd_array import WinogradArrayParams
from hwgen_rtl.winograd_input import InputTransformParams
from hwgen_rtl.winograd_stages import winograd_stages
from hwgen_sim.actions import unit_actions
from tests.rtl.test_winograd import CHAINS, build, chain_of


def transform(x, lanes):
    x = IntType.parse(x)
    window = WindowParams(
        height=8, width=18, words=4, lanes=4 * lanes, kind=x, kernel=(1, 4), stride=(1, 2),
        per_word=True,
    )  # fmt: skip
    return WindowedParams(window=window, datapath=InputTransformParams(x=x, lanes=lanes))


def array(v, w, acc, lanes, pe, beats, folds):
    v, w, acc = (IntType.parse(kind) for kind in (v, w, acc))
    window = WindowParams(
        height=8, width=8, words=beats, lanes=16 * lanes, kind=v, kernel=(1, 1), repeats=folds
    )
    params = WinogradArrayParams(v=v, w=w, acc=acc, lanes=lanes, pe=pe, beats=beats, folds=folds)
    return WindowedParams(window=window, datapath=params)


def band(size, words, lanes, kind, factor, shuffle, crop=(0, 0)):
    return BandParams(
        height=size[0], width=size[1], words=words, lanes=lanes, kind=IntType.parse(kind),
        factor=factor, shuffle=shuffle, crop=crop,
    )  # fmt: skip


#  block                                                    what Yosys 0.70's synth_ecp5 makes of it
SYNTHESIZED = [
    (transform("uint8", 1), {"lut": 350, "carry": 90, "ff": 344, "bram": 0}),
    (transform("int4", 2), {"lut": 383, "carry": 106, "ff": 380, "bram": 0}),
    (array("int11", "int9", "int16", 1, 1, 8, 4), {"lut": 3198, "carry": 582, "ff": 1842}),
    (array("int11", "int9", "int16", 1, 4, 8, 4), {"lut": 8172, "carry": 1638, "ff": 4270}),
    (array("int11", "int9", "int18", 4, 2, 4, 8), {"lut": 10970, "carry": 2514, "ff": 8200}),
    (array("int6", "int6", "int12", 2, 2, 4, 4), {"lut": 4107, "carry": 1003, "ff": 2796}),
    (array("int11", "int9", "int16", 1, 2, 16, 16), {"lut": 3863, "carry": 942, "bram": 13}),
    (band((8, 8), 4, 2, "int16", 2, True, (1, 1)), {"lut": 198, "carry": 25, "ff": 41, "bram": 4}),
    (band((8, 8), 4, 2, "int16", 2, False), {"lut": 384, "carry": 25, "ff": 68, "bram": 0}),
    (band((4, 16), 4, 1, "int16", 3, True), {"lut": 240, "carry": 28, "ff": 47, "bram": 4}),
]


@pytest.mark.parametrize(("params", "cells"), SYNTHESIZED)
def test_predicted_cells_are_close_to_synthesis(params, cells):
    predicted = block_resources(params)
    assert predicted.dsp == 0
    for name, count in cells.items():
        assert getattr(predicted, name) == pytest.approx(count, rel=0.18), name


@pytest.mark.parametrize(("x", "lanes", "carry"), [("uint8", 1, 80), ("int4", 2, 96)])
def test_carry_cells_of_an_input_transform_are_those_of_synthesis(x, lanes, carry):
    """Alone, without its window: what Yosys 0.70's synth_ecp5 makes of it."""
    params = InputTransformParams(x=IntType.parse(x), lanes=lanes)
    assert counted_cells(params).logic.carry == carry


@pytest.mark.parametrize("case", CHAINS[:3], ids=lambda case: "-".join(map(str, case)))
def test_there_is_no_multiplication(case):
    _, weight, blocks = chain_of(case)
    text = rtlil.convert(build(blocks, weight), emit_src=False)
    assert "cell $add" in text
    assert "cell $mul" not in text
    assert rtlil.convert(build(blocks, weight), emit_src=False) == text


def counted(size, channels, outputs, lanes, pe):
    """Actions per image of a layer with padding 1."""
    kind = IntType.parse("uint8")
    stages = winograd_stages(
        channels=channels, outputs=outputs, size=size, padding=(1, 1), x=kind,
        w=IntType.parse("int9"), acc=IntType.parse("int20"), lanes=lanes, pe=pe,
    )  # fmt: skip
    unit = SimpleNamespace(
        node=SimpleNamespace(shape=(outputs, *size)), sources=("x",), inputs=((),),
        stages=[Stage(*stage) for stage in stages],
    )  # fmt: skip
    plan = SimpleNamespace(graph={"x": SimpleNamespace(shape=(channels, *size))})
    return unit_actions(plan, unit)


def total(actions, *kinds, component=None):
    return sum(
        action.count
        for action in actions
        if action.kind in kinds and component in (None, action.component)
    )


@pytest.mark.parametrize(("lanes", "pe"), [(1, 1), (4, 2), (2, 8)])
@pytest.mark.parametrize("size", [(8, 8), (7, 6)])
def test_counted_additions_are_those_of_the_layer(size, lanes, pe):
    channels, outputs = 8, 16
    rows, columns = tile_grid(size, (1, 1)).tiles
    tiles = rows * columns
    assert tiles == (16 if size == (8, 8) else 12)
    layer = winograd_additions(channels, outputs, tiles)
    actions = counted(size, channels, outputs, lanes, pe)
    transform = total(actions, "add", component="columns") + total(actions, "add", component="rows")
    assert transform == layer.input_transform
    # a subtraction and an addition a distance, as in the papers
    distances = total(actions, "subtract", component="lanes")
    assert 2 * distances == layer.distances
    # the sum of V is added up and transformed once for each job of ``pe`` channels
    sums = total(actions, "add", component="tree") + total(actions, "add", component="taps sum")
    sums += total(actions, "add", component="accumulate")
    assert sums == distances + distances // pe
    assert (
        total(actions, "add", component="output transform")
        == layer.output_transform + layer.output_transform // pe
    )
    assert total(actions, "subtract", component="combine") == 4 * outputs * tiles
    assert total(actions, "compare") == 0
    assert total(actions, "multiply") == 0


def test_band_reads_every_output_and_writes_every_input_word():
    actions = counted((7, 6), 8, 16, 2, 4)
    assert total(actions, "sram_read", component="band") == 7 * 6 * 16 // 4
    assert total(actions, "sram_write", component="band") == 12 * 16 // 4
    assert next(a for a in actions if a.component == "band").bits == 16 * 20


def test_fewer_additions_than_the_direct_layer():
    actions = counted((8, 8), 64, 64, 8, 8)
    arithmetic = total(actions, "add", "subtract", "compare")
    assert 0.45 < arithmetic / direct_additions(64, 64, 64) < 0.55
