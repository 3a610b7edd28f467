"""Array of a Winograd adder layer: distances in the 4x4 domain and the output transform."""

from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hwgen_rtl.datapath import Datapath
from hwgen_rtl.lanes import AdderLanes
from hwgen_rtl.numerics import IntType, ceil_log2
from hwgen_rtl.rom import CyclicRom, pack
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.storage import rom_in_block
from hwgen_rtl.tree import AdderTree
from hwgen_rtl.winograd import OUTPUT_TRANSFORMS

__all__ = ["WinogradArray", "WinogradArrayParams"]

CORNERS = (0, 3, 12, 15)
"""Elements of M that reach one element of Y each: those of row and column 0 or 3."""


@dataclass(frozen=True, kw_only=True)
class WinogradArrayParams:
    """One array and the layer it computes.

    Parameters:
        v, w    : types of transformed pixels and of weights
        acc     : type of Y; must hold every result, intermediate sums may wrap
        lanes   : channels per cycle, 16 transformed pixels each
        pe      : output channels per cycle
        beats   : cycles per job; the layer has beats*lanes input channels
        folds   : jobs per tile; the layer has folds*pe output channels
        variant : index into winograd.OUTPUT_TRANSFORMS
    """

    v: IntType
    w: IntType
    acc: IntType
    lanes: int
    pe: int
    beats: int
    folds: int
    variant: int = 0

    def __post_init__(self):
        for name in ("lanes", "pe", "beats", "folds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)!r}")
        if self.variant not in range(len(OUTPUT_TRANSFORMS)):
            raise ValueError(f"variant must be 0 to 3, not {self.variant!r}")

    @property
    def latency(self) -> int:
        """Cycles from a job's last taps to ``done``: fetch, lane, tree, sums, combine."""
        return self.fetch + 1 + self.tree + TileSum.LATENCY + 1

    @property
    def fetch(self) -> int:
        """Cycles to read weights; block RAM is slow and gets a register behind it."""
        return 2 if rom_in_block(self.folds * self.beats) else 1

    @property
    def tree(self) -> int:
        """Cycles of an adder tree over the lanes."""
        return ceil_log2(self.lanes)

    @property
    def comparison(self) -> AdderLanes:
        """What compares a transformed pixel with a weight."""
        return AdderLanes(self.v, self.w)

    @property
    def lane(self) -> IntType:
        """Type of one lane, max(v - w, 0)."""
        return self.comparison.lane

    @property
    def half(self) -> int:
        """Bits of a sum of lanes, which is doubled at the end."""
        return max(1, self.acc.bits - 1)

    @property
    def output_transform(self) -> NDArray:
        """A', with a plus in the middle of each row: Y is the same for A and -A."""
        return OUTPUT_TRANSFORMS[self.variant % 2]

    def constants(self, sums: NDArray) -> tuple[NDArray, NDArray]:
        """A' sums A of (..., 4, 4) sums of weights: its halves, with the signs that the corners of
        M have there, and its lowest bits, (..., 4) each."""
        output = self.output_transform
        found = (output @ sums @ output.T).reshape(*sums.shape[:-2], 4)
        signs = np.kron(output, output)[range(4), CORNERS]
        return (found >> 1) * signs, found & 1

    def compute(self, v: NDArray, weights: NDArray) -> NDArray:
        """Y (P, O, 2, 2) from V (P, C, 4, 4) and weights (O, C, 4, 4)."""
        output = OUTPUT_TRANSFORMS[self.variant]
        sums = [-np.abs(kernel - v).sum(axis=1) for kernel in weights]
        return output @ np.stack(sums, axis=1) @ output.T

    def create(self, weights: NDArray) -> "WinogradArray":
        """The hardware; weights (folds*pe, beats*lanes, 4, 4)."""
        return WinogradArray(self, weights)


