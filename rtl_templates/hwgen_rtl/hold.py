"""A register between two streams that cuts the path of ready."""

from dataclasses import dataclass

from amaranth.hdl import Module

from hwgen_rtl.cycles import Timing, holding
from hwgen_rtl.numerics import IntType
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.stream import StreamComponent

__all__ = ["Hold", "HoldParams"]


@dataclass(frozen=True, kw_only=True)
class HoldParams:
    """One beat of ``lanes`` elements of ``kind``."""

    kind: IntType
    lanes: int

    def create(self) -> "Hold":
        """The hardware."""
        return Hold(self)

    def timing(self) -> Timing:
        """Cycle model."""
        return holding()


class Hold(StreamComponent):
    """Keeps a beat until it is taken; ``i.ready`` and ``o.valid`` are registers.

    One beat every two cycles, one cycle later: for producers that need two cycles or more per
    beat. It costs half of a queue that keeps up with one beat per cycle.

    Members: i, o : streams of ArrayLayout(kind, lanes)
    """

    def __init__(self, params: HoldParams):
        layout = layout_of(params.kind, params.lanes)
        super().__init__(layout, layout)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.i.ready.eq(~self.o.valid)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [self.o.payload.eq(self.i.payload), self.o.valid.eq(1)]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m
