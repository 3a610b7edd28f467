"""Operations of everything behind a window buffer: arrays, depthwise lanes, pools."""

from collections.abc import Callable, Iterator
from typing import Any

from hwgen_rtl.array import ArrayParams
from hwgen_rtl.depthwise import DepthwiseParams
from hwgen_rtl.finish import FinishParams
from hwgen_rtl.lanes import AdderLanes
from hwgen_rtl.numerics import IntType, bits_for_sum
from hwgen_rtl.pool import PoolParams
from hwgen_rtl.popcount import PopcountParams
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_rtl.winograd import winograd_additions
from hwgen_rtl.winograd_array import WinogradArrayParams
from hwgen_rtl.winograd_input import InputTransformParams
from hwgen_sim.actions.memories import memory, rom
from hwgen_sim.energy.action import Action

__all__ = ["finish", "popcount", "tree_adders", "windowed"]


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


def windowed(p: WindowedParams, elements: int) -> Iterator[Action]:
    window = p.window
    yield from memory(
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
    yield from rom("weights", lanes * p.weight_bits, p.folds * p.beats, beats)


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
    yield from popcount(name, PopcountParams(terms), times)
    yield from _accumulated(bits, beats, times)


def _accumulated(bits: int, beats: int, times: int) -> Iterator[Action]:
    """Jobs of one beat have nothing to accumulate."""
    if beats > 1:
        yield Action(component="accumulate", kind="add", bits=bits, count=times)


def finish(p: FinishParams, elements: int) -> Iterator[Action]:
    """The sum is added to a constant and to what all processing elements share."""
    bits = p.array.acc.bits
    if p.array.lanes.shared is not None:
        yield Action(component="combine", kind="add", bits=bits, count=elements)
    yield Action(component="combine", kind="add", bits=bits, count=elements)
    yield from rom("constants", p.lanes * bits, p.depth, elements // p.lanes)


def popcount(name: str, p: PopcountParams, times: int) -> Iterator[Action]:
    """Full adders, each an addition of one bit, and the last sum."""
    yield Action(component=name, kind="add", bits=1, count=p.full_adders * times)
    if p.carry_bits:
        yield Action(component=name, kind="add", bits=p.carry_bits, count=times)


def _depthwise(p: DepthwiseParams, window: WindowParams) -> Iterator[Action]:
    beats = window.interval
    count, factors = p.lanes * beats, {"bits": p.x.bits, "other_bits": p.w.bits}
    yield Action(component="lanes", kind="multiply", count=count, **factors)
    yield Action(component="accumulate", kind="add", bits=p.acc.bits, count=count)
    yield from rom("weights", p.lanes * p.w.bits, p.words * p.beats, beats)
    yield from rom("constants", p.lanes * p.acc.bits, p.words, beats // p.beats)


def _pool(p: PoolParams, window: WindowParams) -> Iterator[Action]:
    kind = "compare" if p.operation == "max" else "add"
    count = window.interval * p.lanes
    yield Action(component="reduce", kind=kind, bits=p.result.bits, count=count)


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
    yield from rom("weights", lanes * p.w.bits, p.folds * p.beats, beats)
    yield from rom("constants", 4 * p.pe * (p.half + 1), p.folds, jobs)


_DATAPATHS: dict[type, Callable[[Any, WindowParams], Iterator[Action]]] = {
    ArrayParams: _array,
    DepthwiseParams: _depthwise,
    InputTransformParams: _input_transform,
    PoolParams: _pool,
    WinogradArrayParams: _winograd_array,
}