class WinogradArray(Datapath):
    """2x2 outputs of one tile at a time, ``pe`` channels per job.

        M[p] = -sum_c abs(weights[p, c] - V[c]);  o[p] = A' M[p] A      (arXiv 2105.05530)

    As -abs(v - w) is v - w - 2 max(v - w, 0), see lanes.AdderLanes, and A' M A is linear, this is
    A'(sum_c V[c])A - A'(sum_c w[p, c])A - 2 A'(sum_c max(V[c] - w[p, c], 0))A: one carry chain per
    lane, the first term shared by all processing elements, the second a constant.
    Additions only; sums wrap at the width of the result, which is exact because the result fits.

    One beat of ``lanes`` channels per cycle; the result stands ``params.latency`` cycles after the
    last beat of a job, for one cycle. Fixed rate: it stalls with the window buffer as one pipeline.

    Members:
        taps : In(ArrayLayout(v, 16*lanes)), element e of lane l at e*lanes + l
        o    : Out(ArrayLayout(acc, 4*pe)), pixel (u, v) of channel p at 4*p + 2*u + v
        valid, first, last : In(1); done : Out(1)
    """

    def __init__(self, params: WinogradArrayParams, weights: NDArray):
        shape = (params.folds * params.pe, params.beats * params.lanes, 4, 4)
        if weights.shape != shape:
            raise ValueError(f"weights must be shaped {shape}, not {weights.shape!r}")
        if not params.w.holds(weights):
            raise ValueError(f"weights must fit {params.w}, not {weights.min()}..{weights.max()}")
        self._params, self._weights = params, weights.astype(np.int64)
        super().__init__(
            layout_of(params.v, 16 * params.lanes), layout_of(params.acc, 4 * params.pe)
        )

    def elaborate(self, platform):
        m = Module()
        params = self._params
        at_sums = params.fetch + 1 + params.tree
        valid = _delayed(m, self.valid, at_sums, "valid")
        first = _delayed(m, self.first, at_sums, "first")
        done = _delayed(m, self.valid & self.last, params.latency, "done")
        taps = _delayed(m, self.taps, params.fetch, "taps")[-1]
        weights = self._weight_bank(m)
        starts, odd = self._constant_bank(m, valid[-2] & first[-2])
        odd = self._kept(m, odd, valid[-1] & first[-1])
        staged = Signal.like(self.taps)
        m.d.sync += staged.eq(taps)
        m.submodules.taps_sum = shared = TileSum(params, params.v, params.acc.bits)
        m.d.comb += [shared.i.eq(staged), shared.first.eq(first[-1]), shared.valid.eq(valid[-1])]
        for p in range(params.pe):
            m.submodules[f"pe{p}"] = element = ProcessingElement(params)
            m.d.comb += [
                element.taps.eq(taps),
                element.weights.eq(weights[p]),
                element.start.eq(starts[p]),
                element.first.eq(first[-1]),
                element.valid.eq(valid[-1]),
            ]
            for n in range(4):
                doubled = Cat(odd[4 * p + n], element.o[n])
                m.d.sync += self.o[4 * p + n].eq(shared.o[n] - doubled)
        m.d.comb += self.done.eq(done[-1])
        return m

    def _kept(self, m: Module, odd: Signal, begins: Value) -> Signal:
        """The lowest bits of a job's constants, from its first beat until its sums are ready."""
        kept = Signal.like(odd)
        with m.If(begins):
            m.d.sync += kept.eq(odd)
        return _delayed(m, kept, TileSum.LATENCY - 1, "odd")[-1]

    def _weight_bank(self, m: Module) -> data.View:
        params = self._params
        words = self._weights.reshape(params.folds, params.pe, params.beats, params.lanes, 16)
        words = params.comparison.encode(words)
        rows = words.transpose(0, 2, 1, 4, 3).reshape(params.folds * params.beats, -1)
        width = rows.shape[1] * params.w.bits
        m.submodules.weights = bank = CyclicRom(width, pack(rows, params.w.bits))
        m.d.comb += bank.step.eq(self.valid)
        word = bank.data
        if rom_in_block(len(rows)):
            word = Signal(width)
            m.d.sync += word.eq(bank.data)
        lanes = layout_of(params.w, 16 * params.lanes)
        return data.View(data.ArrayLayout(lanes, params.pe), word)

    def _constant_bank(self, m: Module, step: Value) -> tuple[data.View, Signal]:
        """A'(sum_c w)A: its halves, signed as the corners of M need them, and its lowest bits."""
        params = self._params
        starts, odd = (
            part.reshape(-1, params.pe * 4) for part in params.constants(self._weights.sum(axis=1))
        )
        bits, odd_bits = params.half, 4 * params.pe
        words = [
            start << odd_bits | low
            for start, low in zip(pack(starts, bits), pack(odd, 1), strict=True)
        ]
        m.submodules.constants = bank = CyclicRom(odd_bits * (bits + 1), words)
        m.d.comb += bank.step.eq(step)
        layout = data.ArrayLayout(data.ArrayLayout(unsigned(bits), 4), params.pe)
        low = Signal(odd_bits)
        m.d.comb += low.eq(bank.data[:odd_bits])
        return data.View(layout, bank.data[odd_bits:]), low


