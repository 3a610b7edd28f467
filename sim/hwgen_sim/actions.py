"""What the hardware of a plan does per image, counted from its Params alone."""

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

from hwgen.schedule.plan import Plan, Stage, Unit
from hwgen_rtl.add import AddParams
from hwgen_rtl.argmax import ArgmaxParams
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.band import BandParams
from hwgen_rtl.concat import ConcatParams
from hwgen_rtl.convert import MergeParams, SplitParams
from hwgen_rtl.depthwise import DepthwiseParams
from hwgen_rtl.drain import DrainParams
from hwgen_rtl.fifo import QueueParams
from hwgen_rtl.finish import FinishParams
from hwgen_rtl.fork import ForkParams
from hwgen_rtl.hold import HoldParams
from hwgen_rtl.lanes import AdderLanes
from hwgen_rtl.line_buffer import LineBufferParams
from hwgen_rtl.lut import LutParams
from hwgen_rtl.numerics import IntType, bits_for_sum
from hwgen_rtl.pad import PadParams
from hwgen_rtl.pool import PoolParams
from hwgen_rtl.popcount import PopcountParams
from hwgen_rtl.requantize import RequantizeParams
from hwgen_rtl.shift import ShiftParams
from hwgen_rtl.slice import SliceParams
from hwgen_rtl.threshold import ThresholdParams
from hwgen_rtl.widen import WidenParams
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_rtl.winograd import winograd_additions
from hwgen_rtl.winograd_array import WinogradArrayParams
from hwgen_rtl.winograd_input import InputTransformParams
from hwgen_sim.energy.action import Action

__all__ = ["plan_actions", "tree_adders", "unit_actions"]


def plan_actions(plan: Plan) -> dict[str, list[Action]]:
    """Actions per image of every node with hardware."""
    return {unit.name: unit_actions(plan, unit) for unit in plan.units}


def unit_actions(plan: Plan, unit: Unit) -> list[Action]:
    """Actions per image of all blocks of one unit that count at least one event."""
    found = (
        action
        for stage, elements in _entering(plan, unit)
        for action in _RULES[type(stage.params)](stage.params, elements)
    )
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


def _entering(plan: Plan, unit: Unit) -> Iterator[tuple[Stage, int]]:
    """Every block of a unit, and elements per image: behind a window buffer, results."""
    sources = [prod(plan.graph[source].shape) for source in unit.sources]
    for row, count in zip(unit.inputs, sources, strict=True):
        yield from ((stage, count) for stage in row)
    results = prod(unit.node.shape)
    inside = sources[0] if len(sources) == 1 else results
    for stage in unit.stages:
        yield stage, inside
        inside = results if isinstance(stage.params, WindowedParams) else inside


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
    lanes = p.simd * p.pe
    summing = _counting if p.kernel == "xnor" else _summing
    yield Action(component="lanes", count=lanes * beats, **_lane(p))
    if p.lanes.shared is not None:
        shared = p.lanes.shared, p.acc.bits, p.beats, beats
        yield from summing("taps sum", p.simd, *shared)
    yield from summing("tree", p.simd, p.lane, p.sum_bits, p.beats, beats * p.pe)
    yield from _rom("weights", lanes * p.weight_bits, p.folds * p.beats, beats)


def _lane(p: ArrayParams) -> dict[str, Any]:
    """What a lane does to one tap; a conditional complement is as many gates as an XNOR."""
    return {
        "multiply": {"kind": "multiply", "bits": p.x.bits, "other_bits": p.w.bits},
        "adder": {"kind": "subtract", "bits": _difference_bits(p)},
        "xnor": {"kind": "xnor", "bits": 1},
        "sign": {"kind": "xnor", "bits": p.lane.bits},
        "shift": {"kind": "shift", "bits": p.lane.bits},
    }[p.kernel]


def _difference_bits(p: ArrayParams) -> int:
    """Bits of a tap less a weight."""
    return AdderLanes(p.x, p.w).difference.bits


def _summing(
    name: str, terms: int, kind: IntType, bits: int, beats: int, times: int
) -> Iterator[Action]:
    """A tree and the accumulator behind it."""
    for width, adders in tree_adders(terms, kind).items():
        yield Action(component=name, kind="add", bits=width, count=adders * times)
    yield from _accumulated(bits, beats, times)


def _counting(
    name: str, terms: int, kind: IntType, bits: int, beats: int, times: int
) -> Iterator[Action]:
    """A compressor tree and the accumulator behind it."""
    yield from _popcount(name, PopcountParams(terms), times)
    yield from _accumulated(bits, beats, times)


def _accumulated(bits: int, beats: int, times: int) -> Iterator[Action]:
    """Jobs of one beat have nothing to accumulate."""
    if beats > 1:
        yield Action(component="accumulate", kind="add", bits=bits, count=times)


