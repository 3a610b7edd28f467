"""Weights as integers: scaled per channel for products, clamped exactly for distances."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen_rtl.numerics import IntType

__all__ = ["AdderWeights", "adder_weights", "multiply_weights", "pow2_weights"]


def multiply_weights(weight: NDArray, bits: int, per_channel: bool) -> tuple[NDArray, NDArray]:
    """Integers of int<bits> and scales (O,) or (1,): s = max abs(w) / (2**(bits-1) - 1).

    Weights that are all plus or minus one number, in each channel where ``per_channel``, become
    plus and minus 1, exactly.
    """
    rows = np.abs(weight).reshape(len(weight), -1)
    if np.ptp(rows, axis=1 if per_channel else None).max() == 0 and rows.min() > 0:
        return np.where(weight > 0, 1, -1), rows[:, 0] if per_channel else rows[0, :1]
    largest = rows.max(axis=1) if per_channel else rows.max(keepdims=True).reshape(1)
    kind = IntType(bits, signed=True)
    scale = np.where(largest > 0, largest, 1.0) / kind.high
    steps = np.rint(weight / scale.reshape(-1, *[1] * (weight.ndim - 1)))
    return kind.clamp(steps), scale


def pow2_weights(weight: NDArray) -> tuple[NDArray, NDArray]:
    """Weights 0 or +-2**p as integers, and their scale (1,): the smallest 2**p among them."""
    sizes = np.abs(weight[weight != 0])
    scale = sizes.min() if sizes.size else 1.0
    return np.rint(weight / scale).astype(np.int64), np.array([scale])


@dataclass(frozen=True)
class AdderWeights:
    """Weights inside the range of x, and the sum of what was cut off, (O,)."""

    weight: NDArray
    excess: NDArray


def adder_weights(weight: NDArray, scale: float, kind: IntType) -> AdderWeights:
    """Weights on the grid of x, clamped to its type ``kind``.

    For every x of ``kind``: sum abs(x - w) = sum abs(x - clip(w)) + excess, exactly, with
    excess[o] = sum_k abs(w - clip(w)); a padded tap is x = 0, which ``kind`` holds too.
    """
    steps = np.rint(weight / scale).astype(np.int64)
    clipped = kind.clamp(steps)
    excess = np.abs(steps - clipped).reshape(len(weight), -1).sum(axis=1)
    return AdderWeights(clipped, excess)
