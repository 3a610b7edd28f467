"""Index of the largest element of a vector."""

from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal
from numpy.typing import NDArray

from hwgen_rtl.cycles import Timing, pipelining
from hwgen_rtl.numerics import IntType
from hwgen_rtl.shapes import layout_of, shape_of
from hwgen_rtl.stream import StreamComponent

__all__ = ["Argmax", "ArgmaxParams"]


@dataclass(frozen=True, kw_only=True)
class ArgmaxParams:
    """Vectors of ``length`` elements of ``kind``; the index has type ``index``."""

    length: int
    kind: IntType
    index: IntType

    LATENCY = 1

    def __post_init__(self):
        if not 1 <= self.length <= self.index.high + 1:
            raise ValueError(f"length must be 1 to {self.index.high + 1}, not {self.length!r}")

    def compute(self, x: NDArray) -> NDArray:
        """(P, length) to (P,): the first index among equals."""
        return x.argmax(axis=1)

    def create(self) -> "Argmax":
        """The hardware."""
        return Argmax(self)

    def timing(self) -> Timing:
        """Cycle model."""
        return pipelining(self.LATENCY, (n == self.length - 1 for n in range(self.length)))


class Argmax(StreamComponent):
    """o = argmax of ``length`` consecutive elements, one cycle after the last of them.

    One element per cycle.

    Members:
        i : In(stream of ArrayLayout(kind, 1))
        o : Out(stream of ArrayLayout(index, 1))
    """

    def __init__(self, params: ArgmaxParams):
        self._params = params
        super().__init__(layout_of(params.kind, 1), layout_of(params.index, 1))

    def elaborate(self, platform):
        m = Module()
        length = self._params.length
        element = self.i.payload[0]
        largest = Signal(shape_of(self._params.kind))
        index = Signal(range(length))
        enable = ~self.o.valid | self.o.ready
        wins = (index == 0) | (element > largest)
        m.d.comb += self.i.ready.eq(enable)
        with m.If(enable):
            m.d.sync += self.o.valid.eq(self.i.valid & (index == length - 1))
        with m.If(self.i.valid & enable):
            m.d.sync += index.eq(Mux(index == length - 1, 0, index + 1))
            with m.If(wins):
                m.d.sync += [largest.eq(element), self.o.payload[0].eq(index)]
        return m
