"""What a node that reads windows looks like to the hardware."""

from dataclasses import dataclass
from typing import Any

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    AdderLinear,
    AnyNode,
    Conv2d,
    Linear,
    MaxPool,
    XnorConv2d,
    XnorLinear,
)
from hwgen_rtl.numerics import BIPOLAR, IntType, output_size
from hwgen_rtl.widen import TERNARY

__all__ = [
    "Geometry",
    "divisors",
    "geometry",
    "is_depthwise",
    "kernel_of",
    "operand_type",
    "stream_source",
]

_KERNELS = {
    "adder_conv2d": "adder",
    "adder_linear": "adder",
    "xnor_conv2d": "xnor",
    "xnor_linear": "xnor",
    "pow2_conv2d": "shift",
}


def kernel_of(graph: Graph, node: Any) -> str:
    """Kernel kind of the array that computes a layer; weights of +-1 need no multiplier."""
    if node.kind in _KERNELS:
        return _KERNELS[node.kind]
    weight = graph.tensors[node.weight]
    # between its groups, the weights of a grouped layer are 0
    signs = BIPOLAR.holds(weight) and getattr(node, "groups", 1) == 1
    return "sign" if signs else "multiply"


def is_depthwise(graph: Graph, node: AnyNode) -> bool:
    """Say whether each output channel reads the input channel of its own number."""
    if not isinstance(node, Conv2d) or node.groups == 1:
        return False
    return node.groups == node.shape[0] == stream_source(graph, node.inputs[0]).shape[0]


def operand_type(graph: Graph, node: AnyNode) -> IntType:
    """Type of what a node computes with: bits stay bits where no 0 can come in."""
    source = stream_source(graph, node.inputs[0])
    assert source.type is not None
    if not source.type.bipolar or isinstance(node, MaxPool | XnorLinear):
        return source.type
    if isinstance(node, XnorConv2d) and (node.pad != "zero" or node.padding == (0, 0)):
        return source.type
    return TERNARY


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Windows over a (channels, height, width) image; a linear layer is one window over all."""

    channels: int
    height: int
    width: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    outputs: int
    x: IntType

    @property
    def padded(self) -> tuple[int, int]:
        """Height and width with padding."""
        return self.height + 2 * self.padding[0], self.width + 2 * self.padding[1]

    @property
    def windows(self) -> tuple[int, int]:
        """Output rows and columns."""
        return (
            output_size(self.height, self.kernel[0], self.stride[0], self.padding[0]),
            output_size(self.width, self.kernel[1], self.stride[1], self.padding[1]),
        )

    @property
    def taps(self) -> int:
        """Taps per output."""
        return self.channels * self.kernel[0] * self.kernel[1]


def stream_source(graph: Graph, name: str) -> AnyNode:
    """The node whose stream carries ``name``: flatten has none of its own."""
    node = graph[name]
    while node.kind == "flatten":
        node = graph[node.inputs[0]]
    return node


def geometry(graph: Graph, node: AnyNode) -> Geometry:
    """Window geometry of a layer or pool on the stream it reads."""
    source = stream_source(graph, node.inputs[0])
    channels, height, width = source.shape if len(source.shape) == 3 else (*source.shape, 1, 1)
    linear = isinstance(node, Linear | AdderLinear | XnorLinear)
    return Geometry(
        channels=channels,
        height=height,
        width=width,
        kernel=(height, width) if linear else getattr(node, "kernel", (1, 1)),
        stride=getattr(node, "stride", (1, 1)),
        padding=getattr(node, "padding", (0, 0)),
        outputs=node.shape[0],
        x=operand_type(graph, node),
    )


def divisors(n: int) -> list[int]:
    """All divisors, ascending."""
    return [d for d in range(1, n + 1) if n % d == 0]
