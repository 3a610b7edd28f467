"""Builds small integer graphs of every node kind, with arrays that keep their values spread."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from hwgen.ir.rules import RULES
from hwgen.quantize.ranges import Bounds, bounds_of
from hwgen_rtl.numerics import IntType, output_size
from hwgen_rtl.widen import TERNARY
from hwgen_sim.golden import checked

__all__ = ["Maker"]

Pair = tuple[int, int]
IMAGES = 5


class Maker:
    """Builds an integer graph node by node; what a node computes from a few images stays known.

    Every method appends a node and returns its name; ``x`` names the node that it reads. Types are
    the narrowest that interval analysis allows, arrays are drawn from ``seed``.
    """

    def __init__(self, shape: tuple[int, ...], kind: str, seed: int = 0):
        self.rng = np.random.default_rng(seed)
        self.tensors: dict[str, NDArray] = {}
        node = Input(name="image", inputs=(), shape=shape, type=IntType.parse(kind), scale=(1.0,))
        assert node.type is not None
        self.nodes: dict[str, AnyNode] = {"image": node}
        self.values = {"image": self._images(node.type, (IMAGES, *shape))}
        self._bounds = {"image": bounds_of(node, self.graph())}

    def graph(self) -> Graph:
        """The graph so far."""
        return Graph("random", tuple(self.nodes.values()), self.tensors)

    def shape(self, x: str) -> tuple[int, ...]:
        """Shape of a node."""
        return self.nodes[x].shape

    def kind(self, x: str) -> IntType:
        """Type of a node."""
        kind = self.nodes[x].type
        assert kind is not None
        return kind

    def _images(self, kind: IntType, shape: tuple[int, ...]) -> NDArray:
        """Integers of a type, a third of them at its ends."""
        ends = self.rng.choice([kind.low, kind.high], shape)
        values = ends if kind.bipolar else self.rng.integers(kind.low, kind.high + 1, shape)
        return np.where(self.rng.random(shape) < 1 / 3, ends, values)

    def _put(
        self,
        node_type: Any,
        inputs: Sequence[str],
        shape: Sequence[int],
        kind: IntType | None = None,
        **fields: Any,
    ) -> str:
        name = f"{node_type.kind}_{len(self.nodes)}"
        node = node_type(
            name=name, inputs=tuple(inputs), shape=tuple(shape), type=kind, scale=(1.0,), **fields
        )
        bounds: Bounds = bounds_of(node, self.graph(), *(self._bounds[x] for x in inputs))
        node = node if kind else replace(node, type=bounds.hull.type())
        found = RULES[node_type](node, self.tensors, *(self.values[x] for x in inputs))
        self.nodes[name], self._bounds[name] = node, bounds
        self.values[name] = checked(node, found)
        return name

    def _array(self, what: str, values: NDArray) -> str:
        key = f"{len(self.nodes)}.{what}"
        self.tensors[key] = values.astype(np.int64)
        return key

    def _weights(self, shape: Sequence[int], span: Pair, step: int = 1) -> str:
        """Integers of ``span`` in steps of ``step``: (-1, 1) by 2 has no 0."""
        return self._array("weight", self.rng.choice(np.arange(span[0], span[1] + 1, step), shape))

    def _windows(self, x: str, kernel: Pair, stride: Pair, padding: Pair) -> list[int]:
        sizes = zip(self.shape(x)[1:], kernel, stride, padding, strict=True)
        return [output_size(*size) for size in sizes]

    def conv2d(
        self,
        x: str,
        outputs: int,
        kernel: Pair = (1, 1),
        stride: Pair = (1, 1),
        padding: Pair = (0, 0),
        groups: int = 1,
        weights: Pair = (-8, 7),
        step: int = 1,
        bias: bool = False,
    ) -> str:
        shape = (outputs, self.shape(x)[0] // groups, *kernel)
        return self._put(
            Conv2d,
            [x],
            [outputs, *self._windows(x, kernel, stride, padding)],
            kernel=kernel,
            stride=stride,
            padding=padding,
            groups=groups,
            weight=self._weights(shape, weights, step),
            bias=self._array("bias", self.rng.integers(-99, 99, outputs)) if bias else None,
        )

    def _layer(self, node_type, x, outputs, window, weight, **fields) -> str:
        kernel, stride, padding = window
        size = self._windows(x, kernel, stride, padding)
        fields |= {"kernel": kernel, "stride": stride, "padding": padding, "weight": weight}
        return self._put(node_type, [x], [outputs, *size], **fields)

    def adder_conv2d(
        self,
        x: str,
        outputs: int,
        kernel: Pair = (1, 1),
        stride: Pair = (1, 1),
        padding: Pair = (0, 0),
        weights: Pair = (-8, 7),
    ) -> str:
        weight = self._weights((outputs, self.shape(x)[0], *kernel), weights)
        return self._layer(AdderConv2d, x, outputs, (kernel, stride, padding), weight)

    def pow2_conv2d(
        self,
        x: str,
        outputs: int,
        kernel: Pair = (1, 1),
        stride: Pair = (1, 1),
        padding: Pair = (0, 0),
        powers: Pair = (0, 5),
    ) -> str:
        shape = (outputs, self.shape(x)[0], *kernel)
        sizes = 1 << self.rng.integers(powers[0], powers[1] + 1, shape)
        weight = self._array("weight", sizes * self.rng.choice([-1, 0, 1, 1], shape))
        return self._layer(Pow2Conv2d, x, outputs, (kernel, stride, padding), weight)

    def xnor_conv2d(
        self,
        x: str,
        outputs: int,
        kernel: Pair = (1, 1),
        stride: Pair = (1, 1),
        padding: Pair = (0, 0),
        pad: str = "zero",
    ) -> str:
        weight = self._weights((outputs, self.shape(x)[0], *kernel), (-1, 1), 2)
        return self._layer(XnorConv2d, x, outputs, (kernel, stride, padding), weight, pad=pad)

    def winograd(
        self,
        x: str,
        outputs: int,
        padding: Pair = (1, 1),
        variant: int = 0,
        weights: Pair = (-8, 7),
    ) -> str:
        channels, height, width = self.shape(x)
        return self._put(
            WinogradAdderConv2d,
            [x],
            (outputs, height + 2 * padding[0] - 2, width + 2 * padding[1] - 2),
            padding=padding,
            variant=variant,
            weight=self._weights((outputs, channels, 4, 4), weights),
        )

    def linear(
        self, x: str, outputs: int, weights: Pair = (-8, 7), step: int = 1, bias: bool = False
    ) -> str:
        return self._put(
            Linear,
            [x],
            (outputs,),
            weight=self._weights((outputs, self.shape(x)[0]), weights, step),
            bias=self._array("bias", self.rng.integers(-99, 99, outputs)) if bias else None,
        )

    def adder_linear(self, x: str, outputs: int, weights: Pair = (-8, 7)) -> str:
        weight = self._weights((outputs, self.shape(x)[0]), weights)
        return self._put(AdderLinear, [x], (outputs,), weight=weight)

    def xnor_linear(self, x: str, outputs: int) -> str:
        weight = self._weights((outputs, self.shape(x)[0]), (-1, 1), 2)
        return self._put(XnorLinear, [x], (outputs,), weight=weight)

    def _seen(self, x: str) -> NDArray:
        """What the images give, (values, channels)."""
        return np.moveaxis(self.values[x], 1, -1).reshape(-1, self.shape(x)[0])

    def requantize(self, x: str, kind: str = "uint4", shift: int = 16) -> str:
        """Constants spread what the images give over the type; some channels are reversed."""
        out, seen = IntType.parse(kind), self._seen(x)
        low, high = seen.min(axis=0), seen.max(axis=0)
        span = np.maximum(high - low, 1) * self.rng.uniform(0.5, 1.2, len(low))
        gain = np.clip(((out.high - out.low) << shift) / span, 1, 131071).astype(np.int64)
        gain *= self.rng.choice([-1, 1, 1], len(low))
        bias = ((out.low + out.high + 1) << shift) // 2 - gain * ((low + high) // 2)
        return self._put(
            Requantize,
            [x],
            self.shape(x),
            out,
            multiplier=self._array("multiplier", gain),
            bias=self._array("bias", bias),
            shift=shift,
        )

    def threshold(self, x: str, kind: str = "bipolar") -> str:
        """Thresholds among what the images give; a few are never, or always, reached."""
        out, seen = IntType.parse(kind), self._seen(x)
        channels, source = seen.shape[1], self.kind(x)
        direction = self.rng.choice([-1, 1], channels)
        picks = self.rng.integers(0, len(seen), (out.high, channels))
        steps = np.take_along_axis(seen * direction, picks, axis=0).T
        beyond = max(abs(source.low), source.high) + 1
        odd = self.rng.choice([-beyond, beyond], steps.shape)
        steps = np.where(self.rng.random(steps.shape) < 0.05, odd, steps)
        return self._put(
            Threshold,
            [x],
            self.shape(x),
            out,
            thresholds=self._array("thresholds", np.sort(steps, axis=1)),
            direction=self._array("direction", direction),
        )

    def lut(self, x: str, kind: str = "int5", tables: int = 1) -> str:
        """A random table for all channels, or one for each."""
        source, out = self._number(x), IntType.parse(kind)
        table = self.rng.integers(out.low, out.high + 1, (tables, 1 << source.bits))
        key = self._array("table", table)
        return self._put(Lut, [x], self.shape(x), out, table=key, low=source.low)

    def add(self, a: str, b: str) -> str:
        return self._put(Add, [a, b], self.shape(a))

    def concat(self, *parts: str) -> str:
        channels = sum(self.shape(x)[0] for x in parts)
        shape = (channels, *self.shape(parts[0])[1:])
        return self._put(Concat, parts, shape, self.kind(parts[0]))

    def slice(self, x: str, start: int, stop: int) -> str:
        shape = (stop - start, *self.shape(x)[1:])
        return self._put(Slice, [x], shape, self.kind(x), start=start, stop=stop)

    def shift2d(self, x: str, *offsets: Pair) -> str:
        return self._put(Shift2d, [x], self.shape(x), self._number(x), offsets=offsets)

    def _number(self, x: str) -> IntType:
        """Type of a node's elements where 0 can occur among them."""
        return TERNARY if self.kind(x).bipolar else self.kind(x)

    def max_pool(
        self, x: str, kernel: Pair = (2, 2), stride: Pair = (2, 2), padding: Pair = (0, 0)
    ) -> str:
        return self._pool(MaxPool, x, (kernel, stride, padding), self.kind(x))

    def avg_pool(
        self, x: str, kernel: Pair = (2, 2), stride: Pair = (2, 2), padding: Pair = (0, 0)
    ) -> str:
        return self._pool(AvgPool, x, (kernel, stride, padding))

    def _pool(self, node_type, x: str, window: tuple[Pair, ...], kind: IntType | None = None):
        kernel, stride, padding = window
        shape = [self.shape(x)[0], *self._windows(x, kernel, stride, padding)]
        fields = {"kernel": kernel, "stride": stride, "padding": padding}
        return self._put(node_type, [x], shape, kind, **fields)

    def pixel_shuffle(self, x: str, factor: int = 2) -> str:
        channels, height, width = self.shape(x)
        shape = (channels // factor**2, height * factor, width * factor)
        return self._put(PixelShuffle, [x], shape, self.kind(x), factor=factor)

    def upsample(self, x: str, factor: int = 2) -> str:
        channels, height, width = self.shape(x)
        shape = (channels, height * factor, width * factor)
        return self._put(UpsampleNearest, [x], shape, self.kind(x), factor=factor)

    def flatten(self, x: str) -> str:
        return self._put(Flatten, [x], (prod(self.shape(x)),), self.kind(x))

    def argmax(self, x: str) -> str:
        return self._put(Argmax, [x], (1,))
