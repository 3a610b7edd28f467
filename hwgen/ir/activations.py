"""Functions of one real variable that become tables."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["activation"]


def activation(function: str, x: NDArray, parameter: NDArray) -> NDArray:
    """``prelu``, ``power`` or ``hardswish`` of x (nodes.Activation); parameters broadcast."""
    return _FUNCTIONS[function](x, parameter)


def _prelu(x: NDArray, slope: NDArray) -> NDArray:
    return np.where(x >= 0, x, slope * x)


def _power(x: NDArray, exponent: NDArray) -> NDArray:
    return np.sign(x) * np.abs(x) ** exponent


def _hardswish(x: NDArray, parameter: NDArray) -> NDArray:
    return x * np.clip(x + 3, 0, 6) / 6


_FUNCTIONS: dict[str, Callable[[NDArray, NDArray], NDArray]] = {
    "prelu": _prelu,
    "power": _power,
    "hardswish": _hardswish,
}
