"""A fixed-rate pipeline as a stream block."""

from abc import abstractmethod

from amaranth.hdl import EnableInserter, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen_rtl.stream import StreamComponent

__all__ = ["FixedRate", "Pipelined"]


class FixedRate(wiring.Component):
    """One beat per cycle, without handshake; ``o`` belongs to the beat some fixed cycles ago.

    Members:
        i     : In(i_layout)
        valid : In(1), i holds a beat
        o     : Out(o_layout)
    """

    i: data.View
    valid: Signal
    o: data.View

    def __init__(self, i_layout: data.Layout, o_layout: data.Layout):
        super().__init__({"i": In(i_layout), "valid": In(1), "o": Out(o_layout)})

    @abstractmethod
    def elaborate(self, platform) -> Module:
        """The logic; every pipeline has its own."""


class Pipelined(StreamComponent):
    """The beats of ``inner``, ``latency`` cycles later; all of it stands while the result waits.

    One beat per cycle. `hwgen_rtl.cycles.pipelining` is its cycle model.

    Members:
        i : In(stream of inner.i)
        o : Out(stream of inner.o)
    """

    def __init__(self, inner: FixedRate, latency: int):
        self._inner, self._latency = inner, latency
        super().__init__(inner.i.shape(), inner.o.shape())

    def elaborate(self, platform):
        m = Module()
        inner = self._inner
        valid = [Signal(name=f"valid{n}") for n in range(self._latency)]
        enable = ~valid[-1] | self.o.ready
        m.submodules.inner = EnableInserter(enable)(inner)
        with m.If(enable):
            m.d.sync += [
                now.eq(before)
                for now, before in zip(valid, [self.i.valid, *valid[:-1]], strict=True)
            ]
        m.d.comb += [
            inner.i.eq(self.i.payload),
            inner.valid.eq(self.i.valid),
            self.i.ready.eq(enable),
            self.o.valid.eq(valid[-1]),
            self.o.payload.eq(inner.o),
        ]
        return m
