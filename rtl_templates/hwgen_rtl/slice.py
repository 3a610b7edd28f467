"""Keeps some channels of every pixel and drops the others."""

from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal

from hwgen_rtl.cycles import Pass, Timing, passing
from hwgen_rtl.numerics import IntType
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.stream import StreamComponent

__all__ = ["Slice", "SliceParams"]


@dataclass(frozen=True, kw_only=True)
class SliceParams:
    """Of a pixel's ``words`` beats of ``lanes`` elements, those from ``start`` to ``stop`` - 1."""

    kind: IntType
    lanes: int
    words: int
    start: int
    stop: int

    def __post_init__(self):
        if self.lanes < 1:
            raise ValueError(f"lanes must be at least 1, not {self.lanes!r}")
        if not 0 <= self.start < self.stop <= self.words:
            limits = (self.start, self.stop)
            raise ValueError(f"start and stop must be rising, up to {self.words}, not {limits!r}")

    def create(self) -> "Slice":
        """The hardware."""
        return Slice(self)

    def timing(self) -> Timing:
        """Cycle model."""
        kept = range(self.start, self.stop)
        return passing(Pass.BOTH if n in kept else Pass.TAKE for n in range(self.words))


class Slice(StreamComponent):
    """Beats inside the slice pass through; the others are taken at once and dropped.

    One beat in per cycle, latency 0; valid, payload and ready are combinational.

    Members: i, o : streams of ArrayLayout(kind, lanes)
    """

    def __init__(self, params: SliceParams):
        self._params = params
        layout = layout_of(params.kind, params.lanes)
        super().__init__(layout, layout)

    def elaborate(self, platform):
        m = Module()
        params = self._params
        word = Signal(range(params.words))
        kept = (word >= params.start) & (word < params.stop)
        m.d.comb += [
            self.o.payload.eq(self.i.payload),
            self.o.valid.eq(self.i.valid & kept),
            self.i.ready.eq(self.o.ready | ~kept),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += word.eq(Mux(word == params.words - 1, 0, word + 1))
        return m
