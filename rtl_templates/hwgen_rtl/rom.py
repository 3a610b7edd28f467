"""A read-only memory that gives its words in order, again and again."""

from collections.abc import Sequence

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hwgen_rtl.storage import rom_style

__all__ = ["CyclicRom", "pack"]


def pack(values: NDArray, bits: int) -> list[int]:
    """Each row of integers as one word, element 0 in the least significant bits."""
    mask = (1 << bits) - 1
    words = []
    for row in values.reshape(len(values), -1).tolist():
        word = 0
        for value in reversed(row):
            word = word << bits | (value & mask)
        words.append(word)
    return words


class CyclicRom(wiring.Component):
    """Word 0, 1, ... of ``words``, then word 0 again: the next one stands a cycle after ``step``.

    One word per step, latency one cycle. Fixed rate: it has no handshake, since it is always
    inside a pipeline that stalls as a whole.

    Parameters:
        width : bits of a word
        words : contents
    Members:
        step : In(1)
        data : Out(width)
    """

    step: Signal
    data: Signal

    def __init__(self, width: int, words: Sequence[int]):
        if not words:
            raise ValueError("words must not be empty")
        self._words = list(words)
        super().__init__({"step": In(1), "data": Out(width)})

    def elaborate(self, platform):
        m = Module()
        depth, width = len(self._words), len(self.data)
        if depth == 1:
            m.d.comb += self.data.eq(self._words[0])
            return m
        m.submodules.memory = bank = memory.Memory(
            shape=unsigned(width), depth=depth, init=self._words, attrs=rom_style(depth)
        )
        port = bank.read_port()
        index = Signal(range(depth))
        m.d.comb += [port.addr.eq(index), port.en.eq(self.step), self.data.eq(port.data)]
        with m.If(self.step):
            m.d.sync += index.eq(Mux(index == depth - 1, 0, index + 1))
        return m
