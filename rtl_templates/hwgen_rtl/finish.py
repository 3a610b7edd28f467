"""From the sums of an array to the results of its layer."""

from dataclasses import dataclass

from amaranth.hdl import Module, Signal
from numpy.typing import NDArray

from hwgen_rtl.array import ArrayParams, sums_layout
from hwgen_rtl.banks import fetch_cycles, fetched
from hwgen_rtl.cycles import Timing, pipelining
from hwgen_rtl.pipelined import FixedRate, Pipelined
from hwgen_rtl.shapes import layout_of

__all__ = ["FinishParams"]


@dataclass(frozen=True, kw_only=True)
class FinishParams:
    """Results of ``array``, ``lanes`` of them a beat."""

    array: ArrayParams
    lanes: int

    @property
    def depth(self) -> int:
        """Beats of a pixel, each with a constant of its own."""
        return self.array.folds * self.array.pe // self.lanes

    @property
    def fetch(self) -> int:
        """Cycles to read constants."""
        return fetch_cycles(self.depth)

    @property
    def latency(self) -> int:
        """Cycles from a sum to its result: fetch, add what is shared, add the sum."""
        return self.fetch + (self.array.lanes.shared is not None) + 1

    def create(self, weights: NDArray, bias: NDArray) -> Pipelined:
        """The hardware; weights (channels, taps) as those of the array, bias (channels,)."""
        channels = self.array.folds * self.array.pe
        if bias.shape != (channels,):
            raise ValueError(f"bias must be shaped {(channels,)}, not {bias.shape!r}")
        constants = bias + self.array.lanes.correction(weights)
        return Pipelined(_Finish(self, constants), self.latency)

    def timing(self) -> Timing:
        """Cycle model."""
        return pipelining(self.latency)


class _Finish(FixedRate):
    """o = bias + correction + factor * (sum - share/2), ``lanes`` channels per beat.

    Members: i : In(sums_layout(array, lanes)); valid : In(1); o : Out(ArrayLayout(acc, lanes))
    """

    def __init__(self, params: FinishParams, constants: NDArray):
        self._params, self._constants = params, constants
        array = params.array
        super().__init__(sums_layout(array, params.lanes), layout_of(array.acc, params.lanes))

    def elaborate(self, platform):
        m = Module()
        params, array = self._params, self._params.array
        rows = self._constants.reshape(params.depth, params.lanes)
        word = fetched(m, "constants", rows, array.acc.bits, self.valid)
        sums = self._delayed(m, self.i.sums, params.latency - 1, "sums")
        bases = [word.word_select(n, array.acc.bits) for n in range(params.lanes)]
        if array.lanes.shared is not None:
            share = self._delayed(m, self.i.share, params.fetch, "share")
            bases = [self._based(m, base, share, n) for n, base in enumerate(bases)]
        for n, base in enumerate(bases):
            m.d.sync += self.o[n].eq(_scaled(base, sums[n], array.lanes.factor))
        return m

    def _based(self, m: Module, constant, share, n: int) -> Signal:
        base = Signal(self._params.array.acc.bits, name=f"base{n}", reset_less=True)
        m.d.sync += base.eq(_scaled(constant, share, -self._params.array.lanes.factor // 2))
        return base

    def _delayed(self, m: Module, value, cycles: int, name: str):
        for cycle in range(cycles):
            later = Signal(value.shape(), name=f"{name}{cycle}", reset_less=True)
            m.d.sync += later.eq(value)
            value = later
        return value


def _scaled(base, value, factor: int):
    """base + factor * value for factors of which the size is 1 or 2: no multiplier."""
    doubled = value << (abs(factor) - 1)
    return base + doubled if factor > 0 else base - doubled
