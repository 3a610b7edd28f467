"""The kernels of an array, one class each: what a lane computes and what that leaves to add.

    o[p] = bias[p] + correction[p] + factor * (sum_k lane(taps[k], code[p, k]) - share / 2)

share = sum_k share(taps[k]), in kernels of factor 2 or -2 alone.

To add a kernel: one class here and its name in ``LANES``; one function in numerics.KERNELS.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from numpy.typing import NDArray

from hwgen_rtl.choice import chosen
from hwgen_rtl.numerics import BIPOLAR, Interval, IntType, ceil_log2
from hwgen_rtl.popcount import Popcount, PopcountParams
from hwgen_rtl.primitives import Minimum, MinimumPair
from hwgen_rtl.shapes import shape_of
from hwgen_rtl.tree import AdderTree

__all__ = ["LANES", "DistanceLanes", "Lanes", "MinimumLanes", "distances_of", "lanes_of"]

BIT = IntType(1, signed=False)
TERNARY = IntType(2, signed=True)


@dataclass(frozen=True)
class Lanes(ABC):
    """One kernel for taps of type ``x`` and weights of type ``w``; see the module's formula.

    ``distances`` are the shifts p that occur in weights +-2**p, () for all that ``w`` holds.
    """

    x: IntType
    w: IntType
    distances: tuple[int, ...] = ()

    factor: ClassVar[int] = 1
    term_latency: ClassVar[int] = 1
    """Cycles of ``terms``."""

    def check(self) -> None:
        """Refuse types that the kernel does not take."""
        _refuse_bipolar("x", self.x)
        _refuse_bipolar("w", self.w)

    @property
    @abstractmethod
    def lane(self) -> IntType:
        """Type of what a lane computes."""

    @property
    def shared(self) -> IntType | None:
        """Type of ``share``; None where nothing is shared."""
        return None

    @property
    def code(self) -> Any:
        """Shape of a weight in memory."""
        return shape_of(self.w)

    @property
    def code_bits(self) -> int:
        """Bits of a weight in memory."""
        return self.w.bits

    def encode(self, weights: NDArray) -> NDArray:
        """Integers whose lowest ``code_bits`` bits stand for ``weights``."""
        return self.w.encode(weights)

    def correction(self, weights: NDArray) -> NDArray:
        """What is added to the bias of each row of ``weights`` (O, K)."""
        return np.zeros(len(weights), dtype=np.int64)

    def tree_latency(self, terms: int) -> int:
        """Cycles of ``tree``."""
        return ceil_log2(terms)

    def tree(self, terms: int, kind: IntType) -> AdderTree | Popcount:
        """Component that sums ``terms`` values of lanes or shares."""
        return AdderTree(terms, kind)

    @abstractmethod
    def compute(self, tap: Any, code: Any) -> Value:
        """What a lane computes."""

    def sums(self, lanes: int) -> tuple[int, Interval]:
        """How many terms ``terms`` gives, and their range."""
        return lanes, Interval.of(self.lane)

    def terms(
        self, m: Module, enable: Signal, taps: Sequence, late: Sequence, codes: Sequence
    ) -> list[Value]:
        """Registers with what is to be summed; ``late`` are the taps of the cycle before."""
        values = [self.compute(tap, code) for tap, code in zip(taps, codes, strict=True)]
        lanes = [
            Signal(shape_of(self.lane), name=f"lane{n}", reset_less=True)
            for n in range(len(values))
        ]
        m.d.sync += [lane.eq(value) for lane, value in zip(lanes, values, strict=True)]
        return list(lanes)

    def share(self, tap: Any) -> Value:
        """What a tap gives to the sum that all processing elements share."""
        return tap


class MultiplyLanes(Lanes):
    """lane = x * w."""

    @property
    def lane(self) -> IntType:
        x, w = Interval.of(self.x), Interval.of(self.w)
        corners = [a * b for a in (x.low, x.high) for b in (w.low, w.high)]
        return Interval(min(corners), max(corners)).type()

    def compute(self, tap: Any, code: Any) -> Value:
        return tap * code


class AdderLanes(Lanes):
    """-sum abs(x - w) = sum x - sum w - 2 sum max(x - w, 0): lane = max(x - w, 0), share = x.

    A lane is one carry chain, whose sign resets the register behind it; a minimum or a distance
    takes as much again for a choice. In memory a weight is ~w, since x - w = x + ~w + 1.
    """

    factor = -2

    @property
    def difference(self) -> IntType:
        """Type of x - w, with a sign."""
        x, w = Interval.of(self.x), Interval.of(self.w)
        return Interval(min(x.low - w.high, -1), x.high - w.low).type()

    @property
    def lane(self) -> IntType:
        return Interval(0, max(0, self.difference.high)).type()

    @property
    def shared(self) -> IntType | None:
        return self.x

    def encode(self, weights: NDArray) -> NDArray:
        return ~weights

    def correction(self, weights: NDArray) -> NDArray:
        return -weights.sum(axis=1)

    def compute(self, tap: Any, code: Any) -> Value:
        # a bit of 1 below each operand is the carry that completes -w = ~w + 1
        minuend = Cat(1, _as_signed(tap)).as_signed()
        complement = code if self.w.signed else Cat(code, 1).as_signed()
        bits = self.difference.bits
        difference = (minuend + Cat(1, complement).as_signed())[1 : bits + 1]
        return Mux(difference[-1], 0, difference[: self.lane.bits])


class MinimumLanes(Lanes):
    """-sum abs(x - w) = 2 sum min(x, w) - sum x - sum w: lane = min(x, w) - low, share = x.

    For devices with 6-input LUTs, see primitives.MinimumPair. ``low`` is the least value of the
    narrowest type that holds taps and weights: what is compared and summed has no sign.
    """

    factor = 2
    term_latency = 2

    @property
    def both(self) -> IntType:
        """Narrowest type that holds taps and weights."""
        return Interval.of(self.x).hull(Interval.of(self.w)).type()

    @property
    def lane(self) -> IntType:
        return IntType(self.both.bits, signed=False)

    @property
    def shared(self) -> IntType | None:
        return self.x

    @property
    def code(self) -> Any:
        return self.w.bits

    def encode(self, weights: NDArray) -> NDArray:
        return weights - self.w.low

    def correction(self, weights: NDArray) -> NDArray:
        return 2 * self.both.low * weights.shape[1] - weights.sum(axis=1)

    def compute(self, tap: Any, code: Any) -> Value:
        x, w = self._tap(tap), self._weight(code)
        return Mux(x >= w, w, x)

    def sums(self, lanes: int) -> tuple[int, Interval]:
        high = self.lane.high
        return (lanes + 1) // 2, Interval(0, 2 * high if lanes > 1 else high)

    def terms(
        self, m: Module, enable: Signal, taps: Sequence, late: Sequence, codes: Sequence
    ) -> list[Value]:
        x, before = ([self._tap(tap) for tap in lanes] for lanes in (taps, late))
        w = [self._weight(code) for code in codes]
        pairs = range(0, len(x) - 1, 2)
        found = [self._pair(m, enable, n, x, before, w) for n in pairs]
        if len(x) % 2:
            m.submodules.single = single = Minimum(self.lane.bits)
            m.d.comb += [single.x.eq(x[-1]), single.late.eq(before[-1]), single.w.eq(w[-1])]
            m.d.comb += single.enable.eq(enable)
            found.append(single.o)
        return found

    def _pair(
        self, m: Module, enable: Signal, n: int, x: list[Value], late: list[Value], w: list[Value]
    ) -> Value:
        m.submodules[f"pair{n}"] = pair = MinimumPair(self.lane.bits)
        m.d.comb += [
            pair.enable.eq(enable),
            pair.x0.eq(x[n]),
            pair.w0.eq(w[n]),
            pair.x1.eq(x[n + 1]),
            pair.w1.eq(w[n + 1]),
            pair.late.eq(late[n + 1]),
        ]
        return pair.o

    def _tap(self, tap: Value) -> Value:
        top = ~tap[-1] if self.x.signed else tap[-1]
        return _raised(Cat(tap[:-1], top), self.x, self.both)

    def _weight(self, code: Value) -> Value:
        return _raised(code, self.w, self.both)


class DistanceLanes(Lanes):
    """-sum abs(x - w): lane = abs(x - w), where tap and weight are the inputs of one LUT.

    Each bit of a lane is a table of both; nothing is shared and nothing carries.
    """

    factor = -1

    @classmethod
    def fits(cls, x: IntType, w: IntType, inputs: int) -> bool:
        """Whether a LUT takes a tap and a weight."""
        return x.bits + w.bits <= inputs

    @property
    def lane(self) -> IntType:
        x, w = Interval.of(self.x), Interval.of(self.w)
        return Interval(0, max(x.high - w.low, w.high - x.low)).type()

    def compute(self, tap: Any, code: Any) -> Value:
        pairs = ((a, b) for b in _in_code_order(self.w) for a in _in_code_order(self.x))
        table = [Const(abs(a - b), self.lane.bits) for a, b in pairs]
        return chosen(table, Cat(tap.as_unsigned(), code.as_unsigned()))


class XnorLanes(Lanes):
    """sum x*w = 2 P - K over bits: lane = xnor(x, w), P their popcount, K the number of taps.

    A tap is bipolar, or it is 0, -1 or +1 in two bits: 0 does not count (a padded border), K is
    then the number of others and share = (x is not 0). XNOR-Net, arXiv 1603.05279; borders as in
    FracBNN.
    """

    factor = 2

    def check(self) -> None:
        if not self.w.bipolar:
            raise ValueError(f"w must be bipolar for 'xnor', not {self.w}")
        if self.x not in (BIPOLAR, TERNARY):
            raise ValueError(f"x must be bipolar or int2 for 'xnor', not {self.x}")

    @property
    def lane(self) -> IntType:
        return BIT

    @property
    def shared(self) -> IntType | None:
        return None if self.x.bipolar else BIT

    def correction(self, weights: NDArray) -> NDArray:
        return np.full(len(weights), -weights.shape[1] if self.x.bipolar else 0)

    def tree_latency(self, terms: int) -> int:
        return PopcountParams(terms).latency

    def tree(self, terms: int, kind: IntType) -> AdderTree | Popcount:
        return PopcountParams(terms).create()

    def compute(self, tap: Any, code: Any) -> Value:
        if self.x.bipolar:
            return ~(tap ^ code)
        return tap[0] & (tap[1] ^ code)

    def share(self, tap: Any) -> Value:
        return tap[0]


class CountedXnorLanes(XnorLanes):
    """The same for 6-input LUTs, of which each counts what its inputs hold: three lanes, or two."""

    @property
    def group(self) -> int:
        """Lanes that are counted together."""
        return 3 if self.x.bipolar else 2

    def sums(self, lanes: int) -> tuple[int, Interval]:
        return -(-lanes // self.group), Interval(0, min(self.group, lanes))

    def terms(
        self, m: Module, enable: Signal, taps: Sequence, late: Sequence, codes: Sequence
    ) -> list[Value]:
        bits = [self.compute(tap, code) for tap, code in zip(taps, codes, strict=True)]
        groups = [bits[n : n + self.group] for n in range(0, len(bits), self.group)]
        counts: list[Value] = []
        for n, group in enumerate(groups):
            count = Signal(range(self.group + 1), name=f"count{n}", reset_less=True)
            ones = [Const(value.bit_count(), 2) for value in range(1 << len(group))]
            m.d.sync += count.eq(chosen(ones, Cat(*group)))
            counts.append(count)
        return counts


class SignLanes(Lanes):
    """sum +-x = sum (x ^ mask) + n: the mask is all ones for each of the n negative weights.

    No lane has a carry chain: the ones that complete -x = ~x + 1 are in the constant.
    """

    def check(self) -> None:
        _refuse_bipolar("x", self.x)
        if not self.w.bipolar:
            raise ValueError(f"w must be bipolar for 'sign', not {self.w}")

    @property
    def lane(self) -> IntType:
        return _with_complements(Interval.of(self.x))

    def correction(self, weights: NDArray) -> NDArray:
        return (weights < 0).sum(axis=1)

    def compute(self, tap: Any, code: Any) -> Value:
        return _complemented(_as_signed(tap), ~code)


class ShiftLanes(Lanes):
    """sum x*w for weights 0 and +-2**p: lane = ((x << p) ^ mask) & nonzero, as in `SignLanes`.

    In memory a weight is a struct, not its integer: bit 0 says negative, bit 1 nonzero, and the
    others say which of ``distances`` p is. DeepShift, arXiv 1905.13298.
    """

    def check(self) -> None:
        super().check()
        if self.distances != tuple(sorted(set(self.distances))) or min(self._distances) < 0:
            raise ValueError(f"distances must ascend from 0 or more, not {self.distances!r}")

    @property
    def _distances(self) -> tuple[int, ...]:
        return self.distances or tuple(range(max(self.w.high, -self.w.low).bit_length()))

    @property
    def lane(self) -> IntType:
        farthest = self._distances[-1]
        return _with_complements(Interval(self.x.low << farthest, self.x.high << farthest))

    @property
    def code(self) -> Any:
        index = ceil_log2(len(self._distances))
        return data.StructLayout({"negative": 1, "nonzero": 1, "index": index})

    @property
    def code_bits(self) -> int:
        return self.code.size

    def encode(self, weights: NDArray) -> NDArray:
        unlike = set(np.abs(weights).flat) - {0, *(1 << p for p in self._distances)}
        if unlike:
            powers = f"0 or +-2**p with p in {list(self._distances)}"
            raise ValueError(f"weights must be {powers}, not {int(min(unlike))}")
        powers = 1 << np.array(self._distances)
        index = np.searchsorted(powers, np.maximum(np.abs(weights), powers[0]))
        return (weights < 0) | (weights != 0) << 1 | index << 2

    def correction(self, weights: NDArray) -> NDArray:
        return (weights < 0).sum(axis=1)

    def compute(self, tap: Any, code: Any) -> Value:
        shifted = _shifted(_as_signed(tap), self._distances, code.index)
        kept = _complemented(shifted, code.negative) & code.nonzero.replicate(len(shifted))
        return kept.as_signed()


_LANES_OF_SIX: dict[str, type[Lanes]] = {"adder": MinimumLanes, "xnor": CountedXnorLanes}
"""Other forms for LUTs of six inputs."""


def lanes_of(
    kernel: str, x: IntType, w: IntType, distances: tuple[int, ...] = (), lut_inputs: int = 4
) -> Lanes:
    """The form of a kernel that takes the fewest cells for these types; all give the same."""
    if kernel == "adder" and DistanceLanes.fits(x, w, lut_inputs):
        return DistanceLanes(x, w)
    if lut_inputs == 6 and kernel in _LANES_OF_SIX:
        return _LANES_OF_SIX[kernel](x, w)
    return LANES[kernel](x, w, distances)


def distances_of(weights: NDArray) -> tuple[int, ...]:
    """Ascending p of the weights +-2**p; (0,) where all weights are 0."""
    sizes = {int(size) for size in np.abs(weights).flat if size}
    return tuple(sorted(size.bit_length() - 1 for size in sizes)) or (0,)


def _raised(value: Value, kind: IntType, both: IntType) -> Value:
    """value + kind.low - both.low for values without sign: the bits above are those of a sign."""
    if kind.bits == both.bits:
        return value
    if not kind.signed:
        return Cat(value, Const(both.signed << (both.bits - 1 - kind.bits), both.bits - kind.bits))
    return Cat(value[:-1], (~value[-1]).replicate(both.bits - kind.bits), value[-1])


def _in_code_order(kind: IntType) -> list[int]:
    """The values of a type in the order of the bits that stand for them."""
    values = range(kind.low, kind.high + 1)
    return sorted(values, key=lambda value: value % (1 << kind.bits))


def _refuse_bipolar(name: str, kind: IntType) -> None:
    if kind.bipolar:
        raise ValueError(f"{name} must be an integer type for this kernel, not {kind}")


def _with_complements(values: Interval) -> IntType:
    return values.hull(Interval(~values.high, ~values.low)).type()


def _as_signed(tap: Value) -> Value:
    return tap if tap.shape().signed else Cat(tap, 0).as_signed()


def _complemented(value: Value, negative: Value) -> Value:
    """``~value = -value - 1`` where ``negative``."""
    return (value ^ negative.replicate(len(value))).as_signed()


def _shifted(value: Value, distances: Sequence[int], index: Value) -> Value:
    """value << distances[index]: one stage of a barrel where its upper half repeats the lower."""
    if len(distances) == 1:
        return value << distances[0]
    bits = ceil_log2(len(distances)) - 1
    low, high = distances[: 1 << bits], distances[1 << bits :]
    further = high[0] - low[0]
    if all(b - a == further for a, b in zip(low, high, strict=False)):
        return _shifted(Mux(index[bits], value << further, value), low, index)
    upper = _shifted(value, high, index)
    return Mux(index[bits], upper, _shifted(value, low, index))


LANES: dict[str, type[Lanes]] = {
    "multiply": MultiplyLanes,
    "adder": AdderLanes,
    "xnor": XnorLanes,
    "sign": SignLanes,
    "shift": ShiftLanes,
}
"""Kernels an array can have, keys of numerics.KERNELS."""
