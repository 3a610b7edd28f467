"""PE x SIMD array: ``pe`` output channels times ``simd`` taps a cycle."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hwgen_rtl.banks import Flags, delayed_flags, fetch_cycles, fetched
from hwgen_rtl.datapath import Datapath
from hwgen_rtl.lanes import LANES, Lanes
from hwgen_rtl.numerics import KERNELS, IntType
from hwgen_rtl.rom import CyclicRom, pack
from hwgen_rtl.shapes import layout_of

__all__ = ["ArrayParams", "ProcessingArray"]


@dataclass(frozen=True, kw_only=True)
class ArrayParams:
    """One array and the layer it computes.

    Parameters:
        kernel    : a key of lanes.LANES and numerics.KERNELS
        x, w      : types of taps and weights
        acc       : type of the result; must hold every result, intermediate sums may wrap
        simd      : taps per cycle
        pe        : output channels per cycle
        beats     : cycles per job; a job sums beats*simd taps
        folds     : jobs per window; the layer has folds*pe output channels
        distances : of ``shift``, every p among its weights +-2**p, ascending; () for all that
                    ``w`` holds. Fewer take less hardware: see lanes.distances_of
    """

    kernel: str
    x: IntType
    w: IntType
    acc: IntType
    simd: int
    pe: int
    beats: int
    folds: int
    distances: tuple[int, ...] = ()

    def __post_init__(self):
        if self.kernel not in LANES:
            raise ValueError(f"kernel must be one of {sorted(LANES)}, not {self.kernel!r}")
        for name in ("simd", "pe", "beats", "folds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)!r}")

        if self.distances and self.kernel != "shift":
            raise ValueError(f"distances must be () for {self.kernel!r}, not {self.distances!r}")
        self.lanes.check()

    @property
    def lanes(self) -> Lanes:
        """What the kernel computes in a lane, and what that leaves to add."""
        return LANES[self.kernel](self.x, self.w, self.distances)

    @property
    def latency(self) -> int:
        """Cycles from a job's last taps to ``done``: to the tree's end, accumulate, combine."""
        return self.at_tree + 1 + (self.lanes.shared is not None)

    @property
    def at_tree(self) -> int:
        """Cycles from taps to their sum: fetch, lane, tree."""
        return self.fetch + 1 + self.lanes.tree_latency(self.simd)

    @property
    def fetch(self) -> int:
        """Cycles to read weights."""
        return fetch_cycles(self.folds * self.beats)

    @property
    def lane(self) -> IntType:
        """Type of what one lane computes."""
        return self.lanes.lane

    @property
    def weight_bits(self) -> int:
        """Bits of one weight in memory."""
        return self.lanes.code_bits

    def compute(self, taps: NDArray, weights: NDArray, bias: NDArray) -> NDArray:
        """acc (P, O) from taps (P, K), weights (O, K) and bias (O,)."""
        return KERNELS[self.kernel](taps, weights) + bias

    def create(self, weights: NDArray, bias: NDArray) -> "ProcessingArray":
        """The hardware; weights (folds*pe, beats*simd) in the order taps come, bias (folds*pe,)."""
        return ProcessingArray(self, weights, bias)


class ProcessingArray(Datapath):
    """Results of one window at a time, ``pe`` channels per job.

        multiply, xnor, sign, shift: o[p] = bias[p] + sum_k taps[k] * weights[p, k]
        adder:                       o[p] = bias[p] - sum_k abs(taps[k] - weights[p, k])

    How each kernel does it is in lanes.py; what does not depend on the taps is a constant. Sums
    wrap at the width of the result, which is exact because the result fits.

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
        self._params = params
        self._codes = params.lanes.encode(weights)
        start = bias + params.lanes.correction(weights)
        self._starts = -start if params.lanes.negated else start
        super().__init__(layout_of(params.x, params.simd), layout_of(params.acc, params.pe))

    def elaborate(self, platform):
        m = Module()
        params = self._params
        flags = delayed_flags(m, self, params.latency)
        _, valid, first, _ = flags[params.at_tree]
        taps = self.taps
        for n in range(params.fetch):
            taps, before = Signal.like(self.taps, name=f"taps{n}"), taps
            m.d.sync += taps.eq(before)
        weights = self._weight_bank(m)
        constants = self._constant_bank(m, flags[params.at_tree - 1])
        tap_sum = None
        if params.lanes.shared is not None:
            m.submodules.taps_sum = total = TapSum(params, params.lanes.shared)
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
            elif params.lanes.negated:
                m.d.sync += self.o[p].eq(tap_sum - element.o)
            else:
                m.d.sync += self.o[p].eq(element.o - tap_sum)
        m.d.comb += self.done.eq(flags[params.latency].done)
        return m

    def _weight_bank(self, m: Module) -> data.View:
        params = self._params
        shape = (params.folds, params.pe, params.beats, params.simd)
        rows = self._codes.reshape(shape).transpose(0, 2, 1, 3).reshape(-1, params.pe * params.simd)
        word = fetched(m, "weights", rows, params.weight_bits, self.valid)
        return data.View(data.ArrayLayout(_codes(params), params.pe), word)

    def _constant_bank(self, m: Module, before: Flags) -> data.View:
        params = self._params
        rows = self._starts.reshape(params.folds, params.pe)
        bits = params.acc.bits
        m.submodules.constants = bank = CyclicRom(params.pe * bits, pack(rows, bits))
        m.d.comb += bank.step.eq(before.valid & before.first)
        return data.View(data.ArrayLayout(unsigned(bits), params.pe), bank.data)


