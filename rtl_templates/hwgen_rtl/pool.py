"""Reduces each window of a channel word to one word: maximum or sum."""

from dataclasses import dataclass

from amaranth.hdl import Module, Mux
from numpy.typing import NDArray

from hwgen_rtl.datapath import Datapath
from hwgen_rtl.numerics import IntType
from hwgen_rtl.shapes import layout_of

__all__ = ["PoolParams", "WindowReduce"]


@dataclass(frozen=True, kw_only=True)
class PoolParams:
    """``operation`` (``max`` or ``sum``) over ``beats`` words of ``lanes`` elements.

    ``kind`` is the type of an element, ``result`` that of a maximum or sum.
    """

    operation: str
    kind: IntType
    result: IntType
    lanes: int
    beats: int

    latency = 1

    def __post_init__(self):
        if self.operation not in ("max", "sum"):
            raise ValueError(f"operation must be 'max' or 'sum', not {self.operation!r}")

    def compute(self, taps: NDArray) -> NDArray:
        """(P, beats, lanes) to (P, lanes)."""
        return taps.max(axis=1) if self.operation == "max" else taps.sum(axis=1)

    def create(self) -> "WindowReduce":
        """The hardware."""
        return WindowReduce(self)


class WindowReduce(Datapath):
    """o[l] = max or sum of taps[l] over the beats of a job, one cycle after its last beat.

    One beat per cycle. Fixed rate: it stalls with the window buffer as one pipeline.

    Members:
        taps : In(ArrayLayout(kind, lanes));   valid, first, last : In(1)
        o    : Out(ArrayLayout(result, lanes)); done : Out(1)
    """

    def __init__(self, params: PoolParams):
        self._params = params
        super().__init__(
            layout_of(params.kind, params.lanes), layout_of(params.result, params.lanes)
        )

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.done.eq(self.valid & self.last)
        with m.If(self.valid):
            for lane in range(self._params.lanes):
                held = self.o[lane]
                m.d.sync += held.eq(self._next(held, self.taps[lane]))
        return m

    def _next(self, held, tap):
        if self._params.operation == "sum":
            return Mux(self.first, 0, held) + tap
        return Mux(self.first | (tap > held), tap, held)
