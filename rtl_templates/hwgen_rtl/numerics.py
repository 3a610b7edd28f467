"""The arithmetic of the whole project: integer types, kernels, rounding, intervals.

NumPy only. The quantizer, the golden model, the hardware and the cycle and energy models all
read these definitions (docs/numerics.md states them in words).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BIPOLAR",
    "KERNELS",
    "IntType",
    "Interval",
    "adder_kernel",
    "bits_for_sum",
    "ceil_log2",
    "lookup",
    "multiply_kernel",
    "output_size",
    "requantize",
    "threshold",
    "to_steps",
    "windows",
]

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class IntType:
    """A two's complement or unsigned integer of ``bits`` bits, written ``int8`` or ``uint8``.

    ``bipolar`` is the third kind: one bit b that stands for 2b - 1, so -1 or +1 and never 0.
    """

    bits: int
    signed: bool
    bipolar: bool = False

    def __post_init__(self):
        if not isinstance(self.bits, int):
            raise TypeError(f"bits must be an integer, not {self.bits!r}")
        if not 1 <= self.bits <= 64:
            raise ValueError(f"bits must be between 1 and 64, not {self.bits!r}")
        if self.bipolar and (self.bits, self.signed) != (1, True):
            raise ValueError(f"a bipolar type must be one signed bit, not {self.bits!r} bits")

    @classmethod
    def parse(cls, text: str) -> "IntType":
        """Read ``int8``, ``uint8`` or ``bipolar``."""
        if text == "bipolar":
            return BIPOLAR
        digits = text.removeprefix("uint").removeprefix("int")
        if not digits.isdigit() or text not in (f"int{digits}", f"uint{digits}"):
            raise ValueError(
                f"type must be written like 'int8', 'uint8' or 'bipolar', not {text!r}"
            )
        return cls(bits=int(digits), signed=text.startswith("int"))

    @property
    def low(self) -> int:
        """Smallest value."""
        if self.bipolar:
            return -1
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest value."""
        if self.bipolar:
            return 1
        return (1 << (self.bits - self.signed)) - 1

    def clamp(self, values: NDArray) -> IntArray:
        """Saturate ``values`` to this type; the sign, with +1 for 0, where it is bipolar."""
        if self.bipolar:
            return np.where(values >= 0, 1, -1)
        return np.clip(values, self.low, self.high).astype(np.int64)

    def holds(self, values: NDArray) -> bool:
        """Say whether every value fits."""
        if self.bipolar:
            return bool(np.all(np.abs(values) == 1))
        return values.size == 0 or bool(values.min() >= self.low and values.max() <= self.high)

    def encode(self, values: NDArray) -> IntArray:
        """Integers as the bits that stand for them, read as two's complement."""
        return (values + 1) >> 1 if self.bipolar else values

    def decode(self, values: NDArray) -> IntArray:
        """Inverse of `encode`."""
        return 2 * values - 1 if self.bipolar else values

    def __str__(self) -> str:
        if self.bipolar:
            return "bipolar"
        return f"{'int' if self.signed else 'uint'}{self.bits}"


BIPOLAR = IntType(bits=1, signed=True, bipolar=True)
"""The type of one bit b whose value is 2b - 1."""


@dataclass(frozen=True, slots=True)
class Interval:
    """All integers from ``low`` to ``high``, both included."""

    low: int
    high: int

    def __post_init__(self):
        if self.low > self.high:
            raise ValueError(f"low must be at most high, not {self.low!r} > {self.high!r}")

    @classmethod
    def of(cls, kind: IntType) -> "Interval":
        """Range of a type."""
        return cls(kind.low, kind.high)

    def hull(self, other: "Interval") -> "Interval":
        """Smallest interval that holds both."""
        return Interval(min(self.low, other.low), max(self.high, other.high))

    def type(self) -> IntType:
        """Narrowest type that holds every value: unsigned where nothing is negative."""
        if self.low >= 0:
            return IntType(bits=max(1, self.high.bit_length()), signed=False)
        bits = max((~self.low).bit_length(), max(self.high, 0).bit_length()) + 1
        return IntType(bits=bits, signed=True)


def multiply_kernel(taps: IntArray, weights: IntArray) -> IntArray:
    """acc[p, o] = sum_k taps[p, k] * weights[o, k]."""
    return taps @ weights.T


def adder_kernel(taps: IntArray, weights: IntArray) -> IntArray:
    """acc[p, o] = -sum_k abs(taps[p, k] - weights[o, k])  (AdderNet, arXiv 1912.13200)."""
    acc = np.empty((len(taps), len(weights)), dtype=np.int64)
    for o, weight in enumerate(weights):
        acc[:, o] = -np.abs(taps - weight).sum(axis=1)
    return acc


KERNELS: dict[str, Callable[[IntArray, IntArray], IntArray]] = {
    "multiply": multiply_kernel,
    "adder": adder_kernel,
    "xnor": multiply_kernel,
    "sign": multiply_kernel,
    "shift": multiply_kernel,
}
"""The kernel kinds: taps (P, K) and weights (O, K) to accumulators (P, O), all exact integers."""


def requantize(
    acc: IntArray, multiplier: IntArray, bias: IntArray, shift: int, kind: IntType
) -> IntArray:
    """q = clamp((acc * multiplier + bias + 2**(shift-1)) >> shift): floor shift, so ties go up."""
    rounding = (1 << shift) >> 1
    return kind.clamp((acc * multiplier + bias + rounding) >> shift)


def threshold(acc: IntArray, thresholds: IntArray, direction: IntArray, kind: IntType) -> IntArray:
    """n = #{t: direction[c]*acc >= thresholds[c, t]}, and 2n - 1 where ``kind`` is bipolar.

    acc (..., C), thresholds (C, T), direction (C,) of +1 and -1 (a negative batch norm gain).
    """
    reached = (acc * direction)[..., None] >= thresholds
    return kind.decode(reached.sum(axis=-1))


def lookup(x: IntArray, table: IntArray, kind: IntType) -> IntArray:
    """y = table[c, x - low] for x (..., C) of type ``kind``, table (1 or C, 2**bits)."""
    return table[np.arange(x.shape[-1]) % len(table), x - kind.low]


def to_steps(real: NDArray, step: float, kind: IntType) -> IntArray:
    """q = clamp(floor(real/step + 0.5)): half a step rounds up."""
    return kind.clamp(np.floor(real / step + 0.5))


def output_size(size: int, kernel: int, stride: int, padding: int) -> int:
    """Number of windows along one axis: (size + 2*padding - kernel) // stride + 1."""
    return (size + 2 * padding - kernel) // stride + 1


def windows(
    x: NDArray,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    pad_value: int = 0,
) -> NDArray:
    """Cut (N, C, H, W) into windows (N, OH, OW, C, kh, kw); taps outside hold ``pad_value``."""
    (ph, pw), (sh, sw) = padding, stride
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=pad_value)
    view = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(2, 3))
    return view[:, :, ::sh, ::sw].transpose(0, 2, 3, 1, 4, 5)


def bits_for_sum(terms: int, kind: IntType) -> IntType:
    """Type that holds the sum of any ``terms`` values of ``kind``."""
    return Interval(terms * kind.low, terms * kind.high).type()


def ceil_log2(n: int) -> int:
    """Smallest e with 2**e >= n."""
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n!r}")
    return (n - 1).bit_length()
