"""PE x SIMD array: ``pe`` output channels times ``simd`` taps a cycle."""

from dataclasses import dataclass
from typing import NamedTuple

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hwgen_rtl.datapath import Datapath
from hwgen_rtl.numerics import KERNELS, Interval, IntType, ceil_log2
from hwgen_rtl.rom import CyclicRom, pack
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.storage import rom_in_block
from hwgen_rtl.tree import AdderTree

__all__ = ["ArrayParams", "ProcessingArray"]


@dataclass(frozen=True, kw_only=True)
class ArrayParams:
    """One array and the layer it computes.

    Parameters:
        kernel : ``multiply`` or ``adder``, a key of numerics.KERNELS
        x, w   : types of taps and weights
        acc    : type of the result; must hold every result, intermediate sums may wrap
        simd   : taps per cycle
        pe     : output channels per cycle
        beats  : cycles per job; a job sums beats*simd taps
        folds  : jobs per window; the layer has folds*pe output channels
    """

    kernel: str
    x: IntType
    w: IntType
    acc: IntType
    simd: int
    pe: int
    beats: int
    folds: int

    def __post_init__(self):
        if self.kernel not in KERNELS:
            raise ValueError(f"kernel must be one of {sorted(KERNELS)}, not {self.kernel!r}")
        for name in ("simd", "pe", "beats", "folds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)!r}")

    @property
    def latency(self) -> int:
        """Cycles from a job's last taps to ``done``: fetch, lane, tree, accumulate, combine."""
        return self.fetch + 2 + ceil_log2(self.simd) + (self.kernel == "adder")

    @property
    def fetch(self) -> int:
        """Cycles to read weights; block RAM is slow and gets a register behind it."""
        return 2 if rom_in_block(self.folds * self.beats) else 1

    @property
    def lane(self) -> IntType:
        """Type of one lane: the product, or the smaller of tap and weight."""
        x, w = Interval.of(self.x), Interval.of(self.w)
        if self.kernel == "adder":
            return Interval(min(x.low, w.low), min(x.high, w.high)).type()
        corners = [a * b for a in (x.low, x.high) for b in (w.low, w.high)]
        return Interval(min(corners), max(corners)).type()

    def compute(self, taps: NDArray, weights: NDArray, bias: NDArray) -> NDArray:
        """acc (P, O) from taps (P, K), weights (O, K) and bias (O,)."""
        return KERNELS[self.kernel](taps, weights) + bias

    def create(self, weights: NDArray, bias: NDArray) -> "ProcessingArray":
        """The hardware; weights (folds*pe, beats*simd) in the order taps come, bias (folds*pe,)."""
        return ProcessingArray(self, weights, bias)


class ProcessingArray(Datapath):
    """Results of one window at a time, ``pe`` channels per job.

        multiply: o[p] = bias[p] + sum_k taps[k] * weights[p, k]
        adder:    o[p] = bias[p] - sum_k abs(taps[k] - weights[p, k])

    The adder form is  2 sum min(x, w) - sum x - sum w: a comparison and a selection per lane, the
    sum of taps shared by all processing elements, the sum of weights a constant. Sums wrap at the
    width of the result, which is exact because the result fits.

    One beat of ``simd`` taps per cycle; the result stands ``params.latency`` cycles after the last
    beat of a job, for one cycle. Fixed rate: it stalls with the window buffer as one pipeline.

    Members:
        taps  : In(ArrayLayout(x, simd));  valid, first, last : In(1)
        o     : Out(ArrayLayout(acc, pe)); done : Out(1)
    """

    def __init__(self, params: ArrayParams, weights: NDArray, bias: NDArray):
        channels, taps = params.folds * params.pe, params.beats * params.simd
        if weights.shape != (channels, taps):
            raise ValueError(f"weights must be shaped {(channels, taps)}, not {weights.shape!r}")
        if bias.shape != (channels,):
            raise ValueError(f"bias must be shaped {(channels,)}, not {bias.shape!r}")
        if not params.w.holds(weights):
            raise ValueError(f"weights must fit {params.w}, not {weights.min()}..{weights.max()}")
        self._params, self._weights = params, weights
        self._constants = bias - weights.sum(axis=1) if params.kernel == "adder" else bias
        super().__init__(layout_of(params.x, params.simd), layout_of(params.acc, params.pe))

    def elaborate(self, platform):
        m = Module()
        params = self._params
        flags = self._flags(m, params.latency)
        at_tree = params.fetch + 1 + ceil_log2(params.simd)
        _, valid, first, _ = flags[at_tree]
        taps = self.taps
        for n in range(params.fetch):
            taps, before = Signal.like(self.taps, name=f"taps{n}"), taps
            m.d.sync += taps.eq(before)
        weights = self._weight_bank(m)
        constants = self._constant_bank(m, flags[at_tree - 1])
        tap_sum = None
        if params.kernel == "adder":
            m.submodules.taps_sum = total = TapSum(params)
            m.d.comb += [total.taps.eq(taps), total.first.eq(first), total.valid.eq(valid)]
            tap_sum = total.o
        for p in range(params.pe):
            m.submodules[f"pe{p}"] = element = ProcessingElement(params)
            m.d.comb += [
                element.taps.eq(taps),
                element.weights.eq(weights[p]),
                element.constant.eq(constants[p]),
                element.first.eq(first),
                element.valid.eq(valid),
            ]
            if tap_sum is None:
                m.d.comb += self.o[p].eq(element.o)
            else:
                m.d.sync += self.o[p].eq(element.o - tap_sum)
        m.d.comb += self.done.eq(flags[params.latency].done)
        return m

    def _flags(self, m: Module, stages: int) -> list["_Flags"]:
        """The flags of the taps, delayed by 0 to ``stages`` cycles."""
        flags = [_Flags(self.valid & self.last, self.valid, self.first, self.last)]
        for n in range(1, stages + 1):
            delayed = _Flags(*(Signal(name=f"{name}{n}") for name in _Flags._fields))
            m.d.sync += [now.eq(before) for now, before in zip(delayed, flags[-1], strict=True)]
            flags.append(delayed)
        return flags

    def _weight_bank(self, m: Module) -> data.View:
        params = self._params
        shape = (params.folds, params.pe, params.beats, params.simd)
        rows = (
            self._weights.reshape(shape).transpose(0, 2, 1, 3).reshape(-1, params.pe * params.simd)
        )
        width = params.pe * params.simd * params.w.bits
        words = pack(rows, params.w.bits)
        m.submodules.weights = bank = CyclicRom(width, words)
        m.d.comb += bank.step.eq(self.valid)
        lanes = layout_of(params.w, params.simd)
        word = bank.data
        if rom_in_block(len(words)):
            word = Signal(width)
            m.d.sync += word.eq(bank.data)
        return data.View(data.ArrayLayout(lanes, params.pe), word)

    def _constant_bank(self, m: Module, before: "_Flags") -> data.View:
        params = self._params
        rows = self._constants.reshape(params.folds, params.pe)
        bits = params.acc.bits
        m.submodules.constants = bank = CyclicRom(params.pe * bits, pack(rows, bits))
        m.d.comb += bank.step.eq(before.valid & before.first)
        return data.View(data.ArrayLayout(unsigned(bits), params.pe), bank.data)


