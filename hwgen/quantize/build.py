"""From a float graph and samples to a graph of integers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import InputError
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    AdderConv2d,
    AdderLinear,
    AnyNode,
    Argmax,
    AvgPool,
    BatchNorm,
    Conv2d,
    Flatten,
    Input,
    Linear,
    MaxPool,
    Relu,
    Requantize,
)
from hwgen.quantize.affine import Affine, fold
from hwgen.quantize.calibrate import Observed, input_range, observe, pick_scale
from hwgen.quantize.chain import absorbed, ends_graph, multiply_layers, next_adder
from hwgen.quantize.policy import Policy
from hwgen.quantize.ranges import Bounds, bounds_of, prove
from hwgen.quantize.weights import adder_weights, multiply_weights
from hwgen_rtl.numerics import Interval, IntType

__all__ = ["quantize"]


def quantize(graph: Graph, samples: NDArray, policy: Policy | None = None) -> Graph:
    """Turn a float graph into integers, calibrated on ``samples`` (N, C, H, W).

    Samples are uint8 pixels or real values, as in an images file. The result is proven not to
    overflow, for all inputs (`hwgen.quantize.prove`); docs/numerics.md states every rule.
    """
    if any(node.type is not None for node in graph.nodes):
        raise InputError(f"graph {graph.name} holds integers already; quantize the float graph.")
    policy = policy or Policy()
    builder = _Builder(graph, samples, policy)
    result = builder.build()
    prove(result)
    return result


@dataclass(frozen=True)
class _Edge:
    """Integers on their way: real = (q - excess[c]) * scale[c] + bias[c]."""

    node: AnyNode
    bounds: Bounds
    excess: NDArray
    bias: NDArray

    @property
    def scale(self) -> NDArray:
        assert self.node.scale is not None
        return np.asarray(self.node.scale)

    @property
    def kind(self) -> IntType:
        assert self.node.type is not None
        return self.node.type


class _Builder:
    def __init__(self, graph: Graph, samples: NDArray, policy: Policy):
        self.float, self.policy = graph, policy
        self.seen: Mapping[str, Observed] = observe(graph, samples)
        self.range = input_range(graph, samples)
        layers = multiply_layers(graph)
        self.edge_layers = {layer.name for layer in (layers[:1] + layers[-1:])}
        self.edges: dict[str, _Edge] = {}
        self.nodes: list[AnyNode] = []
        self.tensors: dict[str, NDArray] = {}

    def build(self) -> Graph:
        for node in self.float.nodes:
            if node.name not in self.edges:
                self._visit(node)
        self._classify()
        return Graph(self.float.name, tuple(self.nodes), self.tensors)

    def _visit(self, node: AnyNode) -> None:
        match node:
            case Input():
                edge = self._input(node)
            case Conv2d() | Linear():
                edge = self._multiply(node)
            case AdderConv2d() | AdderLinear():
                edge = self._adder(node)
            case MaxPool() | Flatten():
                edge = self._move(node)
            case AvgPool():
                edge = self._avg_pool(node)
            case BatchNorm() | Relu():  # after a node that is no accumulator
                edge = self._normalize(self._before(node), self._chain(node))
            case _:
                raise InputError(f"{node.name} ({node.kind}) cannot be quantized; remove it.")
        self.edges.setdefault(node.name, edge)

    # -- the nodes ---------------------------------------------------------------------------

    def _input(self, node: Input) -> _Edge:
        low, high = self.range
        kind = IntType(self.policy.at_edge, signed=low < 0)
        step = max(high / kind.high, low / kind.low if low < 0 else 0.0) or 1.0
        return self._put(replace(node, type=kind, scale=(step,)), None)

    def _multiply(self, node: Conv2d | Linear) -> _Edge:
        last = self._scores(node)
        bits = self.policy.at_edge if node.name in self.edge_layers else self.policy.bits
        before = self._before(node)
        weight, steps = multiply_weights(self.float.tensors[node.weight], bits, not last)
        scale = steps * before.scale
        bias = None if node.bias is None else self.float.tensors[node.bias]
        keys = {"weight": self._keep(node.name, "weight", weight), "bias": None}
        if last and bias is not None:
            keys["bias"] = self._keep(node.name, "bias", np.rint(bias / scale).astype(np.int64))
            bias = None
        edge = self._put(self._typed(node, before, scale, **keys), before, bias=bias)
        return edge if last else self._requantize_after(node, edge)

    def _adder(self, node: AdderConv2d | AdderLinear) -> _Edge:
        before = self._before(node)
        found = adder_weights(self.float.tensors[node.weight], before.scale[0], before.kind)
        key = self._keep(node.name, "weight", found.weight)
        edge = self._put(
            self._typed(node, before, before.scale, weight=key), before, excess=found.excess
        )
        if self._scores(node):
            return self._without_excess(edge) if found.excess.any() else edge
        return self._requantize_after(node, edge)

    def _move(self, node: MaxPool | Flatten) -> _Edge:
        before = self._before(node)
        scale = before.scale
        if isinstance(node, Flatten) and len(scale) > 1:
            scale = scale.repeat(node.shape[0] // len(scale))
        return self._put(self._typed(node, before, scale, type=before.kind), before)

    def _avg_pool(self, node: AvgPool) -> _Edge:
        before = self._before(node)
        taps = node.kernel[0] * node.kernel[1]
        edge = self._put(self._typed(node, before, before.scale / taps), before)
        if chain := absorbed(self.float, node):
            return self._normalize(edge, chain)
        if ends_graph(self.float, node):
            return edge
        gain, zero = np.full(node.shape[0], 1 / taps), np.zeros(node.shape[0])
        name = f"{node.name}_requantize"
        affine = fold(name, gain, zero, edge.excess)
        return self._requantize(name, edge, affine, before.kind, float(before.scale[0]))

    # -- requantize --------------------------------------------------------------------------

    def _requantize_after(self, node: AnyNode, edge: _Edge) -> _Edge:
        chain = absorbed(self.float, node)
        done = self._normalize(edge, chain or (node,))
        if not chain:
            return done
        self.edges[node.name] = edge
        return edge

    def _chain(self, node: BatchNorm | Relu) -> tuple[AnyNode, ...]:
        after = absorbed(self.float, node)
        is_pair = isinstance(node, BatchNorm) and after and isinstance(after[0], Relu)
        return (node, *after) if is_pair else (node,)

    def _normalize(self, edge: _Edge, chain: tuple[AnyNode, ...]) -> _Edge:
        """One requantize for the [batch_norm][relu] of ``chain``, or for a bare layer."""
        first, last = chain[0], chain[-1]
        name = first.name if isinstance(first, BatchNorm | Relu) else f"{first.name}_requantize"
        gain, offset = self._real_affine(first, edge)
        kind, step = self._output(last)
        affine = fold(name, gain * edge.scale / step, offset / step, edge.excess)
        done = self._requantize(name, edge, affine, kind, step)
        self.edges.update({node.name: done for node in chain})
        return done

    def _real_affine(self, first: AnyNode, edge: _Edge) -> tuple[NDArray, NDArray]:
        if not isinstance(first, BatchNorm):
            return np.ones_like(edge.bias), edge.bias
        gain, offset = self.float.tensors[first.gain], self.float.tensors[first.offset]
        return gain, offset + gain * edge.bias

    def _output(self, last: AnyNode) -> tuple[IntType, float]:
        signed = not isinstance(last, Relu)
        if ends_graph(self.float, last):
            kind = IntType(self.policy.output_bits, signed)
            largest = max(abs(self.seen[last.name].low), abs(self.seen[last.name].high)) or 1.0
            return kind, 2 * largest / kind.high
        kind = IntType(self.policy.bits, signed)
        adder = next_adder(self.float, last)
        weight = None if adder is None else self.float.tensors[adder.weight]
        return kind, pick_scale(self.seen[last.name], kind, self.policy, weight)

    def _without_excess(self, edge: _Edge) -> _Edge:
        """Take the excess away exactly, in a type as wide as needed: m = 1, shift = 0."""
        affine = Affine(np.ones_like(edge.excess), -edge.excess, 0)
        exact = Bounds(edge.bounds.low - edge.excess, edge.bounds.high - edge.excess)
        name = f"{edge.node.name}_requantize"
        return self._requantize(name, edge, affine, exact.hull.type(), float(edge.scale[0]))

    def _requantize(
        self, name: str, edge: _Edge, affine: Affine, kind: IntType, step: float
    ) -> _Edge:
        node = Requantize(
            name=self._unique(name),
            inputs=(edge.node.name,),
            shape=edge.node.shape,
            type=kind,
            scale=(step,),
            multiplier=self._keep(name, "multiplier", affine.multiplier),
            bias=self._keep(name, "bias", affine.bias),
            shift=affine.shift,
        )
        return self._put(node, edge)

    # -- helpers -----------------------------------------------------------------------------

    def _before(self, node: AnyNode) -> _Edge:
        return self.edges[node.inputs[0]]

    def _scores(self, node: AnyNode) -> bool:
        return not absorbed(self.float, node) and ends_graph(self.float, node)

    def _typed(self, node: Any, before: _Edge, scale: NDArray, **changes: Any) -> Any:
        scales = tuple(float(value) for value in scale)
        return replace(node, inputs=(before.node.name,), scale=scales, **changes)

    def _keep(self, name: str, what: str, array: NDArray) -> str:
        self.tensors[f"{name}.{what}"] = array
        return f"{name}.{what}"

    def _unique(self, name: str) -> str:
        taken = {node.name for node in self.float.nodes if not isinstance(node, BatchNorm | Relu)}
        if name in taken:
            raise InputError(f"a layer is already called {name}; rename it in the model.")
        return name

    def _put(
        self,
        node: AnyNode,
        before: _Edge | None,
        excess: NDArray | None = None,
        bias: NDArray | None = None,
    ) -> _Edge:
        graph = Graph(self.float.name, (), self.tensors)
        bounds = bounds_of(node, None if before is None else before.bounds, graph)
        node = node if node.type is not None else replace(node, type=bounds.hull.type())
        self.nodes.append(node)
        channels = node.shape[0]
        return _Edge(
            node,
            bounds,
            np.zeros(channels, dtype=np.int64) if excess is None else excess,
            np.zeros(channels) if bias is None else bias,
        )

    def _classify(self) -> None:
        last = self.nodes[-1]
        if len(last.shape) == 1 and last.shape[0] > 1:
            kind = Interval(0, last.shape[0] - 1).type()
            self.nodes.append(
                Argmax(name="argmax", inputs=(last.name,), shape=(1,), type=kind, scale=(1.0,))
            )
