"""The integer graph while it grows."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import InputError
from hwgen.ir.fast_rules import FAST_RULES
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import Activation, Add, AnyNode, Input, Layer, Requantize
from hwgen.quantize.affine import Affine, fold
from hwgen.quantize.functions import lut_node, threshold_node
from hwgen.quantize.ranges import Bounds, bounds_of
from hwgen.quantize.values import Edge, Format, Pending
from hwgen_rtl.numerics import IntType, to_steps

__all__ = ["IntegerNodes", "typed"]


class IntegerNodes:
    """Nodes and arrays of an integer graph in topological order.

    Attributes:
        float   : the float graph they come from
        nodes   : so far
        tensors : so far
        values  : integers (N, *shape) of every node for a few images
    """

    def __init__(self, graph: Graph, images: NDArray):
        """``images`` are real values (N, *shape)."""
        self.float, self._images = graph, images
        self.values: dict[str, NDArray] = {}
        self.nodes: list[AnyNode] = []
        self.tensors: dict[str, NDArray] = {}

    def _compute(self, node: AnyNode) -> None:
        """The integers of the calibration images that are followed."""
        assert node.type is not None
        if isinstance(node, Input):
            assert node.scale is not None
            self.values[node.name] = to_steps(self._images, node.scale[0], node.type)
            return
        before = (self.values[name].astype(np.int64) for name in node.inputs)
        found = FAST_RULES[type(node)](node, self.tensors, *before)
        self.values[node.name] = found.astype(np.int32 if node.type.bits <= 31 else np.int64)

    def graph(self) -> Graph:
        """The finished graph."""
        return Graph(self.float.name, tuple(self.nodes), self.tensors)

    def requantize(self, base: str, edge: Edge, affine: Affine, kind: IntType, step: float) -> Edge:
        """A requantize node behind ``edge``."""
        name = self.unique(base)
        node = Requantize(
            name=name,
            inputs=(edge.node.name,),
            shape=edge.node.shape,
            type=kind,
            scale=(step,),
            multiplier=self.keep(name, "multiplier", affine.multiplier),
            bias=self.keep(name, "bias", affine.bias),
            shift=affine.shift,
        )
        return self.put(node, edge)

    def keep(self, name: str, what: str, array: NDArray) -> str:
        """Store an array; returns its key."""
        self.tensors[f"{name}.{what}"] = array
        return f"{name}.{what}"

    def unique(self, name: str) -> str:
        """A name that no node has; a layer of the model with a name of ours is refused."""
        layers = {n.name for n in self.float.nodes if isinstance(n, Layer | Input | Add)}
        if name in layers:
            raise InputError(f"a layer is already called {name}; rename it in the model.")
        taken = layers | {node.name for node in self.nodes}
        names = (name, *(f"{name}_{n}" for n in range(2, len(taken) + 3)))
        return next(free for free in names if free not in taken)

    def put(
        self,
        node: AnyNode,
        *before: Edge,
        excess: NDArray | None = None,
        bias: NDArray | None = None,
    ) -> Edge:
        """Append a node; a missing type becomes the narrowest that holds all its values."""
        node = replace(node, inputs=tuple(edge.node.name for edge in before))
        graph = Graph(self.float.name, (), self.tensors)
        bounds = bounds_of(node, graph, *(edge.bounds for edge in before))
        node = node if node.type is not None else replace(node, type=bounds.hull.type())
        self._compute(node)
        self.nodes.append(node)
        channels = node.shape[0]
        return Edge(
            node,
            bounds,
            np.zeros(channels, dtype=np.int64) if excess is None else excess,
            np.zeros(channels) if bias is None else bias,
        )

    def scaled(self, value: Pending, wanted: Format) -> Edge:
        """A value without function, or with a ReLU, through a requantize node."""
        step = wanted.step
        affine = fold(
            value.name,
            value.gain * value.edge.scale / step,
            value.offset / step,
            value.edge.excess,
        )
        return self.requantize(value.name, value.edge, affine, wanted.kind, step)

    def threshold(self, value: Pending, native: Format) -> Edge:
        """Signs or few levels of a value."""
        node, arrays = threshold_node(value, native, self.unique(value.name))
        self.tensors |= arrays
        return self.put(node, value.edge)

    def lut(self, function: Activation, before: Edge, wanted: Format) -> Edge:
        """The table of a function, from the integers of ``before`` to ``wanted``."""
        key = function.parameter
        parameter = None if key is None else self.float.tensors[key]
        name = self.unique(function.name)
        node, arrays = lut_node(name, function, before.node, wanted, parameter)
        self.tensors |= arrays
        return self.put(node, before)

    def without_excess(self, edge: Edge) -> Edge:
        """Take the excess away exactly, in a type as wide as needed: m = 1, shift = 0."""
        affine = Affine(np.ones_like(edge.excess), -edge.excess, 0)
        exact = Bounds(edge.bounds.low - edge.excess, edge.bounds.high - edge.excess)
        name = f"{edge.node.name}_requantize"
        return self.requantize(name, edge, affine, exact.hull.type(), float(edge.scale[0]))


def typed(node: Any, scale: NDArray, **changes: Any) -> Any:
    """``node`` with a scale and other changed fields."""
    return replace(node, scale=tuple(float(value) for value in scale), **changes)
