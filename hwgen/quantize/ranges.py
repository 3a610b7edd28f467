"""Interval arithmetic over an integer graph, and the proof that nothing overflows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import CheckFailed
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    Add,
    AdderConv2d,
    AdderLinear,
    AnyNode,
    Argmax,
    AvgPool,
    Concat,
    Conv2d,
    Flatten,
    Input,
    Linear,
    Lut,
    MaxPool,
    PixelShuffle,
    Pow2Conv2d,
    Requantize,
    Shift2d,
    Slice,
    Threshold,
    UpsampleNearest,
    WinogradAdderConv2d,
    XnorConv2d,
    XnorLinear,
)
from hwgen_rtl.numerics import Interval, IntType
from hwgen_rtl.winograd import INPUT_TRANSFORM, OUTPUT_TRANSFORMS, linear_ends

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
        found[node.name] = bounds_of(node, graph, *(found[name] for name in node.inputs))
    return found


def bounds_of(node: AnyNode, graph: Graph, *inputs: Bounds) -> Bounds:
    """Bounds of one node, from the bounds of the nodes that feed it."""
    rule = _RULES.get(type(node))
    if rule is None:
        raise CheckFailed(f"{node.name} is a float node ({node.kind}); quantize the graph first.")
    if any(getattr(node, "padding", (0, 0))) and node.kind != "max_pool":
        inputs = tuple(before.with_zero() for before in inputs)
    return rule(node, graph, *inputs)


def _input(node: Input, graph: Graph) -> Bounds:
    if node.type is None:
        raise CheckFailed(f"{node.name} has no integer type; quantize the graph first.")
    channels = np.ones(node.shape[0], dtype=np.int64)
    return Bounds(channels * node.type.low, channels * node.type.high)


def _multiply(node: Any, graph: Graph, before: Bounds) -> Bounds:
    weight = _rows(graph.tensors[node.weight])
    low, high = _of_group(node, before)
    bias = getattr(node, "bias", None)
    bias = 0 if bias is None else graph.tensors[bias]
    smallest = np.minimum(weight * low, weight * high).sum(axis=(1, 2))
    largest = np.maximum(weight * low, weight * high).sum(axis=(1, 2))
    return Bounds(smallest + bias, largest + bias)


def _adder(node: AdderConv2d | AdderLinear, graph: Graph, before: Bounds) -> Bounds:
    weight = _rows(graph.tensors[node.weight])
    low, high = before.low[:, None], before.high[:, None]
    farthest = np.maximum(np.abs(weight - low), np.abs(weight - high)).sum(axis=(1, 2))
    nearest = np.abs(weight - np.clip(weight, low, high)).sum(axis=(1, 2))
    return Bounds(-farthest, -nearest)


def _of_group(node: Any, before: Bounds) -> tuple[NDArray, NDArray]:
    """Ends of the channels that each output channel reads, (O or 1, C/groups, 1)."""
    groups = getattr(node, "groups", 1)
    repeats = node.shape[0] // groups if groups > 1 else 1
    low, high = (end.reshape(groups, -1, 1) for end in (before.low, before.high))
    return low.repeat(repeats, axis=0), high.repeat(repeats, axis=0)


def _winograd(node: WinogradAdderConv2d, graph: Graph, before: Bounds) -> Bounds:
    """V = B' d B, M = -sum abs(w - V), Y = A' M A, each as 16 (or 4) intervals."""
    before = before.with_zero()
    spread = np.kron(INPUT_TRANSFORM, INPUT_TRANSFORM)
    combine = np.kron(OUTPUT_TRANSFORMS[node.variant], OUTPUT_TRANSFORMS[node.variant])
    ends = (np.repeat(end[:, None], 16, axis=1) for end in (before.low, before.high))
    low, high = linear_ends(spread, *ends)
    weight = graph.tensors[node.weight].reshape(*node.shape[:1], -1, 16)
    farthest = np.maximum(np.abs(weight - low), np.abs(weight - high)).sum(axis=1)
    nearest = np.abs(weight - np.clip(weight, low, high)).sum(axis=1)
    low, high = linear_ends(combine, -farthest, -nearest)
    return Bounds(low.min(axis=1), high.max(axis=1))


def _rows(weight: NDArray) -> NDArray:
    """Weights (O, C, kh, kw) or (O, K) as (O, C, taps of one channel)."""
    return weight.reshape(*weight.shape[:2], -1)


def _max_pool(node: MaxPool, graph: Graph, before: Bounds) -> Bounds:
    return before


def _avg_pool(node: AvgPool, graph: Graph, before: Bounds) -> Bounds:
    taps = node.kernel[0] * node.kernel[1]
    return Bounds(before.low * taps, before.high * taps)


def _flatten(node: Flatten, graph: Graph, before: Bounds) -> Bounds:
    pixels = node.shape[0] // len(before.low)
    return Bounds(before.low.repeat(pixels), before.high.repeat(pixels))


def _requantize(node: Requantize, graph: Graph, before: Bounds) -> Bounds:
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


def _threshold(node: Threshold, graph: Graph, before: Bounds) -> Bounds:
    assert node.type is not None
    return Bounds(*(np.full(node.shape[0], end) for end in (node.type.low, node.type.high)))


def _lut(node: Lut, graph: Graph, before: Bounds) -> Bounds:
    table = graph.tensors[node.table]
    tables = (table[channel % len(table)] for channel in range(node.shape[0]))
    reached = [
        values[low - node.low : high - node.low + 1]
        for values, low, high in zip(tables, before.low, before.high, strict=True)
    ]
    return Bounds(*(np.array([end(values) for values in reached]) for end in (np.min, np.max)))


def _add(node: Add, graph: Graph, a: Bounds, b: Bounds) -> Bounds:
    return Bounds(a.low + b.low, a.high + b.high)


def _concat(node: Concat, graph: Graph, *parts: Bounds) -> Bounds:
    lows, highs = [part.low for part in parts], [part.high for part in parts]
    return Bounds(np.concatenate(lows), np.concatenate(highs))


def _slice(node: Slice, graph: Graph, before: Bounds) -> Bounds:
    return Bounds(before.low[node.start : node.stop], before.high[node.start : node.stop])


def _shift2d(node: Shift2d, graph: Graph, before: Bounds) -> Bounds:
    return before.with_zero()


def _pixel_shuffle(node: PixelShuffle, graph: Graph, before: Bounds) -> Bounds:
    low, high = (end.reshape(node.shape[0], -1) for end in (before.low, before.high))
    return Bounds(low.min(axis=1), high.max(axis=1))


def _unchanged(node: UpsampleNearest, graph: Graph, before: Bounds) -> Bounds:
    return before


def _argmax(node: Argmax, graph: Graph, before: Bounds) -> Bounds:
    return Bounds(np.zeros(1, dtype=np.int64), np.array([len(before.low) - 1]))


_RULES: dict[type, Callable[..., Bounds]] = {
    Input: _input,
    Conv2d: _multiply,
    Linear: _multiply,
    AdderConv2d: _adder,
    AdderLinear: _adder,
    MaxPool: _max_pool,
    AvgPool: _avg_pool,
    Flatten: _flatten,
    Pow2Conv2d: _multiply,
    XnorConv2d: _multiply,
    XnorLinear: _multiply,
    WinogradAdderConv2d: _winograd,
    Threshold: _threshold,
    Lut: _lut,
    Add: _add,
    Concat: _concat,
    Slice: _slice,
    Shift2d: _shift2d,
    PixelShuffle: _pixel_shuffle,
    UpsampleNearest: _unchanged,
    Requantize: _requantize,
    Argmax: _argmax,
}
