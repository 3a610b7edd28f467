"""Operations on the elements of a stream, one beat after the other."""

from collections.abc import Iterator

from hwgen_rtl.add import AddParams
from hwgen_rtl.argmax import ArgmaxParams
from hwgen_rtl.requantize import RequantizeParams
from hwgen_rtl.threshold import ThresholdParams
from hwgen_sim.actions.arrays import popcount
from hwgen_sim.actions.memories import rom
from hwgen_sim.energy.action import Action

__all__ = ["add", "argmax", "requantize", "threshold"]


def requantize(p: RequantizeParams, elements: int) -> Iterator[Action]:
    depth, beats = p.channels // p.lanes, elements // p.lanes
    factors = {"bits": p.acc.bits, "other_bits": p.multiplier.bits}
    yield Action(component="affine", kind="multiply", count=elements, **factors)
    yield Action(component="affine", kind="add", bits=p.total.bits, count=elements)
    yield Action(component="clamp", kind="compare", bits=p.total.bits, count=2 * elements)
    yield Action(component="clamp", kind="mux", bits=p.out.bits, count=2 * elements)
    yield from rom("constants", p.lanes * p.multiplier.bits, depth, beats)
    yield from rom("constants", p.lanes * p.bias.bits, depth, beats)


def threshold(p: ThresholdParams, elements: int) -> Iterator[Action]:
    count = elements * p.thresholds
    yield Action(component="compare", kind="compare", bits=p.acc.bits, count=count)
    yield from popcount("count", p.count, elements)
    width = p.lanes * p.thresholds * p.cut_bits
    yield from rom("constants", width, p.channels // p.lanes, elements // p.lanes)


def add(p: AddParams, elements: int) -> Iterator[Action]:
    yield Action(component="sum", kind="add", bits=p.result.bits, count=elements)


def argmax(p: ArgmaxParams, elements: int) -> Iterator[Action]:
    yield Action(component="search", kind="compare", bits=p.kind.bits, count=elements)
