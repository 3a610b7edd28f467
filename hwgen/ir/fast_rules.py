"""The rules of hwgen.ir.rules, faster: compiled adders, exact float64 products."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.kernels import adder_sums, from_columns, from_rows, to_columns
from hwgen.ir.nodes import (
    AdderConv2d,
    AdderLinear,
    Conv2d,
    Linear,
    MaxPool,
    Pow2Conv2d,
    XnorConv2d,
    XnorLinear,
)
from hwgen.ir.rules import RULES, Rule, Tensors, rows, taps
from hwgen_rtl.numerics import multiply_kernel, windows

__all__ = ["FAST_RULES"]

IntArray = NDArray[np.int64]

_EXACT = 1 << 53  # integers that float64 holds


def _multiply(node: Any, tensors: Tensors, x: IntArray) -> IntArray:
    if getattr(node, "groups", 1) > 1:
        return RULES[type(node)](node, tensors, x)
    weight = rows(tensors[node.weight])
    columns = taps(node, x)
    largest = int(np.abs(x).max(initial=0)) * int(np.abs(weight).sum(axis=1).max(initial=0))
    if largest < _EXACT:
        acc = np.rint(columns.astype(np.float64) @ weight.T.astype(np.float64)).astype(np.int64)
    else:
        acc = multiply_kernel(columns, weight)
    if (bias := getattr(node, "bias", None)) is not None:
        acc = acc + tensors[bias]
    return from_rows(acc, len(x), node.shape)


def _adder(node: AdderConv2d | AdderLinear, tensors: Tensors, x: IntArray) -> IntArray:
    assert node.type is not None
    weight = rows(tensors[node.weight])
    largest = max(int(np.abs(part).max(initial=0)) for part in (x, weight))
    kind = _exact_type(max(node.type.bits, largest.bit_length()))
    acc = adder_sums(_columns(node, x.astype(kind)), weight).astype(np.int64)
    return from_columns(acc, len(x), node.shape)


def _columns(node: Any, x: NDArray) -> NDArray:
    if x.ndim == 2:
        return x.T
    return to_columns(windows(x, node.kernel, node.stride, node.padding))


def _exact_type(bits: int) -> type:
    """The fastest type that holds every integer of so many bits, and all sums up to them."""
    if bits <= 24:
        return np.float32
    return np.float64 if bits <= 53 else np.int64


def _max_pool(node: MaxPool, tensors: Tensors, x: IntArray) -> IntArray:
    assert node.type is not None
    view = windows(x, node.kernel, node.stride, node.padding, pad_value=node.type.low)
    best = view[..., 0, 0]
    for row, column in np.ndindex(node.kernel):
        best = np.maximum(best, view[..., row, column])
    return best.transpose(0, 3, 1, 2)


FAST_RULES: dict[type, Rule] = RULES | {
    Conv2d: _multiply,
    Linear: _multiply,
    Pow2Conv2d: _multiply,
    XnorConv2d: _multiply,
    XnorLinear: _multiply,
    AdderConv2d: _adder,
    AdderLinear: _adder,
    MaxPool: _max_pool,
}
