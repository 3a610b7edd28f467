"""Counts the thresholds that a result reaches: batch norm and few-bit activation in one step."""

from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Module, Signal
from amaranth.lib import data
from numpy.typing import NDArray

from hwgen_rtl.banks import fetch_cycles, fetched
from hwgen_rtl.cycles import Timing, pipelining
from hwgen_rtl.numerics import IntType, threshold
from hwgen_rtl.pipelined import FixedRate, Pipelined
from hwgen_rtl.popcount import PopcountParams
from hwgen_rtl.shapes import layout_of, shape_of

__all__ = ["Threshold", "ThresholdParams"]


@dataclass(frozen=True, kw_only=True)
class ThresholdParams:
    """Widths of one threshold block.

    Parameters:
        acc, out   : types before and after; out is bipolar or unsigned
        thresholds : per channel; 1 where out is bipolar, at most out.high otherwise
        lanes      : channels per beat
        channels   : channels of the tensor; beats take them in turn
    """

    acc: IntType
    out: IntType
    thresholds: int
    lanes: int
    channels: int

    def __post_init__(self):
        if self.acc.bipolar or self.acc.bits > 60:
            raise ValueError(f"acc must be an integer type of at most 60 bits, not {self.acc}")
        if self.out.signed and not self.out.bipolar:
            raise ValueError(f"out must be bipolar or unsigned, not {self.out}")
        if not 1 <= self.thresholds <= self.out.high:
            raise ValueError(f"thresholds must be 1 to {self.out.high}, not {self.thresholds!r}")
        if self.lanes < 1 or self.channels % self.lanes:
            raise ValueError(f"lanes must divide the {self.channels} channels, not {self.lanes!r}")

    @property
    def cut_bits(self) -> int:
        """Bits of one threshold in memory: the constant to compare with, and a flip."""
        return self.acc.bits + 1

    @property
    def count(self) -> PopcountParams:
        """What counts the thresholds reached."""
        return PopcountParams(self.thresholds)

    @property
    def fetch(self) -> int:
        """Cycles to read the constants."""
        return fetch_cycles(self.channels // self.lanes)

    @property
    def latency(self) -> int:
        """Cycles from a beat to its result: fetch, compare, count."""
        return self.fetch + 1 + self.count.latency

    def compute(self, acc: NDArray, thresholds: NDArray, direction: NDArray) -> NDArray:
        """q (P, channels) from acc (P, channels)."""
        return threshold(acc, thresholds, direction, self.out)

    def create(self, thresholds: NDArray, direction: NDArray) -> "Threshold":
        """The hardware; thresholds (channels, thresholds), direction (channels,) of +1 and -1."""
        return Threshold(self, thresholds, direction)

    def timing(self) -> Timing:
        """Cycle model."""
        return pipelining(self.latency)


class Threshold(Pipelined):
    """n = #{t: direction[c]*x >= thresholds[c, t]}, ``lanes`` channels per beat.

    The result is n for unsigned types and 2n - 1, that is the bit n, for bipolar ones. One beat per
    cycle, ``params.latency`` cycles later. Thresholds need no order; those beyond the range of acc
    are always or never reached. FINN's multi-threshold, arXiv 1612.07119.

    Members:
        i : In(stream of ArrayLayout(acc, lanes))
        o : Out(stream of ArrayLayout(out, lanes))
    """

    def __init__(self, params: ThresholdParams, thresholds: NDArray, direction: NDArray):
        shape = (params.channels, params.thresholds)
        if thresholds.shape != shape:
            raise ValueError(f"thresholds must be shaped {shape}, not {thresholds.shape!r}")
        if direction.shape != shape[:1]:
            raise ValueError(f"direction must be shaped {shape[:1]}, not {direction.shape!r}")
        if not np.all(np.abs(direction) == 1):
            raise ValueError(f"direction must be +1 and -1, not {sorted(set(direction.tolist()))}")
        cuts, flips = _cuts(params.acc, thresholds, direction)
        codes = cuts & ((1 << params.acc.bits) - 1) | flips << params.acc.bits
        super().__init__(_Comparators(params, codes), params.latency)


def _cuts(kind: IntType, thresholds: NDArray, direction: NDArray) -> tuple[NDArray, NDArray]:
    """Constants such that a threshold is reached where (x > cut) differs from flip.

    x >= t is x > t - 1, and -x >= t is not x > -t. A cut below all x says always: then nothing is
    above the highest x, and flip says the opposite.
    """
    beyond = 1 << kind.bits
    near = np.clip(thresholds.astype(np.int64), -beyond, beyond)
    rising = direction[:, None] > 0
    cuts = np.where(rising, near - 1, -near)
    always_above = cuts < kind.low
    flips = always_above ^ ~rising
    return np.where(always_above, kind.high, np.minimum(cuts, kind.high)), flips.astype(np.int64)


class _Comparators(FixedRate):
    """The constants, the comparisons and the counts, ``params.latency`` cycles long."""

    def __init__(self, params: ThresholdParams, codes: NDArray):
        self._params, self._codes = params, codes
        super().__init__(layout_of(params.acc, params.lanes), layout_of(params.out, params.lanes))

    def elaborate(self, platform):
        m = Module()
        params = self._params
        rows = self._codes.reshape(-1, params.lanes * params.thresholds)
        cut = data.StructLayout({"value": shape_of(params.acc), "flip": 1})
        layout = data.ArrayLayout(data.ArrayLayout(cut, params.thresholds), params.lanes)
        cuts = data.View(layout, fetched(m, "cuts", rows, params.cut_bits, self.valid))
        x = self.i
        for n in range(params.fetch):
            x, before = Signal.like(self.i, name=f"x{n}"), x
            m.d.sync += x.eq(before)
        for lane in range(params.lanes):
            m.submodules[f"count{lane}"] = count = params.count.create()
            reached = Signal(params.thresholds, name=f"reached{lane}")
            for t in range(params.thresholds):
                above = x[lane] > cuts[lane][t].value
                m.d.sync += reached[t].eq(above ^ cuts[lane][t].flip)
            m.d.comb += [count.i.eq(reached), self.o[lane].eq(count.o)]
        return m
