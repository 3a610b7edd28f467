"""PE x SIMD array: ``pe`` output channels times ``simd`` taps a cycle."""

from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hwgen_rtl.banks import Flags, delayed_flags, fetch_cycles, fetched
from hwgen_rtl.datapath import Datapath
from hwgen_rtl.lanes import LANES, Lanes, lanes_of
from hwgen_rtl.numerics import KERNELS, Interval, IntType
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.ternary import TernarySumParams

__all__ = ["ArrayParams", "ProcessingArray", "sums_layout"]


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
        lut_inputs: 4, or 6 where LUTs have six inputs and two outputs: other forms of lanes and
                    sums are smaller there, see primitives.py. The integers are the same
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
    lut_inputs: int = 4

    def __post_init__(self):
        if self.kernel not in LANES:
            raise ValueError(f"kernel must be one of {sorted(LANES)}, not {self.kernel!r}")
        for name in ("simd", "pe", "beats", "folds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)!r}")
        if self.lut_inputs not in (4, 6):
            raise ValueError(f"lut_inputs must be 4 or 6, not {self.lut_inputs!r}")
        if self.distances and self.kernel != "shift":
            raise ValueError(f"distances must be () for {self.kernel!r}, not {self.distances!r}")
        self.lanes.check()

    @property
    def lanes(self) -> Lanes:
        """What the kernel computes in a lane, and what that leaves to add."""
        return lanes_of(self.kernel, self.x, self.w, self.distances, self.lut_inputs)

    @property
    def latency(self) -> int:
        """Cycles from a job's last taps to ``done``: to the tree's end, accumulate."""
        return self.at_tree + 1

    @property
    def at_tree(self) -> int:
        """Cycles from taps to what the accumulator adds: fetch, lane, tree."""
        if self.ternary:
            return self.fetch + self.lanes.term_latency + self.element_sum.latency
        return self.fetch + 1 + self.lanes.tree_latency(self.simd)

    @property
    def ternary(self) -> bool:
        """Whether sums are those of ternary.py."""
        return self.lut_inputs == 6

    @property
    def element_sum(self) -> TernarySumParams:
        """What sums the terms of a processing element, if ``ternary``."""
        terms, interval = self.lanes.sums(self.simd)
        shared = 0 if self.lanes.shared is None else 1 + self.shared_sum.latency
        return TernarySumParams(
            terms=terms, interval=interval, beats=self.beats, bits=self.sum_bits,
            wait=shared - self.lanes.term_latency,
        )  # fmt: skip

    @property
    def shared_sum(self) -> TernarySumParams:
        """What sums the shares of the taps, if ``ternary``."""
        assert self.lanes.shared is not None
        interval = Interval.of(self.lanes.shared)
        return TernarySumParams(
            terms=self.simd, interval=interval, beats=self.beats, bits=self.acc.bits
        )

    @property
    def fetch(self) -> int:
        """Cycles to read weights."""
        return fetch_cycles(self.folds * self.beats)

    @property
    def sum_bits(self) -> int:
        """Bits of a processing element's sum, which is exact modulo 2**acc.bits once scaled."""
        return max(1, self.acc.bits - (abs(self.lanes.factor) == 2))

    @property
    def sums(self) -> data.StructLayout:
        """What a job gives: a sum for each processing element and what they share."""
        return sums_layout(self, self.pe)

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

    def create(self, weights: NDArray) -> "ProcessingArray":
        """The hardware; weights (folds*pe, beats*simd) in the order in which taps come."""
        return ProcessingArray(self, weights)


def sums_layout(params: ArrayParams, pe: int) -> data.StructLayout:
    """Layout of the sums of ``pe`` processing elements, and of what they share."""
    share = {} if params.lanes.shared is None else {"share": unsigned(params.acc.bits)}
    return data.StructLayout({"sums": data.ArrayLayout(unsigned(params.sum_bits), pe)} | share)


