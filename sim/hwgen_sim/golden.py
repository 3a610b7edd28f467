"""The golden model: the integer graph computed exactly and readably, one rule per node kind.

docs/numerics.md in code. Everything else that computes the graph is compared with this.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import CheckFailed, InputError
from hwgen.inputs import to_real
from hwgen.ir.graph import Graph
from hwgen.ir.kernels import from_rows, to_taps
from hwgen.ir.nodes import (
    AdderConv2d,
    AdderLinear,
    AnyNode,
    Argmax,
    AvgPool,
    Conv2d,
    Flatten,
    Linear,
    MaxPool,
    Requantize,
)
from hwgen_rtl.numerics import KERNELS, requantize, windows

__all__ = ["RULES", "check_input", "checked", "prepare", "rows", "run", "taps"]

IntArray = NDArray[np.int64]
Tensors = Mapping[str, NDArray]


def prepare(graph: Graph, images: NDArray) -> IntArray:
    """The host's step: images (N, C, H, W), uint8 pixels or real values, as input integers.

    q = clamp(floor(x/scale + 0.5)), where a pixel p is x = (p/255 - mean) / std, in float64.
    """
    node = graph.input
    if images.shape[1:] != node.shape:
        raise InputError(
            f"images have shape {images.shape}, but {node.name} takes (N, "
            f"{', '.join(map(str, node.shape))}); give images of that size."
        )
    assert node.type is not None
    assert node.scale is not None
    real = to_real(images, node.mean, node.std)
    return node.type.clamp(np.floor(real / node.scale[0] + 0.5))


def run(graph: Graph, images: IntArray) -> dict[str, IntArray]:
    """Every node's integers (N, *shape) for input integers (N, *shape) from `prepare`."""
    values = {graph.input.name: check_input(graph, images)}
    for node in graph.nodes[1:]:
        rule = RULES[type(node)]
        values[node.name] = checked(node, rule(node, values[node.inputs[0]], graph.tensors))
    return values


def check_input(graph: Graph, images: NDArray) -> IntArray:
    """Refuse what is not integers of the input's shape and type."""
    node = graph.input
    if images.dtype.kind not in "iu" or images.shape[1:] != node.shape:
        raise InputError(
            f"{node.name} takes integers of shape (N, {', '.join(map(str, node.shape))}), not "
            f"{images.dtype} of {images.shape}; call prepare first."
        )
    return checked(node, images.astype(np.int64))


def checked(node: AnyNode, values: IntArray) -> IntArray:
    """Return ``values``; CheckFailed where one is outside the node's type."""
    if node.type is None:
        raise CheckFailed(f"{node.name} has no integer type; quantize the graph first.")
    if not node.type.holds(values):
        raise CheckFailed(
            f"{node.name} holds {values.min()}..{values.max()}, outside its type {node.type}."
        )
    return values


def _multiply(node: Conv2d | Linear, x: IntArray, tensors: Tensors) -> IntArray:
    acc = KERNELS["multiply"](taps(node, x), rows(tensors[node.weight]))
    if node.bias is not None:
        acc = acc + tensors[node.bias]
    return from_rows(acc, len(x), node.shape)


def _adder(node: AdderConv2d | AdderLinear, x: IntArray, tensors: Tensors) -> IntArray:
    acc = KERNELS["adder"](taps(node, x), rows(tensors[node.weight]))
    return from_rows(acc, len(x), node.shape)


def taps(node: Any, x: NDArray) -> NDArray:
    """Rows of what one output sees: (N, K) of a vector, (N*OH*OW, C*kh*kw) of an image."""
    if x.ndim == 2:
        return x
    return to_taps(windows(x, node.kernel, node.stride, node.padding))


def rows(weight: NDArray) -> IntArray:
    """Weights (O, ...) as (O, K)."""
    return weight.reshape(len(weight), -1).astype(np.int64)


def _max_pool(node: MaxPool, x: IntArray, tensors: Tensors) -> IntArray:
    assert node.type is not None
    view = windows(x, node.kernel, node.stride, node.padding, pad_value=node.type.low)
    return view.max(axis=(4, 5)).transpose(0, 3, 1, 2)


def _avg_pool(node: AvgPool, x: IntArray, tensors: Tensors) -> IntArray:
    view = windows(x, node.kernel, node.stride, node.padding)
    return view.sum(axis=(4, 5)).transpose(0, 3, 1, 2)


def _flatten(node: Flatten, x: IntArray, tensors: Tensors) -> IntArray:
    return x.reshape(len(x), *node.shape)


def _requantize(node: Requantize, x: IntArray, tensors: Tensors) -> IntArray:
    assert node.type is not None
    channels = (-1,) + (1,) * (x.ndim - 2)
    multiplier = tensors[node.multiplier].reshape(channels)
    return requantize(x, multiplier, tensors[node.bias].reshape(channels), node.shift, node.type)


def _argmax(node: Argmax, x: IntArray, tensors: Tensors) -> IntArray:
    return x.argmax(axis=1, keepdims=True)


RULES: dict[type, Callable[[Any, IntArray, Tensors], IntArray]] = {
    Conv2d: _multiply,
    Linear: _multiply,
    AdderConv2d: _adder,
    AdderLinear: _adder,
    MaxPool: _max_pool,
    AvgPool: _avg_pool,
    Flatten: _flatten,
    Requantize: _requantize,
    Argmax: _argmax,
}