class _Flags(NamedTuple):
    """What is known about a beat; ``done`` is ``valid`` and ``last``."""

    done: Value
    valid: Value
    first: Value
    last: Value


class TapSum(wiring.Component):
    """o = sum of all taps of a job, shared by every processing element of an adder array.

    ``first`` and ``valid`` belong to the tree's output, which is ceil(log2(simd)) + 1 cycles
    behind ``taps``.
    """

    taps: data.View
    first: Signal
    valid: Signal
    o: Signal

    def __init__(self, params: ArrayParams):
        self._params = params
        super().__init__(
            {
                "taps": In(layout_of(params.x, params.simd)),
                "first": In(1),
                "valid": In(1),
                "o": Out(params.acc.bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.tree = tree = AdderTree(self._params.simd, self._params.x)
        staged = Signal.like(self.taps)
        m.d.sync += staged.eq(self.taps)
        m.d.comb += tree.i.eq(staged)
        with m.If(self.valid):
            m.d.sync += self.o.eq(Mux(self.first, 0, self.o) + tree.o)
        return m


class ProcessingElement(wiring.Component):
    """Lanes, adder tree and accumulator of one output channel.

        multiply: o = constant + sum_k taps[k] * weights[k]
        adder:    o = constant + 2 sum_k min(taps[k], weights[k])

    Modulo 2**acc.bits. ``first``, ``valid`` and ``constant`` belong to the tree's output, which is
    ceil(log2(simd)) + 1 cycles behind ``taps``.
    """

    taps: data.View
    weights: data.View
    constant: Signal
    first: Signal
    valid: Signal
    o: Signal

    def __init__(self, params: ArrayParams):
        self._params = params
        super().__init__(
            {
                "taps": In(layout_of(params.x, params.simd)),
                "weights": In(layout_of(params.w, params.simd)),
                "constant": In(params.acc.bits),
                "first": In(1),
                "valid": In(1),
                "o": Out(params.acc.bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self._params
        m.submodules.tree = tree = AdderTree(params.simd, params.lane)
        lanes = Signal(layout_of(params.lane, params.simd))
        for k in range(params.simd):
            m.d.sync += lanes[k].eq(self._lane(self.taps[k], self.weights[k]))
        m.d.comb += tree.i.eq(lanes)
        if params.kernel == "adder":
            self._accumulate_doubled(m, tree.o)
        else:
            with m.If(self.valid):
                m.d.sync += self.o.eq(Mux(self.first, self.constant, self.o) + tree.o)
        return m

    def _lane(self, tap, weight):
        if self._params.kernel == "adder":
            return Mux(tap < weight, tap, weight)
        return tap * weight

    def _accumulate_doubled(self, m: Module, addend):
        """o = constant + 2*sum: the constant's lowest bit passes by, the rest starts the sum."""
        odd = Signal()
        half = Signal(max(1, self._params.acc.bits - 1))
        with m.If(self.valid):
            m.d.sync += half.eq(Mux(self.first, self.constant >> 1, half) + addend)
            with m.If(self.first):
                m.d.sync += odd.eq(self.constant[0])
        m.d.comb += self.o.eq(Cat(odd, half))
