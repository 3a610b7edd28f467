"""Serial port: one start bit, eight data bits, no parity, one stop bit."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["Uart", "UartParams"]

_SHORTEST = 4  # cycles per bit; the synchronizer alone shifts the middle of a bit by two


@dataclass(frozen=True)
class UartParams:
    """A bit lasts ``divisor`` clock cycles: clock frequency over baud rate, rounded."""

    divisor: int

    def __post_init__(self):
        if self.divisor < _SHORTEST:
            raise ValueError(f"divisor must be at least {_SHORTEST}, not {self.divisor!r}")

    def create(self) -> "Uart":
        """The hardware."""
        return Uart(self)


class Uart(wiring.Component):
    """Bytes to and from two pins, both of which rest at 1; least significant bit first.

    A byte takes 10 bits. ``rx`` offers it in the middle of its stop bit and ``tx`` takes the next
    one at the end of its own. A byte that arrives while the one before waits is lost; one whose
    stop bit is 0 is dropped, and reception goes on when the line rests again.

    Members:
        rx_pin : In(1), asynchronous
        tx_pin : Out(1)
        rx     : Out(stream of 8 bits), bytes that arrived
        tx     : In(stream of 8 bits), bytes to send
    """

    rx_pin: Signal
    tx_pin: Signal
    rx: stream.Interface
    tx: stream.Interface

    def __init__(self, params: UartParams):
        self._params = params
        super().__init__(
            {
                "rx_pin": In(1),
                "tx_pin": Out(1),
                "rx": Out(stream.Signature(8)),
                "tx": In(stream.Signature(8)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx_pin, line, init=1)
        m.submodules.receive = receive = _Receive(self._params.divisor)
        m.submodules.send = send = _Send(self._params.divisor)
        m.d.comb += [receive.line.eq(line), self.tx_pin.eq(send.line)]
        wiring.connect(m, wiring.flipped(self.rx), receive.o)
        wiring.connect(m, wiring.flipped(self.tx), send.i)
        return m


class _Receive(wiring.Component):
    line: Signal
    o: stream.Interface

    def __init__(self, divisor: int):
        self._divisor = divisor
        super().__init__({"line": In(1), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        bits = Signal(8)
        left = Signal(range(9))
        timer = Signal(range(self._divisor))
        sampled = timer == 0
        m.d.sync += timer.eq(timer - 1)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        # All samples are whole bits from the middle of the start bit on.
        with m.FSM(init="Rest"):
            with m.State("Rest"):
                m.d.sync += timer.eq(self._divisor // 2 - 1)
                with m.If(~self.line):
                    m.next = "Start"
            with m.State("Start"), m.If(sampled):
                m.d.sync += [timer.eq(self._divisor - 1), left.eq(8)]
                with m.If(self.line):  # a spike, not a start bit
                    m.next = "Rest"
                with m.Else():
                    m.next = "Data"
            with m.State("Data"), m.If(sampled):
                m.d.sync += timer.eq(self._divisor - 1)
                with m.If((left == 0) & self.line):
                    m.next = "Rest"
                    with m.If(~self.o.valid | self.o.ready):
                        m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(bits)]
                with m.Elif(left == 0):
                    m.next = "Break"
                with m.Else():
                    m.d.sync += [bits.eq(Cat(bits[1:], self.line)), left.eq(left - 1)]
            with m.State("Break"), m.If(self.line):
                m.next = "Rest"
        return m


class _Send(wiring.Component):
    line: Signal
    i: stream.Interface

    def __init__(self, divisor: int):
        self._divisor = divisor
        super().__init__({"line": Out(1), "i": In(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        bits = Signal(10, init=-1)  # the lowest one is on the line
        left = Signal(range(11))
        timer = Signal(range(self._divisor))
        m.d.comb += [self.line.eq(bits[0]), self.i.ready.eq(left == 0)]
        m.d.sync += timer.eq(timer - 1)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                bits.eq(Cat(Const(0, 1), self.i.payload, Const(1, 1))),
                timer.eq(self._divisor - 1),
                left.eq(10),
            ]
        with m.Elif((timer == 0) & (left != 0)):
            m.d.sync += [
                bits.eq(Cat(bits[1:], Const(1, 1))),
                timer.eq(self._divisor - 1),
                left.eq(left - 1),
            ]
        return m
