"""First-in first-out queue between two streams."""

from dataclasses import dataclass

from amaranth.hdl import Module
from amaranth.lib.fifo import SyncFIFOBuffered

from hwgen_rtl.cycles import Timing, queueing
from hwgen_rtl.numerics import IntType
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.stream import StreamComponent

__all__ = ["Queue", "QueueParams"]


@dataclass(frozen=True, kw_only=True)
class QueueParams:
    """Room for ``depth`` beats of ``lanes`` elements of ``kind``."""

    kind: IntType
    lanes: int
    depth: int

    def __post_init__(self):
        if self.depth < 2:
            raise ValueError(f"depth must be at least 2, not {self.depth!r}")

    def create(self) -> "Queue":
        """The hardware."""
        return Queue(self)

    def timing(self) -> Timing:
        """Cycle model."""
        return queueing(self.depth)


class Queue(StreamComponent):
    """Beats leave in the order they came, two cycles later at the earliest.

    One beat per cycle. ``i.ready`` and ``o.valid`` are registers, so it also cuts long paths.

    Members: i, o : streams of ArrayLayout(kind, lanes)
    """

    def __init__(self, params: QueueParams):
        self._params = params
        layout = layout_of(params.kind, params.lanes)
        super().__init__(layout, layout)

    def elaborate(self, platform):
        m = Module()
        width = len(self.i.payload.as_value())
        m.submodules.fifo = fifo = SyncFIFOBuffered(width=width, depth=self._params.depth)
        m.d.comb += [
            self.i.ready.eq(fifo.w_rdy),
            fifo.w_en.eq(self.i.valid),
            fifo.w_data.eq(self.i.payload.as_value()),
            self.o.valid.eq(fifo.r_rdy),
            self.o.payload.as_value().eq(fifo.r_data),
            fifo.r_en.eq(self.o.ready),
        ]
        return m
