"""First-in first-out queue between two streams."""

from dataclasses import dataclass

from amaranth.hdl import Module
from amaranth.lib.fifo import SyncFIFOBuffered

from hwgen_rtl.cycles import Link, Process, Timeline
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

    def processes(self, i: Link, o: Link) -> list[Process]:
        """Cycle model: a memory of depth-1 beats, then the output register."""
        written, moved = Timeline(), Timeline()
        return [self._write(i, written, moved), self._read(i, o, written, moved)]

    def _write(self, i: Link, written: Timeline, moved: Timeline) -> Process:
        beat, ready, room = 0, 0, self.depth - 1
        while (offer := (yield from i.peek())) >= 0:
            if beat >= room:
                ready = max(ready, (yield from moved.reached(beat + 1 - room)) + 1)
            time = max(offer, ready)
            i.take(time)
            beat, ready = beat + 1, time + 1
            written.add(beat, time)

    def _read(self, i: Link, o: Link, written: Timeline, moved: Timeline) -> Process:
        beat, free = 0, 0
        while True:
            while len(written.totals) == beat:
                if i.closed and not i.waiting:
                    o.closed = True
                    return
                yield
            move = max(written.times[beat] + 1, free)
            moved.add(beat + 1, move)
            beat, free = beat + 1, (yield from o.put(move + 1))


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
