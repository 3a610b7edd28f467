"""Bytes between flags, with a CRC: the frames of RFC 1662 on an asynchronous line."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from hwgen_rtl.link_protocol import CRC_BYTES, ESCAPE, FLAG, FLIP

__all__ = ["FRAME_BYTE", "FrameReceiver", "FrameSender"]

FRAME_BYTE = data.StructLayout({"data": 8, "last": 1})
"""A byte of a frame's content."""


class _SerialCrc(wiring.Component):
    """CRC-32 of the bytes since ``start``; a byte takes 8 cycles, in which ``busy`` is 1.

    One bit a cycle, as a byte in one cycle costs two and a half times the logic and lines are slow.

    Members:
        start : In(1), forget all bytes
        i     : In(8), taken when ``take`` is 1
        take  : In(1)
        busy  : Out(1)
        crc   : Out(32), of all bytes, unless busy
        match : Out(1), the last four bytes were the CRC of those before, unless busy
    """

    start: Signal
    i: Signal
    take: Signal
    busy: Signal
    crc: Signal
    match: Signal

    def __init__(self):
        ports = {"start": In(1), "i": In(8), "take": In(1)}
        super().__init__(ports | {"busy": Out(1), "crc": Out(32), "match": Out(1)})

    def elaborate(self, platform):
        m = Module()
        crc: Any = CRC32_ISO_HDLC(data_width=1).create()
        m.submodules.crc = crc
        bits = Signal(8)
        left = Signal(range(9))
        m.d.comb += [
            self.busy.eq(left != 0),
            self.crc.eq(crc.crc),
            self.match.eq(crc.match_detected),
            crc.start.eq(self.start),
            crc.data.eq(bits[0]),
            crc.valid.eq(self.busy),
        ]
        with m.If(self.take):
            m.d.sync += [bits.eq(self.i), left.eq(8)]
        with m.Elif(self.busy):
            m.d.sync += [bits.eq(bits[1:]), left.eq(left - 1)]
        return m


class FrameReceiver(wiring.Component):
    """Takes the bytes of a line and gives the content of its frames, CRC included.

    The content comes as it arrives, before its CRC: whoever uses it must be able to forget it.
    A content byte takes 9 cycles of the line, a flag or an escape one.

    Members:
        rx    : In(stream of 8 bits)
        hold  : In(1), leave the line alone
        byte  : Out(8), of the content, in cycles in which ``taken`` is 1
        taken : Out(1)
        ended : Out(1), a flag arrived
        good  : Out(1), with ``ended``: the frame's last four bytes are the CRC of all before
    """

    rx: stream.Interface
    hold: Signal
    byte: Signal
    taken: Signal
    ended: Signal
    good: Signal

    def __init__(self):
        ports = {"rx": In(stream.Signature(8)), "hold": In(1), "byte": Out(8)}
        super().__init__(ports | {"taken": Out(1), "ended": Out(1), "good": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = _SerialCrc()
        escaped = Signal()
        m.d.comb += [
            self.rx.ready.eq(~crc.busy & ~self.hold),
            self.byte.eq(self.rx.payload ^ (escaped << FLIP.bit_length() - 1)),
            # an escaped flag is how RFC 1662 gives a frame up
            self.good.eq(crc.match & ~escaped),
            crc.start.eq(self.ended),
            crc.i.eq(self.byte),
            crc.take.eq(self.taken),
        ]
        with m.If(self.rx.valid & self.rx.ready):
            m.d.sync += escaped.eq(0)
            with m.Switch(self.rx.payload):
                with m.Case(FLAG):
                    m.d.comb += self.ended.eq(1)
                with m.Case(ESCAPE):
                    m.d.sync += escaped.eq(1)
                with m.Default():
                    m.d.comb += self.taken.eq(1)
        return m


class FrameSender(wiring.Component):
    """Sends the bytes up to ``last`` as one frame: flag, content, CRC, flag.

    Members:
        i  : In(stream of FRAME_BYTE), at most one byte every 9 cycles
        tx : Out(stream of 8 bits)
    """

    i: stream.Interface
    tx: stream.Interface

    def __init__(self):
        super().__init__({"i": In(stream.Signature(FRAME_BYTE)), "tx": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = _SerialCrc()
        held = Signal(8)
        tail = Signal(range(CRC_BYTES + 1))  # bytes of the CRC that are sent or held
        ending = Signal()
        special = (held == FLAG) | (held == ESCAPE)
        m.d.comb += crc.i.eq(self.i.p.data)
        with m.FSM(init="Open"):
            with m.State("Open"):
                m.d.comb += [crc.start.eq(1), self.tx.valid.eq(self.i.valid)]
                m.d.comb += self.tx.payload.eq(FLAG)
                m.d.sync += [tail.eq(0), ending.eq(0)]
                with m.If(self.i.valid & self.tx.ready):
                    m.next = "Fetch"
            with m.State("Fetch"), m.If(~crc.busy):
                with m.If(ending):
                    m.d.sync += [held.eq(crc.crc.word_select(tail[:2], 8)), tail.eq(tail + 1)]
                    m.next = "Send"
                with m.Else():
                    m.d.comb += [self.i.ready.eq(1), crc.take.eq(self.i.valid)]
                    m.d.sync += [held.eq(self.i.p.data), ending.eq(self.i.p.last)]
                    with m.If(self.i.valid):
                        m.next = "Send"
            with m.State("Send"):
                m.d.comb += [self.tx.valid.eq(1), self.tx.payload.eq(held)]
                with m.If(special):
                    m.d.comb += self.tx.payload.eq(ESCAPE)
                with m.If(self.tx.ready & special):
                    m.d.sync += held.eq(held ^ FLIP)  # no longer special
                with m.Elif(self.tx.ready):
                    m.next = "Fetch"
                    with m.If(tail == CRC_BYTES):
                        m.next = "Close"
            with m.State("Close"):
                m.d.comb += [self.tx.valid.eq(1), self.tx.payload.eq(FLAG)]
                with m.If(self.tx.ready):
                    m.next = "Open"
        return m
