"""The golden model's integers, faster: compiled adders, exact float64 products, in chunks."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.graph import Graph
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
from hwgen_rtl.numerics import multiply_kernel, windows
from hwgen_sim import golden, rules

__all__ = ["run"]

IntArray = NDArray[np.int64]

_TAP_BYTES = 64 << 20  # of the largest matrix of taps
_EXACT = 1 << 53  # integers that float64 holds


def run(graph: Graph, images: IntArray, keep: Collection[str] | None = None) -> dict[str, IntArray]:
    """Integers (N, *shape) of the nodes in ``keep`` (all of them if None); see golden.run."""
    images = golden.check_input(graph, images)
    names = [node.name for node in graph.nodes if keep is None or node.name in keep]
    size = _chunk(graph)
    parts = [_run(graph, images[i : i + size], names) for i in range(0, len(images), size)]
    if not parts:
        parts = [_run(graph, images, names)]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def _run(graph: Graph, images: IntArray, names: list[str]) -> dict[str, IntArray]:
    values = {graph.input.name: images}
    for node in graph.nodes[1:]:
        rule = _RULES.get(type(node), rules.RULES[type(node)])
        inputs = [values[name] for name in node.inputs]
        values[node.name] = golden.checked(node, rule(node, graph.tensors, *inputs))
    return {name: values[name] for name in names}


def _chunk(graph: Graph) -> int:
    """Images at a time, so that the largest matrix of taps stays bounded."""
    largest = max((_tap_bytes(node, graph) for node in graph.nodes), default=1)
    return max(1, min(256, _TAP_BYTES // largest))


def _tap_bytes(node: Any, graph: Graph) -> int:
    if not hasattr(node, "kernel"):
        return 8
    pixels = node.shape[1] * node.shape[2]
    channels = graph[node.inputs[0]].shape[0]
    return 8 * pixels * channels * node.kernel[0] * node.kernel[1]


def _multiply(node: Any, tensors: rules.Tensors, x: IntArray) -> IntArray:
    if getattr(node, "groups", 1) > 1:
        return rules.RULES[type(node)](node, tensors, x)
    weight = rules.rows(tensors[node.weight])
    taps = rules.taps(node, x)
    largest = int(np.abs(x).max(initial=0)) * int(np.abs(weight).sum(axis=1).max(initial=0))
    if largest < _EXACT:
        acc = np.rint(taps.astype(np.float64) @ weight.T.astype(np.float64)).astype(np.int64)
    else:
        acc = multiply_kernel(taps, weight)
    if (bias := getattr(node, "bias", None)) is not None:
        acc = acc + tensors[bias]
    return from_rows(acc, len(x), node.shape)


def _adder(node: AdderConv2d | AdderLinear, tensors: rules.Tensors, x: IntArray) -> IntArray:
    assert node.type is not None
    weight = rules.rows(tensors[node.weight])
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


def _max_pool(node: MaxPool, tensors: rules.Tensors, x: IntArray) -> IntArray:
    assert node.type is not None
    view = windows(x, node.kernel, node.stride, node.padding, pad_value=node.type.low)
    best = view[..., 0, 0]
    for row, column in np.ndindex(node.kernel):
        best = np.maximum(best, view[..., row, column])
    return best.transpose(0, 3, 1, 2)


_RULES: dict[type, rules.Rule] = {
    Conv2d: _multiply,
    Linear: _multiply,
    Pow2Conv2d: _multiply,
    XnorConv2d: _multiply,
    XnorLinear: _multiply,
    AdderConv2d: _adder,
    AdderLinear: _adder,
    MaxPool: _max_pool,
}
