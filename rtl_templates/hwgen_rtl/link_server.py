"""What a host link does with a request, and what it answers."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen_rtl.link_answer import AnswerSender, Source
from hwgen_rtl.link_counters import CountersControl
from hwgen_rtl.link_frames import FrameReceiver
from hwgen_rtl.link_protocol import (
    CRC_BYTES,
    HEADER_BYTES,
    OUTPUT_BYTES,
    READ_LIMIT,
    Command,
    Counts,
    Identity,
    Status,
)
from hwgen_rtl.link_queues import InputControl, OutputControl

__all__ = ["LinkServer"]


class LinkServer(wiring.Component):
    """Takes requests one at a time, acts on them and answers.

    LOAD and READ act where their session is open and their number follows that of the last one
    that acted; with the same number once more they are only answered again; else refused.

    Parameters:
        identity : answer to IDENTIFY

    Members:
        rx, tx   : In and Out(streams of 8 bits)
        reset    : Out(1), for one cycle when a session begins
        inputs   : Out(InputControl)
        outputs  : Out(OutputControl)
        counters : Out(CountersControl)
    """

    rx: stream.Interface
    tx: stream.Interface
    reset: Signal
    inputs: Any
    outputs: Any
    counters: Any

    def __init__(self, identity: Identity):
        self._identity = identity
        byte = stream.Signature(8)
        ports = {"rx": In(byte), "tx": Out(byte), "reset": Out(1)}
        ports |= {"inputs": Out(InputControl())}
        ports |= {"outputs": Out(OutputControl(OUTPUT_BYTES))}
        super().__init__(ports | {"counters": Out(CountersControl(Counts.LAYOUT.size))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = FrameReceiver()
        m.submodules.answer = answer = AnswerSender()
        wiring.connect(m, wiring.flipped(self.rx), receiver.rx)
        wiring.connect(m, wiring.flipped(self.tx), answer.tx)
        request, whole = self._collect(m, receiver)
        command, session, number = (request.word_select(byte, 8) for byte in range(HEADER_BYTES))
        current, last, accepted = Signal(9), Signal(8), Signal()
        opened = current == Cat(session, 1)  # its highest bit says that there is one
        ahead = (number - last)[:8]
        follows = opened & (ahead == 1)
        known = opened & (ahead[1:] == 0)  # follows, or is repeated
        self._offer(m, answer, accepted)
        m.d.comb += answer.request.eq(request)
        m.d.sync += self.reset.eq(0)

        def reply(source: Source, length: int | Value) -> None:
            m.d.comb += [answer.start.eq(1), answer.source.eq(source), answer.length.eq(length)]

        def refuse() -> None:
            m.d.comb += [answer.start.eq(1), answer.refused.eq(1)]

        def advance() -> None:
            """The host has the answer before this one."""
            m.d.sync += last.eq(number)
            m.d.comb += self.outputs.release.eq(1)

        # Nothing of a payload is kept unless a LOAD says so.
        with m.FSM(init="Listen"):
            with m.State("Listen"), m.If(receiver.ended):
                m.d.comb += self.inputs.retract.eq(~whole)
                with m.If(whole):
                    m.next = "Act"
            with m.State("Act"):
                m.next = "Answer"
                m.d.comb += [receiver.hold.eq(1), self.inputs.retract.eq(1)]
                with m.Switch(command):
                    with m.Case(Command.IDENTIFY):
                        reply(Source.IDENTITY, Identity.LAYOUT.size)
                    with m.Case(Command.RESET):
                        m.d.sync += [self.reset.eq(1), current.eq(Cat(session, 1)), last.eq(number)]
                        reply(Source.OUTPUT, 0)
                    with m.Case(Command.COUNTERS):
                        m.next = "Count"
                    with m.Case(Command.LOAD):
                        with m.If(follows):
                            room = ~self.inputs.overflowed
                            m.d.comb += [self.inputs.commit.eq(room), self.inputs.retract.eq(~room)]
                            m.d.sync += accepted.eq(room)
                            advance()
                        with m.If(known):
                            reply(Source.STATUS, Status.LAYOUT.size)
                        with m.Else():
                            refuse()
                    with m.Case(Command.READ):
                        m.d.comb += self.outputs.rewind.eq(opened & (ahead == 0))
                        with m.If(follows):
                            advance()
                            reply(Source.OUTPUT, self._readable())
                        with m.Elif(known):
                            reply(Source.OUTPUT, self.outputs.held)
                        with m.Else():
                            refuse()
                    with m.Default():
                        refuse()
            with m.State("Count"):
                m.d.comb += [receiver.hold.eq(1), self.counters.wanted.eq(1)]
                with m.If(self.counters.done):
                    reply(Source.COUNTERS, Counts.LAYOUT.size)
                    m.next = "Answer"
            with m.State("Answer"):
                m.d.comb += receiver.hold.eq(1)
                with m.If(~answer.busy):
                    m.next = "Listen"
        return m

    def _collect(self, m: Module, receiver: FrameReceiver) -> tuple[Signal, Value]:
        """Give a frame's header and whether, at its end, it counts; the rest goes to ``inputs``."""
        request = Signal(8 * HEADER_BYTES)
        count = Signal(range(HEADER_BYTES + CRC_BYTES + 1))
        full = count == HEADER_BYTES + CRC_BYTES
        in_header = count < HEADER_BYTES
        m.d.comb += [
            self.inputs.byte.eq(receiver.byte),
            self.inputs.write.eq(receiver.taken & ~in_header),
        ]
        with m.If(receiver.ended):
            m.d.sync += count.eq(0)
        with m.If(receiver.taken):
            m.d.sync += count.eq(count + ~full)
            with m.If(in_header):
                m.d.sync += request.eq(Cat(request[8:], receiver.byte))
        return request, receiver.good & full

    def _offer(self, m: Module, answer: AnswerSender, accepted: Signal) -> None:
        """Everything an answer may carry."""
        constants = self._identity.to_bytes()
        identity = Const(int.from_bytes(constants, "little"), 8 * len(constants))
        status = Cat(accepted, Const(0, 7), self._readable())
        offered = {
            Source.IDENTITY: identity.word_select(answer.index, 8),
            Source.STATUS: status.word_select(answer.index[0], 8),
            Source.COUNTERS: self.counters.byte,
            Source.OUTPUT: self.outputs.byte,
        }
        m.d.comb += [answer.bytes[source.value].eq(byte) for source, byte in offered.items()]
        m.d.comb += [self.counters.address.eq(answer.index), self.outputs.next.eq(answer.next)]

    def _readable(self) -> Value:
        """Bytes that a READ gives now."""
        waiting = self.outputs.waiting
        bits = READ_LIMIT.bit_length()  # all ones, which makes the comparison cheap
        return Mux(waiting[bits:].any(), READ_LIMIT, waiting[:bits])
