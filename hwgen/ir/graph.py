"""The graph: one frozen dataclass per node kind, each with exactly one output tensor.

A float graph has ``type`` and ``scale`` None everywhere; in an integer graph every node has both:
its output holds integers q of ``type`` and stands for the real value q * scale.
Shapes leave out the batch: (C, H, W) for images, (F,) for vectors.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, PlainSerializer

from hwgen_rtl.numerics import IntType

__all__ = [
    "AdderConv2d",
    "AdderLinear",
    "AnyNode",
    "Argmax",
    "AvgPool",
    "BatchNorm",
    "Conv2d",
    "Flatten",
    "Graph",
    "Input",
    "Layer",
    "Linear",
    "MaxPool",
    "Node",
    "Relu",
    "Requantize",
]

Pair = tuple[int, int]
Shape = tuple[int, ...]
TypeName = Annotated[
    IntType,
    BeforeValidator(lambda text: IntType.parse(text) if isinstance(text, str) else text),
    PlainSerializer(str),
]
"""An IntType that stands in JSON files as ``uint8``."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """What all kinds share.

    Parameters:
        name    : unique; the Verilog module of the node is named after it
        inputs  : names of the nodes that feed it, in order
        shape   : output shape without the batch
        type    : integer type of the output, None in a float graph
        scale   : real value of one step of the output: one number, or one per channel
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: str
    inputs: tuple[str, ...]
    shape: Shape
    type: TypeName | None = None
    scale: tuple[float, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Input(Node):
    """The image that enters; ``mean`` and ``std`` per channel turn pixel/255 into real values."""

    kind: Literal["input"] = "input"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, kw_only=True)
class _Window(Node):
    kernel: Pair
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)


@dataclass(frozen=True, kw_only=True)
class Conv2d(_Window):
    """acc = sum x*w + bias; ``weight`` and ``bias`` are keys of Graph.tensors, (O, C, kh, kw)."""

    kind: Literal["conv2d"] = "conv2d"
    weight: str
    bias: str | None = None


@dataclass(frozen=True, kw_only=True)
class AdderConv2d(_Window):
    """acc = -sum abs(x - w); a padded tap has x = 0 and contributes -abs(w)."""

    kind: Literal["adder_conv2d"] = "adder_conv2d"
    weight: str


@dataclass(frozen=True, kw_only=True)
class Linear(Node):
    """acc[o] = sum_k x[k]*w[o, k] + bias[o]."""

    kind: Literal["linear"] = "linear"
    weight: str
    bias: str | None = None


@dataclass(frozen=True, kw_only=True)
class AdderLinear(Node):
    """acc[o] = -sum_k abs(x[k] - w[o, k])."""

    kind: Literal["adder_linear"] = "adder_linear"
    weight: str


@dataclass(frozen=True, kw_only=True)
class BatchNorm(Node):
    """Float only: y = gain[c]*x + offset[c], the evaluated batch norm (or a layer's bias)."""

    kind: Literal["batch_norm"] = "batch_norm"
    gain: str
    offset: str


@dataclass(frozen=True, kw_only=True)
class Relu(Node):
    """Float only: y = max(x, 0); becomes the clamp of the requantize node."""

    kind: Literal["relu"] = "relu"


@dataclass(frozen=True, kw_only=True)
class MaxPool(_Window):
    """y = max over the window; padded taps never win."""

    kind: Literal["max_pool"] = "max_pool"


@dataclass(frozen=True, kw_only=True)
class AvgPool(_Window):
    """Float: mean over the window, padding counted. Integer: the sum, scale divided by kh*kw."""

    kind: Literal["avg_pool"] = "avg_pool"


@dataclass(frozen=True, kw_only=True)
class Flatten(Node):
    """(C, H, W) to (C*H*W,) in that order; no hardware."""

    kind: Literal["flatten"] = "flatten"


@dataclass(frozen=True, kw_only=True)
class Requantize(Node):
    """q = clamp((acc*multiplier[c] + bias[c] + 2**(shift-1)) >> shift)."""

    kind: Literal["requantize"] = "requantize"
    multiplier: str
    bias: str
    shift: int


@dataclass(frozen=True, kw_only=True)
class Argmax(Node):
    """Index of the largest element of a vector; the first one among equals. Shape (1,)."""

    kind: Literal["argmax"] = "argmax"


Layer = Conv2d | AdderConv2d | Linear | AdderLinear
"""Nodes with weights."""

AnyNode = (
    Input
    | Conv2d
    | AdderConv2d
    | Linear
    | AdderLinear
    | BatchNorm
    | Relu
    | MaxPool
    | AvgPool
    | Flatten
    | Requantize
    | Argmax
)


@dataclass(frozen=True)
class Graph:
    """Nodes in topological order (the input first, the output last) and their arrays."""

    name: str
    nodes: tuple[AnyNode, ...]
    tensors: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))

    def __getitem__(self, name: str) -> AnyNode:
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @property
    def input(self) -> Input:
        """The node where images enter."""
        node = self.nodes[0]
        assert isinstance(node, Input)
        return node

    @property
    def output(self) -> AnyNode:
        """The last node."""
        return self.nodes[-1]

    def users(self, name: str) -> tuple[AnyNode, ...]:
        """Nodes that read the output of ``name``."""
        return tuple(node for node in self.nodes if name in node.inputs)

    def with_nodes(self, nodes: tuple[AnyNode, ...]) -> "Graph":
        """Same tensors, other nodes."""
        return replace(self, nodes=nodes)
