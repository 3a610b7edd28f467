"""Words that are chosen among several on their way, without arithmetic or memory."""

from collections.abc import Iterator

from hwgen_rtl.concat import ConcatParams
from hwgen_rtl.convert import SplitParams
from hwgen_rtl.drain import DrainParams
from hwgen_rtl.pad import PadParams
from hwgen_sim.energy.action import Action

__all__ = ["concat", "drain", "pad", "split"]


def concat(p: ConcatParams, elements: int) -> Iterator[Action]:
    """One input of several, a beat."""
    count = elements * (len(p.words) - 1)
    yield Action(component="choose", kind="mux", bits=p.kind.bits, count=count)


def drain(p: DrainParams, elements: int) -> Iterator[Action]:
    """Sums move up or new ones come, or some that stay leave: none where all leave at once."""
    if p.ratio > 1:
        count = elements * (p.ratio - p.chosen)
        yield Action(component="choose", kind="mux", bits=p.array.sum_bits, count=count)


def pad(p: PadParams, elements: int) -> Iterator[Action]:
    """A pixel, or padding."""
    count = p.interval * p.lanes
    yield Action(component="choose", kind="mux", bits=p.kind.bits, count=count)


def split(p: SplitParams, elements: int) -> Iterator[Action]:
    """Lanes move down, or new ones come."""
    count = elements // p.o_lanes * p.i_lanes
    yield Action(component="choose", kind="mux", bits=p.kind.bits, count=count)
