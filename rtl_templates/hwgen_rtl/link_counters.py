"""Counters of 64 bits for little logic: their bytes lie in memory and are added to one by one."""

from typing import Any

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

__all__ = ["Counters", "CountersControl", "counted_events"]

_BYTES = 8


def counted_events(given: stream.Interface, taken: stream.Interface, image: Value) -> Value:
    """What is counted around a design, in the order of `link_protocol.Counts`.

    Parameters:
        given : enters the design
        taken : leaves it
        image : 1 when the last result of an image leaves
    """
    return Cat(1, given.valid & ~given.ready, taken.valid & ~taken.ready, image)


class CountersControl(wiring.Signature):
    """How `Counters` are read, as seen by the reader.

    Members:
        wanted  : Out(1), copy all counts; stays 1 until ``done``
        done    : In(1), for one cycle; the copy is whole from the next one on
        address : Out(range(size)), of a byte of the copy: counter by counter, little endian
        byte    : In(8), one cycle after its address
    """

    def __init__(self, size: int):
        ports = {"wanted": Out(1), "done": In(1), "address": Out(range(size)), "byte": In(8)}
        super().__init__(ports)


class Counters(wiring.Component):
    """Counts cycles in which each event is 1, and shows all counts of one instant.

    A walk over all bytes takes 2 * 8 * events cycles and adds what happened during the walk
    before. ``wanted`` copies the counts as they were when the next walk began; a flip-flop for
    every bit and one for its copy would be more than the rest of the link together.

    Parameters:
        events : int, a power of two

    Members:
        events  : In(events)
        control : In(CountersControl)
    """

    events: Signal
    control: Any

    def __init__(self, events: int):
        self._events = events
        size = _BYTES * events
        super().__init__({"events": In(events), "control": In(CountersControl(size))})

    def elaborate(self, platform):
        m = Module()
        walk = 2 * _BYTES * self._events
        step = Signal(range(walk))
        slot, writing = step[1:], step[0]
        last, fresh, copying = Signal(), Signal(init=1), Signal()
        added = self._gather(m, last, walk)
        m.submodules.counts = counts = Memory(shape=8, depth=walk // 2, init=[])
        m.submodules.copy = copy = Memory(shape=8, depth=walk // 2, init=[])
        count, counted = counts.read_port(), counts.write_port()
        copied, shown = copy.write_port(), copy.read_port()

        carry, total = Signal(), Signal(9)
        first = slot[: exact_log2(_BYTES)] == 0
        m.d.comb += [
            last.eq(step == walk - 1),
            self.control.done.eq(copying & last),
            count.addr.eq(slot),
            # memory has no reset, so the first walk after one takes all bytes for 0
            total.eq(
                Mux(fresh, 0, count.data) + Mux(first, added[slot[exact_log2(_BYTES) :]], carry),
            ),
        ]
        for port, enable in ((counted, writing), (copied, writing & copying)):
            m.d.comb += [port.addr.eq(slot), port.data.eq(total[:8]), port.en.eq(enable)]
        m.d.comb += [shown.addr.eq(self.control.address), self.control.byte.eq(shown.data)]
        m.d.sync += step.eq(step + 1)
        with m.If(writing):
            m.d.sync += carry.eq(total[8])
        with m.If(last):
            m.d.sync += [fresh.eq(0), copying.eq(self.control.wanted & ~copying)]
        return m

    def _gather(self, m: Module, last: Signal, walk: int) -> Array:
        """How often each event happened in the last whole walk."""
        layout = data.ArrayLayout(range(walk + 1), self._events)
        pending, added = Signal(layout), Signal(layout)
        for k in range(self._events):
            m.d.sync += pending[k].eq(pending[k] + self.events[k])
            with m.If(last):
                m.d.sync += [added[k].eq(pending[k]), pending[k].eq(self.events[k])]
        return Array(added[k] for k in range(self._events))
