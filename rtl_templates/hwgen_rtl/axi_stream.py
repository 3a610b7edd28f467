"""AXI4-Stream to the beats of a design and back."""

from typing import Any

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen_rtl.axi_bus import AxiStream, stream_bits
from hwgen_rtl.every import Every

__all__ = ["AxiStreamInput", "AxiStreamOutput"]


class AxiStreamInput(wiring.Component):
    """Beats of images: the lowest ``bits`` of each transfer, without a register between.

    Images are told apart by counting. A packet may hold several images, so a TLAST belongs to the
    last beat of an image and is not needed; elsewhere it is reported, and the beat counts.

    Parameters:
        bits, beats : of the payload, per image

    Members:
        axis      : In(AxiStream)
        o         : Out(stream of bits)
        reset     : In(1), nothing moves, and the next beat is the first of an image
        last      : Out(1), the last beat of an image moves
        misplaced : Out(1), a beat with a TLAST moves that is none
    """

    axis: Any
    o: stream.Interface
    reset: Signal
    last: Signal
    misplaced: Signal

    def __init__(self, *, bits: int, beats: int):
        self._beats = beats
        ports = {"axis": In(AxiStream(stream_bits(bits))), "o": Out(stream.Signature(bits))}
        super().__init__(ports | {"reset": In(1), "last": Out(1), "misplaced": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.image = image = ResetInserter(self.reset)(Every(self._beats))
        m.d.comb += [
            self.o.payload.eq(self.axis.tdata),
            self.o.valid.eq(self.axis.tvalid & ~self.reset),
            self.axis.tready.eq(self.o.ready & ~self.reset),
            image.event.eq(self.o.valid & self.o.ready),
            self.last.eq(image.last),
            self.misplaced.eq(image.event & self.axis.tlast & ~image.due),
        ]
        return m


class AxiStreamOutput(wiring.Component):
    """Results, 0 above a beat's bits, with TLAST on the last beat of an image; one cycle later.

    A transfer that was offered stays so during ``reset``, since AXI4-Stream has no way to take it
    back.

    Parameters:
        bits, beats : of the payload, per image

    Members:
        i     : In(stream of bits)
        axis  : Out(AxiStream)
        reset : In(1), nothing is taken, and the next beat is the first of an image
        last  : Out(1), the last beat of an image is taken
    """

    i: stream.Interface
    axis: Any
    reset: Signal
    last: Signal

    def __init__(self, *, bits: int, beats: int):
        self._beats = beats
        ports = {"i": In(stream.Signature(bits)), "axis": Out(AxiStream(stream_bits(bits)))}
        super().__init__(ports | {"reset": In(1), "last": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.image = image = ResetInserter(self.reset)(Every(self._beats))
        axis = self.axis
        m.d.comb += [
            self.i.ready.eq((~axis.tvalid | axis.tready) & ~self.reset),
            image.event.eq(self.i.valid & self.i.ready),
            self.last.eq(image.last),
        ]
        with m.If(image.event):
            m.d.sync += [
                axis.tvalid.eq(1),
                axis.tdata.eq(self.i.payload),
                axis.tlast.eq(image.due),
            ]
        with m.Elif(axis.tready):
            m.d.sync += axis.tvalid.eq(0)
        return m
