"""Bits of a bipolar tensor as two's complement numbers."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module

from hwgen_rtl.cycles import Pass, Timing, passing
from hwgen_rtl.numerics import BIPOLAR, IntType
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.stream import StreamComponent

__all__ = ["TERNARY", "Widen", "WidenParams"]

TERNARY = IntType(2, signed=True)
"""-1, 0 and +1: what a bipolar tensor becomes where 0 can occur too, as in padding."""


@dataclass(frozen=True, kw_only=True)
class WidenParams:
    """``lanes`` elements per beat."""

    lanes: int

    def create(self) -> "Widen":
        """The hardware."""
        return Widen(self)

    def timing(self) -> Timing:
        """Cycle model."""
        return passing([Pass.BOTH])


class Widen(StreamComponent):
    """o = 2*b - 1 of each bit b, in two bits. Wires and an inverter; latency 0.

    Members:
        i : In(stream of ArrayLayout(bipolar, lanes))
        o : Out(stream of ArrayLayout(int2, lanes))
    """

    def __init__(self, params: WidenParams):
        self._lanes = params.lanes
        super().__init__(layout_of(BIPOLAR, params.lanes), layout_of(TERNARY, params.lanes))

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.o.valid.eq(self.i.valid), self.i.ready.eq(self.o.ready)]
        for lane in range(self._lanes):
            m.d.comb += self.o.payload[lane].eq(Cat(Const(1, 1), ~self.i.payload[lane]).as_signed())
        return m
