"""What the hardware of a plan does per image, counted from its Params alone."""

from collections.abc import Callable, Iterator
from typing import Any

from hwgen.schedule.plan import Plan, Unit
from hwgen_rtl.argmax import ArgmaxParams
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.convert import MergeParams, SplitParams
from hwgen_rtl.fifo import QueueParams
from hwgen_rtl.hold import HoldParams
from hwgen_rtl.line_buffer import LineBufferParams
from hwgen_rtl.numerics import Interval, IntType, bits_for_sum
from hwgen_rtl.pad import PadParams
from hwgen_rtl.pool import PoolParams
from hwgen_rtl.requantize import RequantizeParams
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_sim.energy.action import Action

__all__ = ["plan_actions", "tree_adders", "unit_actions"]


def plan_actions(plan: Plan) -> dict[str, list[Action]]:
    """Actions per image of every node with hardware."""
    return {unit.name: unit_actions(plan, unit) for unit in plan.units}


def unit_actions(plan: Plan, unit: Unit) -> list[Action]:
    """Actions per image of all blocks of one unit that count at least one event."""
    elements = _elements(plan, unit)
    found = (a for stage in unit.stages for a in _RULES[type(stage.params)](stage.params, elements))
    return [action for action in found if action.count]


def tree_adders(terms: int, kind: IntType) -> dict[int, int]:
    """Adders of a tree over ``terms`` values: result width in bits to number of adders."""
    adders: dict[int, int] = {}
    held = [1] * terms
    while len(held) > 1:
        pairs = [held[k : k + 2] for k in range(0, len(held), 2)]
        for pair in pairs:
            if len(pair) == 2:
                bits = bits_for_sum(sum(pair), kind).bits
                adders[bits] = adders.get(bits, 0) + 1
        held = [sum(pair) for pair in pairs]
    return adders


def _elements(plan: Plan, unit: Unit) -> int:
    """Elements per image that enter the unit."""
    count = 1
    for size in plan.graph[unit.source].shape:
        count *= size
    return count


def _memory(component: str, bits: int, depth: int, reads: int, writes: int) -> Iterator[Action]:
    size = {"bits": bits, "capacity_bits": bits * depth, "component": component}
    yield Action(kind="sram_read", count=reads, **size)
    yield Action(kind="sram_write", count=writes, **size)


def _windowed(p: WindowedParams, elements: int) -> Iterator[Action]:
    window = p.window
    yield from _memory(
        "window", window.lanes * window.kind.bits, window.depth, window.interval, window.image
    )
    yield from _DATAPATHS[type(p.datapath)](p.datapath, window)


def _array(p: ArrayParams, window: WindowParams) -> Iterator[Action]:
    beats = window.interval
    jobs = beats // p.beats
    lanes = p.simd * p.pe
    if p.kernel == "adder":
        yield Action(component="lanes", kind="compare", bits=_wide(p), count=lanes * beats)
        yield Action(component="combine", kind="subtract", bits=p.acc.bits, count=p.pe * jobs)
        yield from _summing("taps sum", p.simd, p.x, p.acc.bits, beats)
    else:
        factors = {"bits": p.x.bits, "other_bits": p.w.bits}
        yield Action(component="lanes", kind="multiply", count=lanes * beats, **factors)
    yield from _summing("tree", p.simd, p.lane, p.acc.bits, beats * p.pe)
    yield from _rom("weights", lanes * p.w.bits, p.folds * p.beats, beats)
    yield from _rom("constants", p.pe * p.acc.bits, p.folds, jobs)


def _wide(p: ArrayParams) -> int:
    """Bits of a comparator that holds both a tap and a weight."""
    return Interval.of(p.x).hull(Interval.of(p.w)).type().bits


def _summing(name: str, terms: int, kind: IntType, acc: int, times: int) -> Iterator[Action]:
    """A tree and the accumulator behind it."""
    for bits, adders in tree_adders(terms, kind).items():
        yield Action(component=name, kind="add", bits=bits, count=adders * times)
    yield Action(component="accumulate", kind="add", bits=acc, count=times)


def _rom(component: str, bits: int, depth: int, reads: int) -> Iterator[Action]:
    """A single word is wired, not read."""
    if depth > 1:
        yield from _memory(component, bits, depth, reads, 0)


def _pool(p: PoolParams, window: WindowParams) -> Iterator[Action]:
    kind = "compare" if p.operation == "max" else "add"
    count = window.interval * p.lanes
    yield Action(component="reduce", kind=kind, bits=p.result.bits, count=count)


def _requantize(p: RequantizeParams, elements: int) -> Iterator[Action]:
    depth, beats = p.channels // p.lanes, elements // p.lanes
    factors = {"bits": p.acc.bits, "other_bits": p.multiplier.bits}
    yield Action(component="affine", kind="multiply", count=elements, **factors)
    yield Action(component="affine", kind="add", bits=p.total.bits, count=elements)
    yield Action(component="clamp", kind="compare", bits=p.total.bits, count=2 * elements)
    yield from _rom("constants", p.lanes * p.multiplier.bits, depth, beats)
    yield from _rom("constants", p.lanes * p.bias.bits, depth, beats)


def _lines(p: LineBufferParams, elements: int) -> Iterator[Action]:
    words = p.height * p.width * p.words
    bits = (p.rows - 1) * p.lanes * p.kind.bits
    yield from _memory("lines", bits, p.width * p.words, words, words)


def _queue(p: QueueParams, elements: int) -> Iterator[Action]:
    words = elements // p.lanes
    yield from _memory("queue", p.lanes * p.kind.bits, p.depth - 1, words, words)


def _argmax(p: ArgmaxParams, elements: int) -> Iterator[Action]:
    yield Action(component="search", kind="compare", bits=p.kind.bits, count=elements)


def _registers_only(p: Any, elements: int) -> Iterator[Action]:
    """Lane converters, padding and holds move words between registers, which are not modelled."""
    yield from ()


Rule = Callable[[Any, int], Iterator[Action]]

_DATAPATHS: dict[type, Callable[[Any, WindowParams], Iterator[Action]]] = {
    ArrayParams: _array,
    PoolParams: _pool,
}
_RULES: dict[type, Rule] = {
    ArgmaxParams: _argmax,
    HoldParams: _registers_only,
    LineBufferParams: _lines,
    MergeParams: _registers_only,
    PadParams: _registers_only,
    QueueParams: _queue,
    RequantizeParams: _requantize,
    SplitParams: _registers_only,
    WindowedParams: _windowed,
}
