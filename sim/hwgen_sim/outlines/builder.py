"""Writes a float graph layer by layer; arrays are named, but there are none."""

from dataclasses import dataclass, field
from typing import Any, Literal

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    Add,
    AdderConv2d,
    AnyNode,
    AvgPool,
    BatchNorm,
    Concat,
    Conv2d,
    Flatten,
    Input,
    Linear,
    MaxPool,
    PixelShuffle,
    Pow2Conv2d,
    Relu,
    Shape,
    Shift2d,
    Sign,
    Slice,
    WinogradAdderConv2d,
    XnorConv2d,
)
from hwgen_rtl.numerics import output_size

__all__ = ["Operator", "Sketch"]

Operator = Literal["multiply", "adder", "winograd", "xnor", "shift"]


@dataclass
class Sketch:
    """A network under construction; every method adds a node behind ``source`` and names it.

    Parameters:
        name     : of the network
        shape    : of the input, (C, H, W)
        operator : what the inner layers compute with, see ``inner``
    """

    name: str
    shape: Shape
    operator: Operator = "multiply"
    nodes: dict[str, AnyNode] = field(default_factory=dict)

    def __post_init__(self):
        self.nodes["image"] = Input(name="image", inputs=(), shape=self.shape)

    def graph(self) -> Graph:
        """The network so far."""
        return Graph(self.name, tuple(self.nodes.values()))

    def conv(
        self, source: str, outputs: int, kernel: int, stride: int = 1, *, groups: int = 1
    ) -> str:
        """An ordinary convolution that keeps the size, but for its stride."""
        return self._layer(Conv2d, source, outputs, kernel, stride, {"groups": groups})

    def inner(self, source: str, outputs: int, kernel: int, stride: int = 1) -> str:
        """A layer with the network's operator.

        A Winograd layer that is no 3x3 window of stride 1 is an adder layer; XNOR takes signs.
        """
        match self.operator:
            case "winograd" if (kernel, stride) == (3, 1):
                shape = (outputs, *self.nodes[source].shape[1:])
                return self._put(
                    WinogradAdderConv2d, (source,), shape, weight="", padding=(1, 1), name="conv"
                )
            case "adder" | "winograd":
                return self._layer(AdderConv2d, source, outputs, kernel, stride)
            case "xnor":
                return self._layer(XnorConv2d, self.sign(source), outputs, kernel, stride)
            case "shift":
                return self._layer(Pow2Conv2d, source, outputs, kernel, stride)
            case _:
                return self.conv(source, outputs, kernel, stride)

    def norm(self, source: str) -> str:
        """Batch norm."""
        return self._same(BatchNorm, source, gain="", offset="")

    def relu(self, source: str) -> str:
        """ReLU; networks of signs have none between their layers."""
        return source if self.operator == "xnor" else self._same(Relu, source)

    def sign(self, source: str) -> str:
        """Signs."""
        return self._same(Sign, source)

    def add(self, first: str, second: str) -> str:
        """Sum of two branches."""
        return self._put(Add, (first, second), self.nodes[first].shape)

    def concat(self, *sources: str) -> str:
        """All channels of the branches."""
        channels = sum(self.nodes[source].shape[0] for source in sources)
        return self._put(Concat, sources, (channels, *self.nodes[sources[0]].shape[1:]))

    def first(self, source: str, channels: int) -> str:
        """The first channels, where there are more."""
        shape = self.nodes[source].shape
        if shape[0] == channels:
            return source
        return self._put(Slice, (source,), (channels, *shape[1:]), start=0, stop=channels)

    def shifted(self, source: str) -> str:
        """Every channel one pixel to the left."""
        return self._same(Shift2d, source, offsets=((0, 1),))

    def max_pool(self, source: str, kernel: int, stride: int, padding: int = 0) -> str:
        """Max pool."""
        return self._pool(MaxPool, source, (kernel, kernel), stride, padding)

    def mean(self, source: str) -> str:
        """Mean over all pixels."""
        _, height, width = self.nodes[source].shape
        return self._pool(AvgPool, source, (height, width), 1, 0)

    def shuffle(self, source: str, factor: int) -> str:
        """Channels to pixels."""
        channels, height, width = self.nodes[source].shape
        shape = (channels // factor**2, factor * height, factor * width)
        return self._put(PixelShuffle, (source,), shape, factor=factor)

    def linear(self, source: str, outputs: int) -> str:
        """An ordinary linear layer."""
        shape = self.nodes[source].shape
        if len(shape) > 1:
            count = shape[0] * shape[1] * shape[2]
            source = self._put(Flatten, (source,), (count,))
        return self._put(Linear, (source,), (outputs,), weight="")

    def _layer(
        self,
        kind: Any,
        source: str,
        outputs: int,
        kernel: int,
        stride: int,
        fields: dict[str, Any] | None = None,
    ) -> str:
        padding = kernel // 2
        size = (output_size(n, kernel, stride, padding) for n in self.nodes[source].shape[1:])
        window = {"kernel": (kernel,) * 2, "stride": (stride,) * 2, "padding": (padding,) * 2}
        return self._put(
            kind, (source,), (outputs, *size), name="conv", weight="", **window, **(fields or {})
        )

    def _pool(
        self, kind: Any, source: str, kernel: tuple[int, int], stride: int, padding: int
    ) -> str:
        channels, *size = self.nodes[source].shape
        size = [output_size(n, k, stride, padding) for n, k in zip(size, kernel, strict=True)]
        window = {"kernel": kernel, "stride": (stride,) * 2, "padding": (padding,) * 2}
        return self._put(kind, (source,), (channels, *size), **window)

    def _same(self, kind: Any, source: str, **fields: Any) -> str:
        return self._put(kind, (source,), self.nodes[source].shape, **fields)

    def _put(
        self, kind: Any, inputs: tuple[str, ...], shape: Shape, name: str = "", **fields: Any
    ) -> str:
        stem = name or kind.kind
        number = 1 + sum(key.rstrip("0123456789") == stem for key in self.nodes)
        name = f"{stem}{number}"
        self.nodes[name] = kind(name=name, inputs=inputs, shape=shape, **fields)
        return name
