"""The float graph computed with NumPy in float64: what the import is checked against."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.graph import Graph
from hwgen.ir.kernels import adder_sums, from_columns, from_rows, to_columns, to_taps
from hwgen.ir.nodes import (
    AdderConv2d,
    AdderLinear,
    AvgPool,
    BatchNorm,
    Conv2d,
    Flatten,
    Linear,
    MaxPool,
    Relu,
)
from hwgen_rtl.numerics import windows

__all__ = ["evaluate", "per_channel"]

Tensors = Mapping[str, NDArray]


def evaluate(graph: Graph, x: NDArray) -> dict[str, NDArray]:
    """Every node's real values for real inputs (N, *shape), as float64 arrays (N, *shape)."""
    values = {graph.input.name: np.asarray(x, dtype=np.float64)}
    for node in graph.nodes[1:]:
        values[node.name] = _RULES[type(node)](node, values[node.inputs[0]], graph.tensors)
    return values


def per_channel(values: NDArray, rank: int) -> NDArray:
    """Shape (C,) so that it broadcasts over (N, C, ...) of ``rank`` axes."""
    return values.reshape(-1, *[1] * (rank - 2))


def _multiply(node: Conv2d | Linear, x: NDArray, tensors: Tensors) -> NDArray:
    weight = tensors[node.weight]
    rows = _rows(node, x) @ weight.reshape(len(weight), -1).T
    if node.bias is not None:
        rows = rows + tensors[node.bias]
    return from_rows(rows, len(x), node.shape)


def _adder(node: AdderConv2d | AdderLinear, x: NDArray, tensors: Tensors) -> NDArray:
    weight = tensors[node.weight]
    sums = adder_sums(_columns(node, x), weight.reshape(len(weight), -1))
    return from_columns(sums, len(x), node.shape)


def _rows(node: Any, x: NDArray) -> NDArray:
    if x.ndim == 2:
        return x
    return to_taps(windows(x, node.kernel, node.stride, node.padding))


def _columns(node: Any, x: NDArray) -> NDArray:
    if x.ndim == 2:
        return x.T
    return to_columns(windows(x, node.kernel, node.stride, node.padding))


def _batch_norm(node: BatchNorm, x: NDArray, tensors: Tensors) -> NDArray:
    gain, offset = (per_channel(tensors[key], x.ndim) for key in (node.gain, node.offset))
    return x * gain + offset


def _max_pool(node: MaxPool, x: NDArray, tensors: Tensors) -> NDArray:
    view = windows(x, node.kernel, node.stride, node.padding, pad_value=-np.inf)  # type: ignore
    return view.max(axis=(4, 5)).transpose(0, 3, 1, 2)


def _avg_pool(node: AvgPool, x: NDArray, tensors: Tensors) -> NDArray:
    view = windows(x, node.kernel, node.stride, node.padding)
    return view.mean(axis=(4, 5)).transpose(0, 3, 1, 2)


def _relu(node: Relu, x: NDArray, tensors: Tensors) -> NDArray:
    return np.maximum(x, 0)


def _flatten(node: Flatten, x: NDArray, tensors: Tensors) -> NDArray:
    return x.reshape(len(x), *node.shape)


_RULES: dict[type, Callable[[Any, NDArray, Tensors], NDArray]] = {
    Conv2d: _multiply,
    Linear: _multiply,
    AdderConv2d: _adder,
    AdderLinear: _adder,
    BatchNorm: _batch_norm,
    Relu: _relu,
    MaxPool: _max_pool,
    AvgPool: _avg_pool,
    Flatten: _flatten,
}