def _codes(params: ArrayParams) -> data.ArrayLayout:
    """Layout of the weights of one beat of a processing element, as they are in memory."""
    return data.ArrayLayout(params.lanes.code, params.simd)


class TapSum(wiring.Component):
    """o = sum of what all processing elements subtract for the taps of a job, shared by them.

    ``first`` and ``valid`` belong to the tree's output, which is a cycle and the tree's latency
    behind ``taps``.
    """

    taps: data.View
    first: Signal
    valid: Signal
    o: Signal

    def __init__(self, params: ArrayParams, kind: IntType):
        self._params, self._kind = params, kind
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
        lanes, simd = self._params.lanes, self._params.simd
        m.submodules.tree = tree = lanes.tree(simd, self._kind)
        staged = Signal(layout_of(self._kind, simd))
        for k in range(simd):
            m.d.sync += staged[k].eq(lanes.share(self.taps[k]))
        m.d.comb += tree.i.eq(staged)
        with m.If(self.valid):
            m.d.sync += self.o.eq(Mux(self.first, 0, self.o) + tree.o)
        return m


class ProcessingElement(wiring.Component):
    """Lanes, tree and accumulator of one output channel.

        o = constant + factor * sum_k lane(taps[k], weights[k])

    Modulo 2**acc.bits. ``first``, ``valid`` and ``constant`` belong to the tree's output, which is
    a cycle and the tree's latency behind ``taps``.
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
                "weights": In(_codes(params)),
                "constant": In(params.acc.bits),
                "first": In(1),
                "valid": In(1),
                "o": Out(params.acc.bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params, form = self._params, self._params.lanes
        m.submodules.tree = tree = form.tree(params.simd, params.lane)
        lanes = Signal(layout_of(params.lane, params.simd), reset_less=True)
        for k in range(params.simd):
            m.d.sync += lanes[k].eq(form.compute(self.taps[k], self.weights[k]))
        m.d.comb += tree.i.eq(lanes)
        if form.doubled:
            self._accumulate_doubled(m, tree.o)
        else:
            with m.If(self.valid):
                m.d.sync += self.o.eq(Mux(self.first, self.constant, self.o) + tree.o)
        return m

    def _accumulate_doubled(self, m: Module, addend):
        """o = constant + 2*sum: the constant's lowest bit passes by, the rest starts the sum."""
        odd = Signal()
        half = Signal(max(1, self._params.acc.bits - 1))
        with m.If(self.valid):
            m.d.sync += half.eq(Mux(self.first, self.constant >> 1, half) + addend)
            with m.If(self.first):
                m.d.sync += odd.eq(self.constant[0])
        m.d.comb += self.o.eq(Cat(odd, half))