class ProcessingArray(Datapath):
    """Sums of one window at a time, ``pe`` channels per job.

        sums[p] = sum_k lane(taps[k], weights[p, k]);  share = sum_k share(taps[k])

    What follows from them, once for each result, is in finish.py; each kernel is in lanes.py. Sums
    wrap at their width, which is exact because the result fits.

    One beat of ``simd`` taps per cycle; the sums stand ``params.latency`` cycles after the last
    beat of a job, for one cycle. Fixed rate: it stalls with the window buffer as one pipeline.

    Members:
        taps  : In(ArrayLayout(x, simd));  valid, first, last : In(1)
        o     : Out(params.sums); done : Out(1)
    """

    def __init__(self, params: ArrayParams, weights: NDArray):
        channels, taps = params.folds * params.pe, params.beats * params.simd
        if weights.shape != (channels, taps):
            raise ValueError(f"weights must be shaped {(channels, taps)}, not {weights.shape!r}")
        if not params.w.holds(weights):
            raise ValueError(f"weights must fit {params.w}, not {weights.min()}..{weights.max()}")
        self._params = params
        self._codes = params.lanes.encode(weights)
        super().__init__(layout_of(params.x, params.simd), params.sums)

    def elaborate(self, platform):
        m = Module()
        params = self._params
        flags = delayed_flags(m, self, params.latency)
        _, valid, _, last = flags[params.at_tree]
        taps = self.taps
        for n in range(params.fetch):
            taps, before = Signal.like(self.taps, name=f"taps{n}", reset_less=True), taps
            m.d.sync += taps.eq(before)
        weights = self._weight_bank(m)
        late = Signal.like(self.taps, name="late", reset_less=True)
        if params.ternary:
            m.d.sync += late.eq(taps)

        def summed(name: str, part: "_Part", o: Value):
            m.submodules[name] = part
            m.d.comb += [part.taps.eq(taps), part.valid.eq(valid), part.last.eq(last)]
            m.d.comb += o.eq(part.o)

        if params.lanes.shared is not None and params.ternary:
            m.d.comb += self.o.share.eq(self._shared_sum(m, late, flags))
        elif params.lanes.shared is not None:
            summed("taps_sum", TapSum(params, params.lanes.shared), self.o.share)
        for p in range(params.pe):
            element = TernaryElement(params) if params.ternary else ProcessingElement(params)
            summed(f"pe{p}", element, self.o.sums[p])
            m.d.comb += element.weights.eq(weights[p])
            if isinstance(element, TernaryElement):
                m.d.comb += [element.late.eq(late), element.enable.eq(self.enable)]
        m.d.comb += self.done.eq(flags[params.latency].done)
        return m

    def _shared_sum(self, m: Module, late: data.View, flags: list[Flags]) -> Value:
        """The sum of shares, when those of the processing elements are ready."""
        params, total = self._params, self._params.shared_sum
        m.submodules.taps_sum = part = total.create()
        ready = params.fetch + 1 + total.latency
        shares = [params.lanes.share(late[k]) for k in range(params.simd)]
        m.d.comb += [part.i[k].eq(share) for k, share in enumerate(shares)]
        m.d.comb += [part.valid.eq(flags[ready].valid), part.last.eq(flags[ready].last)]
        o = part.o
        for n in range(params.at_tree - ready):
            o, before = Signal.like(o, name=f"share{n}", reset_less=True), o
            m.d.sync += o.eq(before)
        return o

    def _weight_bank(self, m: Module) -> data.View:
        params = self._params
        shape = (params.folds, params.pe, params.beats, params.simd)
        rows = self._codes.reshape(shape).transpose(0, 2, 1, 3).reshape(-1, params.pe * params.simd)
        word = fetched(m, "weights", rows, params.weight_bits, self.valid)
        return data.View(data.ArrayLayout(_codes(params), params.pe), word)


def _codes(params: ArrayParams) -> data.ArrayLayout:
    """Layout of the weights of one beat of a processing element, as they are in memory."""
    return data.ArrayLayout(params.lanes.code, params.simd)