def _finish(p: FinishParams, elements: int) -> Iterator[Action]:
    """The sum is added to a constant and to what all processing elements share."""
    bits = p.array.acc.bits
    if p.array.lanes.shared is not None:
        yield Action(component="combine", kind="add", bits=bits, count=elements)
    yield Action(component="combine", kind="add", bits=bits, count=elements)
    yield from _rom("constants", p.lanes * bits, p.depth, elements // p.lanes)


def _popcount(name: str, p: PopcountParams, times: int) -> Iterator[Action]:
    """Full adders, each an addition of one bit, and the last sum."""
    yield Action(component=name, kind="add", bits=1, count=p.full_adders * times)
    if p.carry_bits:
        yield Action(component=name, kind="add", bits=p.carry_bits, count=times)


def _rom(component: str, bits: int, depth: int, reads: int) -> Iterator[Action]:
    """A single word is wired, not read."""
    if depth > 1:
        yield from _memory(component, bits, depth, reads, 0)


def _depthwise(p: DepthwiseParams, window: WindowParams) -> Iterator[Action]:
    beats = window.interval
    count, factors = p.lanes * beats, {"bits": p.x.bits, "other_bits": p.w.bits}
    yield Action(component="lanes", kind="multiply", count=count, **factors)
    yield Action(component="accumulate", kind="add", bits=p.acc.bits, count=count)
    yield from _rom("weights", p.lanes * p.w.bits, p.words * p.beats, beats)
    yield from _rom("constants", p.lanes * p.acc.bits, p.words, beats // p.beats)


def _threshold(p: ThresholdParams, elements: int) -> Iterator[Action]:
    count = elements * p.thresholds
    yield Action(component="compare", kind="compare", bits=p.acc.bits, count=count)
    yield from _popcount("count", p.count, elements)
    width = p.lanes * p.thresholds * p.cut_bits
    yield from _rom("constants", width, p.channels // p.lanes, elements // p.lanes)


def _lut(p: LutParams, elements: int) -> Iterator[Action]:
    """Every lane reads a word of its own."""
    yield from _rom("table", p.out.bits, p.depth, elements)


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


def _input_transform(p: InputTransformParams, window: WindowParams) -> Iterator[Action]:
    columns = window.interval * 4 * p.lanes
    total = winograd_additions(1, 0, 1).input_transform * p.lanes * (window.interval // p.beats)
    yield Action(component="columns", kind="add", bits=p.column.bits, count=columns)
    yield Action(component="rows", kind="add", bits=p.v.bits, count=total - columns)


def _winograd_array(p: WinogradArrayParams, window: WindowParams) -> Iterator[Action]:
    beats = window.interval
    jobs = beats // p.beats
    lanes, bits = 16 * p.lanes * p.pe, p.comparison.difference.bits
    yield Action(component="lanes", kind="subtract", bits=bits, count=lanes * beats)
    yield Action(component="combine", kind="subtract", bits=p.acc.bits, count=4 * p.pe * jobs)
    yield from _summing("taps sum", p.lanes, p.v, p.acc.bits, 2, 16 * beats)
    yield from _summing("tree", p.lanes, p.lane, p.half, 2, 16 * beats * p.pe)
    for bits, times in ((p.acc.bits, jobs), (p.half, p.pe * jobs)):
        count = winograd_additions(0, 1, 1).output_transform * times
        yield Action(component="output transform", kind="add", bits=bits, count=count)
    yield from _rom("weights", lanes * p.w.bits, p.folds * p.beats, beats)
    yield from _rom("constants", 4 * p.pe * (p.half + 1), p.folds, jobs)


def _band(p: BandParams, elements: int) -> Iterator[Action]:
    words = p.height * p.band
    yield from _memory("band", p.i_lanes * p.kind.bits, p.depth, p.interval, words)


def _argmax(p: ArgmaxParams, elements: int) -> Iterator[Action]:
    yield Action(component="search", kind="compare", bits=p.kind.bits, count=elements)


def _add(p: AddParams, elements: int) -> Iterator[Action]:
    yield Action(component="sum", kind="add", bits=p.result.bits, count=elements)


def _shift(p: ShiftParams, elements: int) -> Iterator[Action]:
    yield from _memory("rows", p.lanes * p.kind.bits, p.depth, p.image, p.image)
    yield from _rom("offsets", p.entry.size, len(p.offsets), p.image)


def _registers_only(p: Any, elements: int) -> Iterator[Action]:
    """Blocks that only move words between registers, which are not modelled."""
    yield from ()


Rule = Callable[[Any, int], Iterator[Action]]

_DATAPATHS: dict[type, Callable[[Any, WindowParams], Iterator[Action]]] = {
    ArrayParams: _array,
    DepthwiseParams: _depthwise,
    InputTransformParams: _input_transform,
    PoolParams: _pool,
    WinogradArrayParams: _winograd_array,
}
_RULES: dict[type, Rule] = {
    ArgmaxParams: _argmax,
    AddParams: _add,
    BandParams: _band,
    ConcatParams: _registers_only,
    DrainParams: _registers_only,
    FinishParams: _finish,
    ForkParams: _registers_only,
    HoldParams: _registers_only,
    LineBufferParams: _lines,
    LutParams: _lut,
    MergeParams: _registers_only,
    PadParams: _registers_only,
    QueueParams: _queue,
    RequantizeParams: _requantize,
    ShiftParams: _shift,
    SliceParams: _registers_only,
    SplitParams: _registers_only,
    ThresholdParams: _threshold,
    WidenParams: _registers_only,
    WindowedParams: _windowed,
}
