"""Byte queues one end of which can take back what it did: what makes a frame happen once or not.

Pointers count modulo twice the depth, so that a full queue differs from an empty one.
"""

from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

__all__ = ["InputControl", "InputQueue", "OutputControl", "OutputQueue"]


def _memory(m: Module, depth: int, address: Value, write: Value, byte: Value, read: Value):
    """Block RAM of ``depth`` bytes; gives the byte at ``read``, one cycle later."""
    m.submodules.memory = ram = Memory(shape=8, depth=depth, init=[])
    writer, reader = ram.write_port(), ram.read_port()
    m.d.comb += [
        writer.addr.eq(address),
        writer.data.eq(byte),
        writer.en.eq(write),
        reader.addr.eq(read),
    ]
    return reader.data


class InputControl(wiring.Signature):
    """What is written into an `InputQueue`, as seen by the writer.

    Members:
        byte       : Out(8), written when ``write`` is 1
        write      : Out(1)
        commit     : Out(1), keep what was written
        retract    : Out(1), forget what was written since the last ``commit`` or ``retract``
        overflowed : In(1), since then a byte found no room
    """

    def __init__(self):
        ports = {"byte": Out(8), "write": Out(1), "commit": Out(1), "retract": Out(1)}
        super().__init__(ports | {"overflowed": In(1)})


class OutputControl(wiring.Signature):
    """What is read from an `OutputQueue`, as seen by the reader.

    Members:
        byte    : In(8), the next one, two cycles after a change of position
        next    : Out(1), go on to the byte behind
        release : Out(1), forget the bytes that were read
        rewind  : Out(1), go back to the first byte that is not forgotten
        waiting : In(range(depth + 1)), bytes not yet read
        held    : In(range(depth + 1)), bytes read and not forgotten
    """

    def __init__(self, depth: int):
        level = range(depth + 1)
        ports = {"byte": In(8), "next": Out(1), "release": Out(1), "rewind": Out(1)}
        super().__init__(ports | {"waiting": In(level), "held": In(level)})


class InputQueue(wiring.Component):
    """Bytes that leave only after ``commit``; ``retract`` forgets those written since the last one.

    A byte leaves every two cycles.

    Parameters:
        depth : bytes, a power of two
        extra : bytes at the end of what is committed that are forgotten all the same

    Members:
        control : In(InputControl)
        o       : Out(stream of 8 bits)
    """

    control: Any
    o: stream.Interface

    def __init__(self, *, depth: int, extra: int):
        self._extra = extra
        self._address = exact_log2(depth)
        super().__init__(
            {"control": In(InputControl()), "o": Out(stream.Signature(8))},
        )

    def elaborate(self, platform):
        m = Module()
        control, bits = self.control, self._address
        written, kept, read = (Signal(bits + 1, name=name) for name in ("written", "kept", "read"))
        fetched = Signal()
        full = (written ^ read) == 1 << bits
        write = Signal()
        m.d.comb += [
            write.eq(control.write & ~full),
            self.o.payload.eq(
                _memory(m, 1 << bits, written[:bits], write, control.byte, read[:bits])
            ),
            self.o.valid.eq(fetched),
        ]
        m.d.sync += fetched.eq((read != kept) & ~(self.o.valid & self.o.ready))
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += read.eq(read + 1)
        with m.If(write):
            m.d.sync += written.eq(written + 1)
        with m.If(control.write & full):
            m.d.sync += control.overflowed.eq(1)
        with m.If(control.commit):
            end = (written - self._extra)[: bits + 1]
            m.d.sync += [kept.eq(end), written.eq(end), control.overflowed.eq(0)]
        with m.If(control.retract):
            m.d.sync += [written.eq(kept), control.overflowed.eq(0)]
        return m


class OutputQueue(wiring.Component):
    """Bytes that keep their room until ``release``; ``rewind`` offers those read since again.

    Parameters:
        depth : bytes, a power of two

    Members:
        i       : In(stream of 8 bits)
        control : In(OutputControl)
    """

    control: Any
    i: stream.Interface

    def __init__(self, *, depth: int):
        self._address = exact_log2(depth)
        super().__init__(
            {"i": In(stream.Signature(8)), "control": In(OutputControl(depth))},
        )

    def elaborate(self, platform):
        m = Module()
        control, bits = self.control, self._address
        names = ("written", "read", "released")
        written, read, released = (Signal(bits + 1, name=name) for name in names)
        write = Signal()
        m.d.comb += [
            self.i.ready.eq((written ^ released) != 1 << bits),
            write.eq(self.i.valid & self.i.ready),
            control.byte.eq(
                _memory(m, 1 << bits, written[:bits], write, self.i.payload, read[:bits])
            ),
            control.waiting.eq(written - read),
            control.held.eq(read - released),
        ]
        with m.If(write):
            m.d.sync += written.eq(written + 1)
        with m.If(control.next):
            m.d.sync += read.eq(read + 1)
        with m.If(control.rewind):
            m.d.sync += read.eq(released)
        with m.If(control.release):
            m.d.sync += released.eq(read)
        return m
