"""Words of counters whose copy lies in memory, byte by byte."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hwgen_rtl.axi_bus import WORD_BITS
from hwgen_rtl.axi_registers import COUNTERS

__all__ = ["COUNTED", "CounterWords"]

COUNTED = 1 << ceil_log2(len(COUNTERS))
"""Places for counters, those of `COUNTERS` first."""

_BYTES = WORD_BITS // 8


class CounterWords(wiring.Component):
    """Puts a word of the copied counts together, byte by byte, in 6 cycles.

    Members:
        read    : In(1), stays 1 until ``done``
        address : In(range(8 * COUNTED)), of a byte of the word, steady while ``read``
        done    : Out(1), ``word`` holds
        word    : Out(32)
        place   : Out(range(8 * COUNTED)), of a byte
        byte    : In(8), one cycle after its place
    """

    read: Signal
    address: Signal
    done: Signal
    word: Signal
    place: Signal
    byte: Signal

    def __init__(self):
        place = range(8 * COUNTED)
        ports = {"read": In(1), "address": In(place), "done": Out(1), "word": Out(WORD_BITS)}
        super().__init__(ports | {"place": Out(place), "byte": In(8)})

    def elaborate(self, platform):
        m = Module()
        step = Signal(range(_BYTES + 2))
        m.d.comb += [
            self.place.eq(Cat(step[:2], self.address[2:])),
            self.done.eq(step == _BYTES + 1),
        ]
        with m.If(self.done | ~self.read):
            m.d.sync += step.eq(0)
        with m.Else():
            # a byte comes one cycle after its place
            m.d.sync += [step.eq(step + 1), self.word.eq(Cat(self.word[8:], self.byte))]
        return m
