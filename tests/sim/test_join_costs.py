# amaranth: UnusedElaboratable=no
"""Actions and cells of forks, sums, concatenations, slices and shifts.

Actions are held against the layer's shape, cells against synthesis.
"""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from hwgen.schedule.plan import Resources, Stage, Unit
from hwgen.schedule.resources import block_resources, counted
from hwgen_rtl.add import AddParams
from hwgen_rtl.concat import ConcatParams
from hwgen_rtl.fork import ForkParams
from hwgen_rtl.numerics import IntType
from hwgen_rtl.shift import ShiftParams
from hwgen_rtl.slice import SliceParams
from hwgen_rtl.window import WindowParams
from hwgen_sim.actions import unit_actions
from tests.rtl.synthesis import synthesized

INT8, UINT4, INT9 = (IntType.parse(text) for text in ("int8", "uint4", "int9"))
FOUR = ((1, 0), (-1, 0), (0, 1), (0, -1))


def shift(image, words, lanes, offsets):
    height, width = image
    return ShiftParams(
        height=height, width=width, words=words, lanes=lanes, kind=INT8, offsets=offsets
    )


def actions_of(params, shape, sources=1):
    """Actions of one block that reads and gives tensors of ``shape``."""
    names = tuple(f"x{n}" for n in range(sources))
    plan = SimpleNamespace(graph={name: SimpleNamespace(shape=shape) for name in names})
    unit = Unit(
        node=cast(Any, SimpleNamespace(shape=shape)), sources=names,
        stages=(Stage("block", params),), pe=1, simd=1, lanes=1, interval=1,
    )  # fmt: skip
    return unit_actions(cast(Any, plan), unit)


@pytest.mark.parametrize("lanes", [1, 3])
def test_a_sum_is_one_addition_an_element(lanes):
    params = AddParams(a=INT8, b=UINT4, result=INT9, lanes=lanes)
    (action,) = actions_of(params, (6, 4, 5), sources=2)
    assert (action.kind, action.bits, action.count) == ("add", 9, 6 * 4 * 5)


@pytest.mark.parametrize(
    "params",
    [
        ForkParams(kind=INT8, lanes=2, ways=3),
        SliceParams(kind=INT8, lanes=2, words=3, start=1, stop=2),
    ],
)
def test_moving_words_counts_nothing(params):
    assert actions_of(params, (6, 4, 5)) == []


def test_joined_words_are_chosen_among_the_inputs():
    params = ConcatParams(kind=INT8, lanes=2, words=(1, 1, 1))
    (action,) = actions_of(params, (6, 4, 5))
    assert (action.kind, action.bits, action.count) == ("mux", 8, 2 * 6 * 4 * 5)


@pytest.mark.parametrize("offsets", [((2, 1),), FOUR])
def test_a_shift_stores_and_reads_every_word_once(offsets):
    actions = actions_of(shift((6, 5), 4, 1, offsets), (4, 6, 5))
    rows = [action for action in actions if action.component == "rows"]
    assert {a.kind: a.count for a in rows} == {"sram_read": 120, "sram_write": 120}
    # from the first source to the last one, the word between, and the one being written
    distance = 11 if len(offsets) == 1 else 2 * 5
    assert {a.capacity_bits for a in rows} == {(distance * 4 + 2) * 8}
    table = [action for action in actions if action.component == "offsets"]
    assert [a.count for a in table] == ([] if len(offsets) == 1 else [120])


def test_a_shift_costs_its_rows():
    few, many = (block_resources(shift((32, 32), 16, 4, ((dy, 0),))) for dy in (1, 5))
    assert few.bram == 2, "514 words of 32 bits"
    assert many.bram == 6, "2562 words of 32 bits: three by two of 1024 by 18"


def test_a_fork_costs_a_flag_for_each_output():
    costs = [counted(ForkParams(kind=INT8, lanes=lanes, ways=3)).logic for lanes in (1, 64)]
    assert costs[0] == costs[1] == Resources(lut=9, ff=3)


#  LUTs and flip-flops within a quarter and ten cells; block RAMs exactly
BLOCKS = [
    ForkParams(kind=INT8, lanes=1, ways=5),
    AddParams(a=INT8, b=INT8, result=INT9, lanes=4),
    ConcatParams(kind=INT8, lanes=2, words=(1, 3, 20)),
    SliceParams(kind=INT8, lanes=1, words=50, start=7, stop=31),
    WindowParams(height=10, width=10, words=1, lanes=3, kind=INT8, kernel=(3, 3), repeats=6),
    WindowParams(height=4, width=4, words=8, lanes=1, kind=INT8, kernel=(4, 4), repeats=10),
    shift((28, 28), 1, 1, ((-1, 1),)),
    shift((32, 32), 16, 4, ((1, 1),)),
    shift((14, 14), 16, 1, FOUR * 4),
    shift((16, 16), 128, 1, FOUR * 32),
]


@pytest.mark.slow
@pytest.mark.parametrize("params", BLOCKS, ids=lambda params: type(params).__name__)
def test_cells_are_those_of_synthesis(params, tmp_path):
    predicted, found = block_resources(params), synthesized(params.create(), tmp_path)
    assert predicted.lut == pytest.approx(found.lut, rel=0.25, abs=10)
    assert predicted.ff == pytest.approx(found.ff, rel=0.25, abs=10)
    assert predicted.bram == found.bram
