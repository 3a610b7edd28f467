"""What a node that reads windows looks like to the hardware."""

from dataclasses import dataclass

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AdderConv2d, AdderLinear, AnyNode, AvgPool, Conv2d, Linear, MaxPool
from hwgen_rtl.numerics import IntType, output_size

__all__ = ["KERNEL_OF", "Geometry", "divisors", "geometry", "stream_source"]

KERNEL_OF = {
    "conv2d": "multiply",
    "linear": "multiply",
    "adder_conv2d": "adder",
    "adder_linear": "adder",
}
"""Kernel kind of the array that computes a node."""


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
    shape = source.shape if len(source.shape) == 3 else (*source.shape, 1, 1)
    channels, height, width = shape
    assert source.type is not None
    if isinstance(node, Conv2d | AdderConv2d | MaxPool | AvgPool):
        return Geometry(
            channels=channels,
            height=height,
            width=width,
            kernel=node.kernel,
            stride=node.stride,
            padding=node.padding,
            outputs=node.shape[0],
            x=source.type,
        )
    assert isinstance(node, Linear | AdderLinear)
    return Geometry(
        channels=channels,
        height=height,
        width=width,
        kernel=(height, width),
        outputs=node.shape[0],
        x=source.type,
    )


def divisors(n: int) -> list[int]:
    """All divisors, ascending."""
    return [d for d in range(1, n + 1) if n % d == 0]
