"""Interval arithmetic over an integer graph, and the proof that nothing overflows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import CheckFailed
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    AdderConv2d,
    AdderLinear,
    AnyNode,
    Argmax,
    AvgPool,
    Conv2d,
    Flatten,
    Input,
    Linear,
    MaxPool,
    Requantize,
)
from hwgen_rtl.numerics import Interval, IntType

__all__ = ["Bounds", "Width", "bounds_of", "intervals", "prove"]

_WIDEST = (1 << 63) - 1


@dataclass(frozen=True)
class Bounds:
    """Smallest and largest value of every channel, int64 (C,); of every element for vectors."""

    low: NDArray
    high: NDArray

    @property
    def hull(self) -> Interval:
        """One interval for all channels."""
        return Interval(int(self.low.min()), int(self.high.max()))

    def with_zero(self) -> "Bounds":
        """Also hold 0, the value of a padded tap."""
        return Bounds(np.minimum(self.low, 0), np.maximum(self.high, 0))


@dataclass(frozen=True)
class Width:
    """One line of the proof: what a node can produce, and the type that holds it."""

    node: str
    kind: str
    interval: Interval
    type: IntType


def intervals(graph: Graph) -> dict[str, Interval]:
    """Every node's values for all inputs of the input type, as one interval a node."""
    return {name: bounds.hull for name, bounds in _all_bounds(graph).items()}


def prove(graph: Graph) -> tuple[Width, ...]:
    """Show for all inputs that every node's values fit its type; CheckFailed otherwise."""
    hulls = intervals(graph)
    for node in graph.nodes:
        needed, kind = hulls[node.name].type(), node.type
        if kind is None:
            raise CheckFailed(f"{node.name} has no integer type; quantize the graph first.")
        if not kind.low <= hulls[node.name].low <= hulls[node.name].high <= kind.high:
            raise CheckFailed(
                f"{node.name} can reach {hulls[node.name].low}..{hulls[node.name].high}, which "
                f"needs {needed}, but its type is {kind}; widen the type."
            )
    return tuple(Width(n.name, n.kind, hulls[n.name], n.type) for n in graph.nodes if n.type)


def _all_bounds(graph: Graph) -> dict[str, Bounds]:
    found: dict[str, Bounds] = {}
    for node in graph.nodes:
        before = found[node.inputs[0]] if node.inputs else None
        found[node.name] = bounds_of(node, before, graph)
    return found


def bounds_of(node: AnyNode, before: Bounds | None, graph: Graph) -> Bounds:
    """Bounds of one node, from the bounds of the node that feeds it."""
    rule = _RULES.get(type(node))
    if rule is None:
        raise CheckFailed(f"{node.name} is a float node ({node.kind}); quantize the graph first.")
    if before is not None and any(getattr(node, "padding", (0, 0))) and node.kind != "max_pool":
        before = before.with_zero()
    return rule(node, before, graph)


def _input(node: Input, before: None, graph: Graph) -> Bounds:
    if node.type is None:
        raise CheckFailed(f"{node.name} has no integer type; quantize the graph first.")
    channels = np.ones(node.shape[0], dtype=np.int64)
    return Bounds(channels * node.type.low, channels * node.type.high)


def _multiply(node: Conv2d | Linear, before: Bounds, graph: Graph) -> Bounds:
    weight = _rows(graph.tensors[node.weight])
    low, high = before.low[:, None], before.high[:, None]
    bias = 0 if node.bias is None else graph.tensors[node.bias]
    smallest = np.minimum(weight * low, weight * high).sum(axis=(1, 2))
    largest = np.maximum(weight * low, weight * high).sum(axis=(1, 2))
    return Bounds(smallest + bias, largest + bias)


def _adder(node: AdderConv2d | AdderLinear, before: Bounds, graph: Graph) -> Bounds:
    weight = _rows(graph.tensors[node.weight])
    low, high = before.low[:, None], before.high[:, None]
    farthest = np.maximum(np.abs(weight - low), np.abs(weight - high)).sum(axis=(1, 2))
    nearest = np.abs(weight - np.clip(weight, low, high)).sum(axis=(1, 2))
    return Bounds(-farthest, -nearest)


def _rows(weight: NDArray) -> NDArray:
    """Weights (O, C, kh, kw) or (O, K) as (O, C, taps of one channel)."""
    return weight.reshape(*weight.shape[:2], -1)


def _max_pool(node: MaxPool, before: Bounds, graph: Graph) -> Bounds:
    return before


def _avg_pool(node: AvgPool, before: Bounds, graph: Graph) -> Bounds:
    taps = node.kernel[0] * node.kernel[1]
    return Bounds(before.low * taps, before.high * taps)


def _flatten(node: Flatten, before: Bounds, graph: Graph) -> Bounds:
    pixels = node.shape[0] // len(before.low)
    return Bounds(before.low.repeat(pixels), before.high.repeat(pixels))


def _requantize(node: Requantize, before: Bounds, graph: Graph) -> Bounds:
    assert node.type is not None
    multiplier = graph.tensors[node.multiplier].astype(object)
    bias = graph.tensors[node.bias].astype(object) + ((1 << node.shift) >> 1)
    ends = [acc.astype(object) * multiplier + bias for acc in (before.low, before.high)]
    if (widest := max(abs(value) for end in ends for value in end)) > _WIDEST:
        raise CheckFailed(
            f"{node.name}: acc*m + b can reach {widest}, beyond 63 bits; use a smaller shift."
        )
    low, high = (np.array(end >> node.shift, dtype=np.int64) for end in ends)
    return Bounds(node.type.clamp(np.minimum(low, high)), node.type.clamp(np.maximum(low, high)))


def _argmax(node: Argmax, before: Bounds, graph: Graph) -> Bounds:
    return Bounds(np.zeros(1, dtype=np.int64), np.array([len(before.low) - 1]))


_RULES: dict[type, Callable[[Any, Any, Graph], Bounds]] = {
    Input: _input,
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
