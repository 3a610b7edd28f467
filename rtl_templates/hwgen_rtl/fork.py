"""Gives every beat of a stream to several readers."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal

from hwgen_rtl.cycles import Timing, copying
from hwgen_rtl.numerics import IntType
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.stream import ForkComponent

__all__ = ["Fork", "ForkParams"]


@dataclass(frozen=True, kw_only=True)
class ForkParams:
    """Beats of ``lanes`` elements of ``kind`` go to each of ``ways`` outputs."""

    kind: IntType
    lanes: int
    ways: int

    def __post_init__(self):
        if self.lanes < 1:
            raise ValueError(f"lanes must be at least 1, not {self.lanes!r}")
        if self.ways < 2:
            raise ValueError(f"ways must be at least 2, not {self.ways!r}")

    def create(self) -> "Fork":
        """The hardware."""
        return Fork(self)

    def timing(self) -> Timing:
        """Cycle model."""
        return copying()


class Fork(ForkComponent):
    """Each output takes a beat when it likes; the input moves on when all have taken it.

    One beat per cycle, latency 0. A flag per output remembers who has taken the present beat, so
    that no output waits for another one, and no valid for any ready. Payload and valid pass
    through, and ``i.ready`` is a function of every ``o.ready``: where paths of ready grow long,
    put a queue behind an output. No combinational loop can arise in a network without cycles,
    because a block's valid never depends on a ready.

    Members: i, o0, o1, ... : streams of ArrayLayout(kind, lanes)
    """

    def __init__(self, params: ForkParams):
        super().__init__(layout_of(params.kind, params.lanes), params.ways)

    def elaborate(self, platform):
        m = Module()
        done = Signal(len(self.outputs))
        served = Signal.like(done)
        for o, had, has in zip(self.outputs, done, served, strict=True):
            m.d.comb += [
                o.payload.eq(self.i.payload),
                o.valid.eq(self.i.valid & ~had),
                has.eq(had | o.ready),
            ]
        m.d.comb += self.i.ready.eq(Cat(served).all())
        with m.If(self.i.valid):
            for had, has in zip(done, served, strict=True):
                m.d.sync += had.eq(has & ~self.i.ready)
        return m
