"""Small integer graphs with random weights, for tests of the later stages."""

import numpy as np

from hwgen.frontend.integer_torch import run_integer_torch
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    AdderConv2d,
    AdderLinear,
    Argmax,
    AvgPool,
    Conv2d,
    Flatten,
    Input,
    Linear,
    MaxPool,
    Requantize,
)
from hwgen_rtl.numerics import IntType


class GraphBuilder:
    """Adds one node after the other; accumulators are given wide types."""

    def __init__(self, shape, kind, seed=0):
        self._rng = np.random.default_rng(seed)
        self._tensors = {}
        self._kind = IntType.parse(kind)
        node = Input(name="image", inputs=(), shape=shape, type=self._kind, scale=(1.0,))
        self._nodes = [node]

    def _add(self, node_type, name, shape, kind, **fields):
        before = self._nodes[-1].name
        node = node_type(
            name=name,
            inputs=(before,),
            shape=shape,
            type=IntType.parse(kind),
            scale=(1.0,),
            **fields,
        )
        self._nodes.append(node)
        return self

    def _array(self, name, low, high, shape):
        self._tensors[name] = self._rng.integers(low, high + 1, shape)
        return name

    def conv(self, name, outputs, kernel, stride=(1, 1), padding=(0, 0), adder=False, bits=8):
        """A convolution or adder convolution and its requantize to ``bits`` unsigned bits."""
        channels, *size = self._nodes[-1].shape
        kind = self._nodes[-1].type
        spatial = [(size[n] + 2 * padding[n] - kernel[n]) // stride[n] + 1 for n in range(2)]
        low, high = (kind.low, kind.high) if adder else (-127, 127)
        weight = self._array(f"{name}.weight", low, high, (outputs, channels, *kernel))
        self._add(
            AdderConv2d if adder else Conv2d, name, (outputs, *spatial), "int24",
            kernel=kernel, stride=stride, padding=padding, weight=weight,
        )  # fmt: skip
        return self._requantize(name, bits)

    def linear(self, name, outputs, adder=False, bits=8, last=False):
        """A linear or adder linear layer and, unless ``last``, its requantize."""
        (features,) = self._nodes[-1].shape
        kind = self._nodes[-1].type
        low, high = (kind.low, kind.high) if adder else (-127, 127)
        weight = self._array(f"{name}.weight", low, high, (outputs, features))
        fields = {} if adder else {"bias": self._array(f"{name}.bias", -999, 999, outputs)}
        layer = AdderLinear if adder else Linear
        self._add(layer, name, (outputs,), "int24", weight=weight, **fields)
        return self if last else self._requantize(name, bits)

    def _requantize(self, name, bits):
        """Spread what a few images give over the output's range; some channels are reversed."""
        node = self._nodes[-1]
        seen = run_integer_torch(self._so_far(), self.images(4))[name]
        seen = np.moveaxis(seen, 1, -1).reshape(-1, node.shape[0])
        span = np.maximum(seen.max(axis=0) - seen.min(axis=0), 1) * self._rng.uniform(0.4, 1.1)
        gain = np.minimum((1 << 16 + bits) / span, 131071) * self._rng.choice([-1, 1, 1], len(span))
        gain = gain.astype(np.int64)
        offset = -(seen * gain).mean(axis=0).astype(np.int64) + (1 << 15 + bits)
        self._tensors |= {f"{name}.multiplier": gain, f"{name}.offset": offset}
        return self._add(
            Requantize, f"{name}_q", node.shape, f"uint{bits}",
            multiplier=f"{name}.multiplier", bias=f"{name}.offset", shift=16,
        )  # fmt: skip

    def _so_far(self):
        return Graph("small", tuple(self._nodes), self._tensors)

    def pool(self, name, kernel, stride, padding=(0, 0), average=False):
        """Max pool, or window sum."""
        node = self._nodes[-1]
        spatial = [
            (node.shape[n + 1] + 2 * padding[n] - kernel[n]) // stride[n] + 1 for n in range(2)
        ]
        bits = node.type.bits + (4 if average else 0)
        kind = f"{'int' if node.type.signed else 'uint'}{bits}"
        shape = (node.shape[0], *spatial)
        pool = AvgPool if average else MaxPool
        return self._add(pool, name, shape, kind, kernel=kernel, stride=stride, padding=padding)

    def flatten(self):
        """(C, H, W) to a vector."""
        node = self._nodes[-1]
        return self._add(Flatten, "flatten", (int(np.prod(node.shape)),), str(node.type))

    def graph(self, argmax=True):
        """The finished graph."""
        if argmax:
            self._add(Argmax, "argmax", (1,), "uint4")
        return self._so_far()

    def images(self, count):
        """Random input integers, the ends of the type among them."""
        shape = (count, *self._nodes[0].shape)
        values = self._rng.integers(self._kind.low, self._kind.high + 1, shape)
        ends = self._rng.choice([self._kind.low, self._kind.high], shape)
        return np.where(self._rng.random(shape) < 0.2, ends, values)


def padded_classifier():
    """Both kernels, padding, strides, an overlapping padded pool, linear layers, argmax."""
    return (
        GraphBuilder((2, 7, 8), "int8")
        .conv("conv1", 6, (3, 3), padding=(1, 1), bits=4)
        .pool("pool1", (3, 2), (2, 2), padding=(1, 0))
        .conv("conv2", 4, (3, 3), (2, 2), (1, 1), adder=True, bits=4)
        .flatten()
        .linear("fc1", 12, adder=True, bits=5)
        .linear("fc2", 10, last=True)
    )


def valid_features():
    """No padding, average pool, ends in a feature map."""
    return (
        GraphBuilder((3, 6, 6), "uint4", seed=3)
        .conv("conv1", 4, (3, 2), (1, 1), adder=True, bits=5)
        .pool("pool1", (2, 2), (2, 1), average=True)
        .conv("conv2", 3, (1, 1), bits=6)
    )
