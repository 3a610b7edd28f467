"""Sums by adders of three operands, for devices where these take one LUT a bit."""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen_rtl.numerics import Interval
from hwgen_rtl.primitives import TernaryAdder
from hwgen_rtl.shapes import layout_of

__all__ = ["TernarySum", "TernarySumParams"]


@dataclass(frozen=True, kw_only=True)
class TernarySumParams:
    """Sum of ``terms`` values of ``interval`` in each of the ``beats`` of a job, in ``bits`` bits.

    The accumulator is an operand of the last adder, so the tree ends at two terms; at three where
    jobs have one beat. Its latency is at least ``wait`` cycles.
    """

    terms: int
    interval: Interval
    beats: int
    bits: int
    wait: int = 0

    @property
    def levels(self) -> tuple[tuple[int, ...], ...]:
        """For each level of the tree, how many terms each of its sums takes."""
        found: list[tuple[int, ...]] = []
        left, rest = self.terms, 2 if self.beats > 1 else 3
        while left > rest:
            found.append(_groups(left, rest))
            left = len(found[-1])
        return (*found, *((1,) * left,) * (self.wait - len(found)))

    @property
    def latency(self) -> int:
        """Cycles from terms to what the accumulator adds: a register after each level."""
        return len(self.levels)

    @property
    def adder_bits(self) -> int:
        """Result bits of all adders of the tree, and of the last one."""
        count, terms = 0, [self.interval] * self.terms
        for groups in self.levels:
            terms = [_total(part) for part in _split(terms, groups)]
            sums = zip(terms, groups, strict=True)
            count += sum(term.type().bits - (size > 2) for term, size in sums if size > 1)
        return count + (self.bits if len(terms) + (self.beats > 1) > 1 else 0)

    def create(self) -> "TernarySum":
        """The hardware."""
        return TernarySum(self)


def _groups(terms: int, rest: int) -> tuple[int, ...]:
    """Threes, a pair where that leaves ``rest``, and terms that pass."""
    excess = terms - rest
    threes = min(terms // 3, excess // 2)
    left = terms - 3 * threes
    pairs = int(excess - 2 * threes == 1 and left >= 2)
    return (3,) * threes + (2,) * pairs + (1,) * (left - 2 * pairs)


def _split(items: Sequence, groups: Sequence[int]) -> list[list]:
    ends = [sum(groups[: n + 1]) for n in range(len(groups))]
    return [list(items[end - size : end]) for end, size in zip(ends, groups, strict=True)]


def _total(intervals: Sequence[Interval]) -> Interval:
    return Interval(sum(i.low for i in intervals), sum(i.high for i in intervals))


class TernarySum(wiring.Component):
    """o = sum of all terms of all beats of a job, modulo 2**bits.

    ``valid`` and ``last`` belong to what the accumulator adds, ``params.latency`` cycles behind
    ``i``. All else is as in `hwgen_rtl.array.JobSum`.

    Members:
        i : In(ArrayLayout(interval's type, terms)); valid, last : In(1); o : Out(bits)
    """

    i: data.View
    valid: Signal
    last: Signal
    o: Signal

    def __init__(self, params: TernarySumParams):
        self._params = params
        layout = layout_of(params.interval.type(), params.terms)
        super().__init__({"i": In(layout), "valid": In(1), "last": In(1), "o": Out(params.bits)})

    def elaborate(self, platform):
        m = Module()
        params = self._params
        terms = [(self.i[k], params.interval) for k in range(params.terms)]
        for level, groups in enumerate(params.levels, 1):
            parts = _split(terms, groups)
            terms = [self._level(m, part, f"sum{level}_{n}") for n, part in enumerate(parts)]
        operands = [_extended(value, params.bits) for value, _ in terms]
        if params.beats > 1:
            before = Signal(params.bits, reset_less=True)
            total = _added(m, [before, *operands], params.bits, "total")
            m.d.sync += before.eq(Mux(self.valid & ~self.last, total, 0))
        else:
            total = _added(m, operands, params.bits, "total")
        with m.If(self.valid & self.last):
            m.d.sync += self.o.eq(total)
        return m

    def _level(self, m: Module, terms: list, name: str) -> tuple[Value, Interval]:
        interval = _total([interval for _, interval in terms])
        bits = interval.type().bits
        values = [value for value, _ in terms]
        if interval.low < 0:
            values = [_extended(value, bits) for value in values]
        register = Signal(bits, name=name, reset_less=True)
        m.d.sync += register.eq(_added(m, values, bits, name))
        return (register.as_signed() if interval.low < 0 else register), interval


def _extended(value: Value, bits: int) -> Value:
    """The value modulo 2**bits; one without sign stays as narrow as it is."""
    if not value.shape().signed:
        return value[:bits]
    sign = value[-1].replicate(max(0, bits - len(value)))
    return Cat(value, sign)[:bits]


def _added(m: Module, values: Sequence[Value], bits: int, name: str) -> Value:
    """Their sum; all without sign, and no wider than ``bits``."""
    if len(values) < 3:
        return sum(values[1:], values[0])
    a, b, c = values
    widths = len(a), len(b), len(c)
    m.submodules[f"add_{name}"] = adder = TernaryAdder(widths, min(bits, max(widths) + 2))
    m.d.comb += [adder.a.eq(a), adder.b.eq(b), adder.c.eq(c)]
    return adder.o
