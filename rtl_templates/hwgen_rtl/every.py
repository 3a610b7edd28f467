"""Marks the last of a fixed number of events."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Every"]


class Every(wiring.Component):
    """``last`` is 1 with every ``count``-th event.

    Members:
        event : In(1)
        due   : Out(1), the next event is the last one of its ``count``
        last  : Out(1), ``event & due``
    """

    event: Signal
    due: Signal
    last: Signal

    def __init__(self, count: int):
        self._count = count
        super().__init__({"event": In(1), "due": Out(1), "last": Out(1)})

    def elaborate(self, platform):
        m = Module()
        left = Signal(range(self._count), init=self._count - 1)
        m.d.comb += [self.due.eq(left == 0), self.last.eq(self.event & self.due)]
        with m.If(self.event):
            m.d.sync += left.eq(Mux(self.due, self._count - 1, left - 1))
        return m
