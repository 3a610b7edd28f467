"""Answers of a host link: a header, and bytes from one of several places."""

from typing import Any

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen_rtl.link_frames import FrameSender
from hwgen_rtl.link_protocol import DONE, HEADER_BYTES, READ_LIMIT, REFUSED

__all__ = ["AnswerSender", "Source"]


class Source(enum.Enum, shape=2):
    """Where the bytes behind the header come from."""

    IDENTITY = 0
    STATUS = 1
    COUNTERS = 2
    OUTPUT = 3


class AnswerSender(wiring.Component):
    """Sends one frame for each ``start``: the header, changed in its first byte, then the payload.

    Members:
        start   : In(1), only when ``busy`` is 0
        refused : In(1), with ``start``
        source  : In(Source), with ``start``
        length  : In(range(READ_LIMIT + 1)), payload bytes, with ``start``
        request : In(8 * HEADER_BYTES), header of the request, steady while ``busy``
        bytes   : In(8) for each Source: its byte number ``index``, up to two cycles late
        busy    : Out(1), header or payload have not all been taken
        index   : Out(range(READ_LIMIT + 1))
        next    : Out(1), a byte of Source.OUTPUT is taken
        tx      : Out(stream of 8 bits)
    """

    start: Signal
    refused: Signal
    source: Any
    length: Signal
    request: Signal
    bytes: Any
    busy: Signal
    index: Signal
    next: Signal
    tx: stream.Interface

    def __init__(self):
        short = range(READ_LIMIT + 1)
        ports = {"start": In(1), "refused": In(1), "source": In(Source), "length": In(short)}
        ports |= {"request": In(8 * HEADER_BYTES), "bytes": In(8).array(len(Source))}
        ports |= {"busy": Out(1), "index": Out(short), "next": Out(1)}
        super().__init__(ports | {"tx": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.sender = sender = FrameSender()
        wiring.connect(m, wiring.flipped(self.tx), sender.tx)
        refused, source = Signal(), Signal(Source)
        header = Signal(range(HEADER_BYTES + 1))  # bytes of it that are left
        left = Signal.like(self.length)
        kind = self.request[:8] | Mux(refused, REFUSED, DONE)
        # The sender takes a byte every 9 cycles at most, which hides the latency of memories.
        taken = sender.i.valid & sender.i.ready
        m.d.comb += [
            self.busy.eq((header != 0) | (left != 0)),
            sender.i.valid.eq(self.busy),
            sender.i.p.last.eq(header + left == 1),
            sender.i.p.data.eq(Array(self.bytes)[source.as_value()]),
        ]
        for place, byte in ((3, kind), (2, self.request[8:16]), (1, self.request[16:])):
            with m.If(header == place):
                m.d.comb += sender.i.p.data.eq(byte)
        with m.If(self.start):
            m.d.sync += [
                refused.eq(self.refused),
                source.eq(self.source),
                left.eq(self.length),
                header.eq(HEADER_BYTES),
                self.index.eq(0),
            ]
        with m.Elif(taken & (header != 0)):
            m.d.sync += header.eq(header - 1)
        with m.Elif(taken):
            m.d.comb += self.next.eq(source == Source.OUTPUT)
            m.d.sync += [left.eq(left - 1), self.index.eq(self.index + 1)]
        return m