class TapSum(wiring.Component):
    """o = sum_k share(taps[k]) over the beats of a job.

    See `JobSum` for ``valid`` and ``last``.
    """

    taps: data.View
    valid: Signal
    last: Signal
    o: Signal

    def __init__(self, params: ArrayParams, kind: IntType):
        self._params, self._kind = params, kind
        super().__init__(
            {
                "taps": In(layout_of(params.x, params.simd)),
                "valid": In(1),
                "last": In(1),
                "o": Out(params.acc.bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self._params
        shares = [params.lanes.share(self.taps[k]) for k in range(params.simd)]
        _connect_sum(m, self, JobSum(params, self._kind, params.acc.bits), shares)
        return m


class ProcessingElement(wiring.Component):
    """o = sum_k lane(taps[k], weights[k]) over the beats of a job, one output channel.

    See `JobSum` for ``valid`` and ``last``.
    """

    taps: data.View
    weights: data.View
    valid: Signal
    last: Signal
    o: Signal

    def __init__(self, params: ArrayParams):
        self._params = params
        super().__init__(
            {
                "taps": In(layout_of(params.x, params.simd)),
                "weights": In(_codes(params)),
                "valid": In(1),
                "last": In(1),
                "o": Out(params.sum_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params, form = self._params, self._params.lanes
        lanes = [form.compute(self.taps[k], self.weights[k]) for k in range(params.simd)]
        _connect_sum(m, self, JobSum(params, params.lane, params.sum_bits), lanes)
        return m


class TernaryElement(wiring.Component):
    """The same by ternary.py, ``late`` being the taps of the cycle before."""

    taps: data.View
    late: data.View
    weights: data.View
    enable: Signal
    valid: Signal
    last: Signal
    o: Signal

    def __init__(self, params: ArrayParams):
        self._params = params
        taps = layout_of(params.x, params.simd)
        super().__init__(
            {
                "taps": In(taps),
                "late": In(taps),
                "weights": In(_codes(params)),
                "enable": In(1),
                "valid": In(1),
                "last": In(1),
                "o": Out(params.sum_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self._params
        m.submodules.sum = total = params.element_sum.create()
        lanes = range(params.simd)
        given = ([of[k] for k in lanes] for of in (self.taps, self.late, self.weights))
        terms = params.lanes.terms(m, self.enable, *given)
        m.d.comb += [total.i[n].eq(term) for n, term in enumerate(terms)]
        m.d.comb += [total.valid.eq(self.valid), total.last.eq(self.last), self.o.eq(total.o)]
        return m


_Part = TapSum | ProcessingElement | TernaryElement


def _connect_sum(m: Module, owner: TapSum | ProcessingElement, total: "JobSum", terms: list[Value]):
    m.submodules.sum = total
    m.d.comb += [total.i[k].eq(term) for k, term in enumerate(terms)]
    m.d.comb += [total.valid.eq(owner.valid), total.last.eq(owner.last), owner.o.eq(total.o)]


class JobSum(wiring.Component):
    """o = sum of all terms of all beats of a job, modulo 2**bits: register, tree, accumulator.

    ``valid`` and ``last`` belong to the tree's output, a cycle and the tree's latency behind ``i``;
    ``o`` holds the sum from the cycle after ``last`` on, until the next job's. The accumulator is
    empty whenever no job is under way: that reset of flip-flops replaces a choice per bit. So the
    beats of a job must come without a gap, as window buffers send them.
    """

    i: data.View
    valid: Signal
    last: Signal
    o: Signal

    def __init__(self, params: ArrayParams, kind: IntType, bits: int):
        self._params, self._kind = params, kind
        super().__init__(
            {
                "i": In(layout_of(kind, params.simd)),
                "valid": In(1),
                "last": In(1),
                "o": Out(bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self._params
        m.submodules.tree = tree = params.lanes.tree(params.simd, self._kind)
        terms = Signal(self.i.shape(), reset_less=True)
        m.d.sync += terms.eq(self.i)
        m.d.comb += tree.i.eq(terms)
        total = tree.o
        if params.beats > 1:
            before = Signal(len(self.o), reset_less=True)
            total = Signal(len(self.o))
            m.d.comb += total.eq(before + tree.o)
            m.d.sync += before.eq(Mux(self.valid & ~self.last, total, 0))
        with m.If(self.valid & self.last):
            m.d.sync += self.o.eq(total)
        return m
