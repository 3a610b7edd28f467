"""Float graphs without torch, small ones by hand and random ones."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    AdderConv2d,
    AdderLinear,
    AnyNode,
    AvgPool,
    BatchNorm,
    Conv2d,
    Flatten,
    Input,
    Linear,
    MaxPool,
    Relu,
)
from hwgen_rtl.numerics import output_size


class Builder:
    """Appends nodes to a chain; every weight is drawn from one seed."""

    def __init__(self, shape: tuple[int, ...], seed: int = 0, signed: bool = False):
        self.rng = np.random.default_rng(seed)
        mean = (0.4,) if signed else (0.0,)
        self.nodes: list[AnyNode] = [Input(name="image", inputs=(), shape=shape, mean=mean)]
        self.tensors: dict[str, NDArray] = {}

    @property
    def last(self) -> AnyNode:
        return self.nodes[-1]

    def graph(self) -> Graph:
        return Graph("net", tuple(self.nodes), self.tensors)

    def window(self, kind, channels, kernel, stride=(1, 1), padding=(0, 0), **fields):
        """Append a node with a window."""
        size = [
            output_size(s, k, t, p)
            for s, k, t, p in zip(self.last.shape[1:], kernel, stride, padding, strict=True)
        ]
        base = self._base(kind, (channels, *size))
        self.nodes.append(kind(**base, kernel=kernel, stride=stride, padding=padding, **fields))
        return self

    def conv(self, channels, *args, kind=Conv2d, bias=False):
        """Append a convolution or an adder convolution."""
        fields = self._weights(kind, channels, (self.last.shape[0], *args[0]), bias)
        return self.window(kind, channels, *args, **fields)

    def linear(self, size, kind=Linear, bias=False):
        """Append a fully connected layer."""
        fields = self._weights(kind, size, self.last.shape, bias)
        self.nodes.append(kind(**self._base(kind, (size,)), **fields))
        return self

    def pool(self, kind, *args):
        """Append a pool."""
        return self.window(kind, self.last.shape[0], *args)

    def norm(self, relu=True):
        """Append a batch norm that brings every channel near mean 0, and a ReLU."""
        base, channels = self._base(BatchNorm, self.last.shape), self.last.shape[0]
        taps = self._fan_in()
        gain = self.rng.normal(size=channels) / np.sqrt(taps)
        offset = self.rng.normal(size=channels) * 0.5
        if isinstance(self.last, AdderConv2d | AdderLinear):
            offset = offset + gain * taps * 0.8
        name = base["name"]
        self.tensors |= {f"{name}.gain": gain, f"{name}.offset": offset}
        self.nodes.append(BatchNorm(**base, gain=f"{name}.gain", offset=f"{name}.offset"))
        return self.relu() if relu else self

    def relu(self):
        """Append a ReLU."""
        self.nodes.append(Relu(**self._base(Relu, self.last.shape)))
        return self

    def flatten(self):
        """Append a flatten."""
        self.nodes.append(Flatten(**self._base(Flatten, (int(np.prod(self.last.shape)),))))
        return self

    def _fan_in(self) -> int:
        weight = self.tensors.get(f"{self.last.name}.weight")
        return 1 if weight is None else int(np.prod(weight.shape[1:]))

    def _base(self, kind, shape):
        name = f"{kind.__name__.lower()}{len(self.nodes)}"
        return {"name": name, "inputs": (self.last.name,), "shape": shape}

    def _weights(self, kind, channels, shape, bias):
        name = f"{kind.__name__.lower()}{len(self.nodes)}"
        self.tensors[f"{name}.weight"] = self.rng.normal(size=(channels, *shape))
        if not bias:
            return {"weight": f"{name}.weight"}
        self.tensors[f"{name}.bias"] = self.rng.normal(size=channels)
        return {"weight": f"{name}.weight", "bias": f"{name}.bias"}


def images(graph: Graph, count: int, seed: int = 0) -> NDArray:
    """Random pixels."""
    shape = (count, *graph.input.shape)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def extremes(graph: Graph, count: int, seed: int = 0) -> NDArray:
    """Input integers: all lowest, all highest, and random ones of the two."""
    kind = graph.input.type
    assert kind is not None
    picks = np.random.default_rng(seed).integers(0, 2, (count, *graph.input.shape))
    picks[0], picks[1] = 0, 1
    return np.where(picks, kind.high, kind.low)


def random_graph(seed: int) -> Graph:
    """A chain of random layers that ends in class scores."""
    rng = np.random.default_rng(seed)
    channels, size = int(rng.integers(1, 4)), rng.integers(7, 12, 2)
    chain = Builder((channels, *map(int, size)), seed, signed=bool(rng.integers(2)))
    for kind in rng.permutation([Conv2d, AdderConv2d]):
        kernel, stride = (
            tuple(map(int, rng.integers(1, 4, 2))),
            tuple(map(int, rng.integers(1, 3, 2))),
        )
        padding = tuple(int(rng.integers(0, k)) for k in kernel)
        chain.conv(int(rng.integers(1, 6)), kernel, stride, padding, kind=kind)
        for _ in range(int(rng.integers(3))):
            chain.norm(relu=bool(rng.integers(2)))
        if min(chain.last.shape[1:]) >= 2:
            pool = (MaxPool, AvgPool)[int(rng.integers(2))]
            chain.pool(pool, (2, 2), (int(rng.integers(1, 3)), 2), (int(rng.integers(2)), 1))
    chain.flatten().linear(int(rng.integers(2, 5)), AdderLinear)
    if rng.integers(2):
        chain.norm()
    chain.linear(int(rng.integers(2, 5)), (Linear, AdderLinear)[int(rng.integers(2))])
    return chain.norm(relu=False).graph() if rng.integers(2) else chain.graph()


def with_weight(graph: Graph, key: str, value: NDArray) -> Graph:
    """The same graph with another tensor."""
    return replace(graph, tensors={**graph.tensors, key: value})
