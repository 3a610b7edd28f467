"""What a graph would be computed in, and how many bits its tensors then have."""

from dataclasses import dataclass
from math import prod
from typing import Any, Self

from hwgen.errors import InputError
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    AnyNode,
    Layer,
    QuantRelu,
    Sign,
    WinogradAdderConv2d,
    XnorConv2d,
    XnorLinear,
)
from hwgen_rtl.numerics import ceil_log2

__all__ = ["Numbers", "Sizes"]

_FLOATS = {"fp32": 32, "fp16": 16}
_WIDEST = 16
_PASSING = (
    "flatten",
    "max_pool",
    "concat",
    "slice",
    "shift2d",
    "pixel_shuffle",
    "upsample_nearest",
)


_OPERATORS = {
    "adder_conv2d": "adder",
    "adder_linear": "adder",
    "pow2_conv2d": "shift",
    "winograd_adder_conv2d": "winograd",
    "xnor_conv2d": "xnor",
    "xnor_linear": "xnor",
}


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Format of activations and weights.

    Parameters:
        bits     : of each, where the graph states no type
        floating : whether they are floats; signs stay one bit
    """

    bits: int = 8
    floating: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """``8``, ``fp32`` and the like."""
        if text in _FLOATS:
            return cls(bits=_FLOATS[text], floating=True)
        if not text.isdecimal() or not 1 <= int(text) <= _WIDEST:
            raise InputError(f"Bits must be 1 to {_WIDEST}, fp16 or fp32, not {text!r}.")
        return cls(bits=int(text))

    def __str__(self) -> str:
        return f"fp{self.bits}" if self.floating else f"{self.bits} bits"


class Sizes:
    """Elements, bits and taps of a graph's nodes."""

    def __init__(self, graph: Graph, numbers: Numbers):
        self.numbers = numbers
        self.nodes = {node.name: node for node in graph.nodes}

    def bits(self, name: str) -> int:
        """Bits of one element of a node's output."""
        node = self.nodes[name]
        while node.type is None and node.inputs and node.kind in _PASSING:
            node = self.nodes[node.inputs[0]]
        if node.type is not None:
            return node.type.bits
        if isinstance(node, Sign):
            return 1
        return node.bits if isinstance(node, QuantRelu) else self.numbers.bits

    def tensor_bits(self, name: str) -> int:
        """Bits of a node's whole output."""
        return self.bits(name) * prod(self.nodes[name].shape)

    def weight_bits(self, node: AnyNode) -> int:
        """Bits of one weight."""
        return 1 if isinstance(node, XnorConv2d | XnorLinear) else self.numbers.bits

    def sum_bits(self, name: str) -> int:
        """Bits of an output before it is brought back to few: a layer's is its accumulator."""
        node = self.nodes[name]
        if node.type is not None or not isinstance(node, Layer):
            return self.bits(name)
        lane = self.lane_bits(node)
        if isinstance(node, WinogradAdderConv2d):
            return lane + ceil_log2(self.nodes[node.inputs[0]].shape[0]) + 4  # sums of 9 sums
        return lane + ceil_log2(self.taps(node))

    def lane_bits(self, node: AnyNode) -> int:
        """Bits of what a lane gives for one tap."""
        x, w = self.bits(node.inputs[0]), self.weight_bits(node)
        match _OPERATORS.get(node.kind):
            case "adder":
                return max(x, w)
            case "winograd":
                return x + 2  # each of two transforms adds two pixels
            case "xnor":
                return 1
            case "shift":
                return x + w - 1  # +-2**p within w bits
        return x + w

    def taps(self, layer: Any) -> int:
        """Taps of one output of a layer that is no Winograd layer."""
        source = self.nodes[layer.inputs[0]].shape
        kernel = getattr(layer, "kernel", source[1:])  # of a linear layer: all that it reads
        return source[0] // getattr(layer, "groups", 1) * prod(kernel)

    def weights(self, node: AnyNode) -> int:
        """Weights of a node; those of a Winograd layer are 4x4."""
        if isinstance(node, WinogradAdderConv2d):
            return node.shape[0] * self.nodes[node.inputs[0]].shape[0] * 16
        return node.shape[0] * self.taps(node) if isinstance(node, Layer) else 0

    def lane_operations(self, node: AnyNode) -> int:
        """Taps evaluated per image; 0 where a node has no weights."""
        if isinstance(node, WinogradAdderConv2d):
            tiles = -(-node.shape[1] // 2) * -(-node.shape[2] // 2)
            return tiles * self.weights(node)
        return prod(node.shape) * self.taps(node) if isinstance(node, Layer) else 0