def _delayed(m: Module, value, cycles: int, name: str) -> list:
    """``value`` and its copies, 1 to ``cycles`` cycles later."""
    copies = [value]
    for n in range(1, cycles + 1):
        copies.append(Signal(value.shape(), name=f"{name}{n}"))
        m.d.sync += copies[n].eq(copies[n - 1])
    return copies


class TileSum(wiring.Component):
    """o = A' (start + sum of i over the lanes and the beats of a job) A, modulo 2**bits.

    ``start`` is added to the corners of the 4x4 sum. ``start``, ``first`` and ``valid`` belong to
    the trees' outputs, which are ceil(log2(lanes)) cycles behind ``i``; the result stands
    ``LATENCY`` cycles after the last of them. Fixed rate, inside a pipeline that stalls as a whole.

    Members:
        i : In(ArrayLayout(kind, 16*lanes)); start : In(ArrayLayout(bits, 4)); first, valid : In(1)
        o : Out(ArrayLayout(bits, 4))
    """

    LATENCY = 3
    """Accumulate, transform the columns, transform the rows."""

    i: data.View
    start: data.View
    first: Signal
    valid: Signal
    o: data.View

    def __init__(self, params: WinogradArrayParams, kind: IntType, bits: int):
        self._params, self._kind, self._bits = params, kind, bits
        corners = data.ArrayLayout(unsigned(bits), 4)
        super().__init__(
            {
                "i": In(layout_of(kind, 16 * params.lanes)),
                "start": In(corners),
                "first": In(1),
                "valid": In(1),
                "o": Out(corners),
            }
        )

    def elaborate(self, platform):
        m = Module()
        lanes, bits = self._params.lanes, self._bits
        sums = Signal(data.ArrayLayout(unsigned(bits), 16))
        for e in range(16):
            m.submodules[f"tree{e}"] = tree = AdderTree(lanes, self._kind)
            start = self.start[CORNERS.index(e)] if e in CORNERS else 0
            for lane in range(lanes):
                m.d.comb += tree.i[lane].eq(self.i[e * lanes + lane])
            with m.If(self.valid):
                m.d.sync += sums[e].eq(Mux(self.first, start, sums[e]) + tree.o)
        columns = Signal(data.ArrayLayout(unsigned(bits), 8))
        for u in range(2):
            for j in range(4):
                m.d.sync += columns[4 * u + j].eq(self._row(u, [sums[4 * i + j] for i in range(4)]))
            for v in range(2):
                row = [columns[4 * u + j] for j in range(4)]
                m.d.sync += self.o[2 * u + v].eq(self._row(v, row))
        return m

    def _row(self, u: int, vector: list[Value]) -> Value:
        """Row u of A' times a vector: the first plus term, then the others."""
        signs = self._params.output_transform[u]
        plus, *others = sorted((k for k in range(4) if signs[k]), key=lambda k: -signs[k])
        total = vector[plus]
        for k in others:
            total = total + vector[k] if signs[k] > 0 else total - vector[k]
        return total


class ProcessingElement(wiring.Component):
    """Lanes and sums of one output channel: o = A' (start + sum max(taps - weights, 0)) A.

    Modulo 2**half. ``first``, ``valid`` and ``start`` belong to the trees' outputs, which are
    ceil(log2(lanes)) + 1 cycles behind ``taps``.
    """

    taps: data.View
    weights: data.View
    start: data.View
    first: Signal
    valid: Signal
    o: data.View

    def __init__(self, params: WinogradArrayParams):
        self._params = params
        corners = data.ArrayLayout(unsigned(params.half), 4)
        super().__init__(
            {
                "taps": In(layout_of(params.v, 16 * params.lanes)),
                "weights": In(layout_of(params.w, 16 * params.lanes)),
                "start": In(corners),
                "first": In(1),
                "valid": In(1),
                "o": Out(corners),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self._params
        m.submodules.sums = sums = TileSum(params, params.lane, params.half)
        lanes = Signal(layout_of(params.lane, 16 * params.lanes), reset_less=True)
        for k in range(16 * params.lanes):
            difference = params.comparison.compute(self.taps[k], self.weights[k])
            m.d.sync += lanes[k].eq(difference)
        m.d.comb += [
            sums.i.eq(lanes),
            sums.start.eq(self.start),
            sums.first.eq(self.first),
            sums.valid.eq(self.valid),
            self.o.eq(sums.o),
        ]
        return m
