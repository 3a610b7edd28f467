"""Depthwise convolution: every channel with a kernel of its own, ``lanes`` channels at a time."""

from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data
from numpy.typing import NDArray

from hwgen_rtl.banks import delayed_flags, fetch_cycles, fetched
from hwgen_rtl.datapath import Datapath
from hwgen_rtl.numerics import Interval, IntType
from hwgen_rtl.rom import CyclicRom, pack
from hwgen_rtl.shapes import layout_of, shape_of

__all__ = ["Depthwise", "DepthwiseParams"]


@dataclass(frozen=True, kw_only=True)
class DepthwiseParams:
    """One depthwise layer behind a window buffer with ``per_word``.

    Parameters:
        x, w  : types of taps and weights
        acc   : type of the result; must hold every result, intermediate sums may wrap
        lanes : channels per cycle
        beats : cycles per job, the kernel's rows times columns
        words : jobs per window; the layer has words*lanes channels
    """

    x: IntType
    w: IntType
    acc: IntType
    lanes: int
    beats: int
    words: int

    def __post_init__(self):
        for name in ("lanes", "beats", "words"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)!r}")
        for name in ("x", "w"):
            if getattr(self, name).bipolar:
                raise ValueError(f"{name} must be an integer type, not {getattr(self, name)}")

    @property
    def fetch(self) -> int:
        """Cycles to read weights."""
        return fetch_cycles(self.words * self.beats)

    @property
    def latency(self) -> int:
        """Cycles from a job's last taps to ``done``: fetch, multiply, accumulate."""
        return self.fetch + 2

    @property
    def lane(self) -> IntType:
        """Type of a product."""
        x, w = Interval.of(self.x), Interval.of(self.w)
        corners = [a * b for a in (x.low, x.high) for b in (w.low, w.high)]
        return Interval(min(corners), max(corners)).type()

    def compute(self, taps: NDArray, weights: NDArray, bias: NDArray) -> NDArray:
        """acc (P, C) from taps (P, beats, C), weights (C, beats) and bias (C,)."""
        return np.einsum("pkc,ck->pc", taps, weights) + bias

    def create(self, weights: NDArray, bias: NDArray) -> "Depthwise":
        """The hardware; weights (words*lanes, beats) as taps come, bias (words*lanes,)."""
        return Depthwise(self, weights, bias)


class Depthwise(Datapath):
    """o[l] = bias[c] + sum_k taps_k[l] * weights[c, k], where c is lane l of the job's word.

    One kernel tap of ``lanes`` channels per cycle; the result stands ``params.latency`` cycles
    after the last beat of a job, for one cycle. Jobs go through the words of a pixel in turn. Fixed
    rate: it stalls with the window buffer as one pipeline.

    Members:
        taps  : In(ArrayLayout(x, lanes));   valid, first, last : In(1)
        o     : Out(ArrayLayout(acc, lanes)); done : Out(1)
    """

    def __init__(self, params: DepthwiseParams, weights: NDArray, bias: NDArray):
        channels = params.words * params.lanes
        if weights.shape != (channels, params.beats):
            shape = (channels, params.beats)
            raise ValueError(f"weights must be shaped {shape}, not {weights.shape!r}")
        if bias.shape != (channels,):
            raise ValueError(f"bias must be shaped {(channels,)}, not {bias.shape!r}")
        if not params.w.holds(weights):
            raise ValueError(f"weights must fit {params.w}, not {weights.min()}..{weights.max()}")
        self._params, self._weights, self._bias = params, weights, bias
        super().__init__(layout_of(params.x, params.lanes), layout_of(params.acc, params.lanes))

    def elaborate(self, platform):
        m = Module()
        params = self._params
        flags = delayed_flags(m, self, params.latency)
        taps = self.taps
        for n in range(params.fetch):
            taps, before = Signal.like(self.taps, name=f"taps{n}"), taps
            m.d.sync += taps.eq(before)
        weights = self._weight_bank(m)
        at_product = params.fetch + 1
        _, valid, first, _ = flags[at_product]
        constants = self._constant_bank(m, flags[at_product - 1])
        for lane in range(params.lanes):
            product = Signal(shape_of(params.lane), name=f"product{lane}")
            held = self.o[lane]
            m.d.sync += product.eq(taps[lane] * weights[lane])
            with m.If(valid):
                m.d.sync += held.eq(Mux(first, constants[lane], held) + product)
        m.d.comb += self.done.eq(flags[params.latency].done)
        return m

    def _weight_bank(self, m: Module) -> data.View:
        params = self._params
        shape = (params.words, params.lanes, params.beats)
        rows = self._weights.reshape(shape).transpose(0, 2, 1).reshape(-1, params.lanes)
        word = fetched(m, "weights", rows, params.w.bits, self.valid)
        return data.View(layout_of(params.w, params.lanes), word)

    def _constant_bank(self, m: Module, before) -> data.View:
        params = self._params
        rows = self._bias.reshape(params.words, params.lanes)
        bits = params.acc.bits
        m.submodules.constants = bank = CyclicRom(params.lanes * bits, pack(rows, bits))
        m.d.comb += bank.step.eq(before.valid & before.first)
        return data.View(data.ArrayLayout(unsigned(bits), params.lanes), bank.data)
