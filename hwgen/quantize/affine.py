"""From a real affine function to the integers of a requantize node."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import InputError

__all__ = ["MAX_SHIFT", "MULTIPLIER_HIGH", "Affine", "fold"]

MULTIPLIER_HIGH = (1 << 17) - 1  # 18 bits signed, symmetric
MAX_SHIFT = 40
_BIAS_LIMIT = 1 << 60


@dataclass(frozen=True)
class Affine:
    """q = clamp((acc*multiplier[c] + bias[c] + 2**(shift-1)) >> shift)."""

    multiplier: NDArray
    bias: NDArray
    shift: int


def fold(name: str, gain: NDArray, offset: NDArray, excess: NDArray) -> Affine:
    """Integers for q = gain[c]*(acc - excess[c]) + offset[c], all (C,), in output steps.

    m = rint(gain * 2**s);  b = rint(offset * 2**s) - excess*m;  s is the largest of 0..40 with
    abs(m) < 2**17. The excess is taken away exactly, so it does not change one output.
    """
    shift = _shift(name, float(np.abs(gain).max()), float(np.abs(offset).max()))
    multiplier = np.rint(np.ldexp(gain, shift)).astype(np.int64)
    bias = np.rint(np.ldexp(offset, shift)).astype(np.int64) - excess * multiplier
    return Affine(multiplier, bias, shift)


def _shift(name: str, gain: float, offset: float) -> int:
    for shift in range(MAX_SHIFT, -1, -1):
        scale = float(1 << shift)
        if round(gain * scale) <= MULTIPLIER_HIGH and offset * scale < _BIAS_LIMIT:
            return shift
    raise InputError(
        f"{name}: its gain of {gain:.3g} and offset of {offset:.3g} output steps do not fit an "
        "18-bit multiplier; give more calibration images or check the batch norm's statistics."
    )
