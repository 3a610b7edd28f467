"""Actions of the blocks of one unit, from their Params alone."""

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

from hwgen.schedule.plan import Plan, Stage, Unit
from hwgen_rtl.add import AddParams
from hwgen_rtl.argmax import ArgmaxParams
from hwgen_rtl.band import BandParams
from hwgen_rtl.concat import ConcatParams
from hwgen_rtl.convert import MergeParams, SplitParams
from hwgen_rtl.drain import DrainParams
from hwgen_rtl.fifo import QueueParams
from hwgen_rtl.finish import FinishParams
from hwgen_rtl.fork import ForkParams
from hwgen_rtl.hold import HoldParams
from hwgen_rtl.line_buffer import LineBufferParams
from hwgen_rtl.lut import LutParams
from hwgen_rtl.pad import PadParams
from hwgen_rtl.requantize import RequantizeParams
from hwgen_rtl.shift import ShiftParams
from hwgen_rtl.slice import SliceParams
from hwgen_rtl.threshold import ThresholdParams
from hwgen_rtl.widen import WidenParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_sim.actions import arrays, choices, elements, memories
from hwgen_sim.energy.action import Action

__all__ = ["block_actions", "entering", "unit_actions"]


def unit_actions(plan: Plan, unit: Unit) -> list[Action]:
    """Actions per image of all blocks of one unit that count at least one event."""
    return [
        action for stage, count in entering(plan, unit) for action in block_actions(stage, count)
    ]


def block_actions(stage: Stage, count: int) -> list[Action]:
    """Actions per image of one block through which ``count`` elements pass."""
    found = _RULES[type(stage.params)](stage.params, count)
    return [action for action in found if action.count]


def entering(plan: Plan, unit: Unit) -> Iterator[tuple[Stage, int]]:
    """Every block of a unit, and elements per image: behind a window buffer, results."""
    sources = [prod(plan.graph[source].shape) for source in unit.sources]
    for row, count in zip(unit.inputs, sources, strict=True):
        yield from ((stage, count) for stage in row)
    results = prod(unit.node.shape)
    inside = sources[0] if len(sources) == 1 else results
    for stage in unit.stages:
        yield stage, inside
        inside = results if isinstance(stage.params, WindowedParams) else inside


def _registers_only(p: Any, elements: int) -> Iterator[Action]:
    """Blocks that only move words between registers, which are counted for a whole unit."""
    yield from ()


Rule = Callable[[Any, int], Iterator[Action]]

_RULES: dict[type, Rule] = {
    AddParams: elements.add,
    ArgmaxParams: elements.argmax,
    BandParams: memories.band,
    ConcatParams: choices.concat,
    DrainParams: choices.drain,
    FinishParams: arrays.finish,
    ForkParams: _registers_only,
    HoldParams: _registers_only,
    LineBufferParams: memories.lines,
    LutParams: memories.lut,
    MergeParams: _registers_only,
    PadParams: choices.pad,
    QueueParams: memories.queue,
    RequantizeParams: elements.requantize,
    ShiftParams: memories.shift,
    SliceParams: _registers_only,
    SplitParams: choices.split,
    ThresholdParams: elements.threshold,
    WidenParams: _registers_only,
    WindowedParams: arrays.windowed,
}
