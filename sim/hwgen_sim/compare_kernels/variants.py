"""The integer graph of a build with another kernel in its layers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    AdderConv2d,
    AdderLinear,
    AnyNode,
    Conv2d,
    Flatten,
    Layer,
    Linear,
    Lut,
    Pow2Conv2d,
    Requantize,
    Threshold,
    WinogradAdderConv2d,
    XnorConv2d,
    XnorLinear,
)
from hwgen.quantize.ranges import Bounds, bounds_of
from hwgen.schedule.geometry import geometry, stream_source
from hwgen_rtl.numerics import BIPOLAR, IntType
from hwgen_sim.compare_kernels.bits import PASSING, only_read_by, reads_the_image

__all__ = ["KERNELS", "SEED", "Variant", "inner_layers", "kernel_family", "variant"]

KERNELS = ("multiply", "adder", "winograd", "xnor", "shift")
SEED = 2020
WIDE = IntType(8, signed=False)
"""Activations where the build has one bit and the kernel takes numbers."""
WIDE_WEIGHTS = (-128, 127)

_FAMILIES = {
    "conv2d": "multiply",
    "linear": "multiply",
    "adder_conv2d": "adder",
    "adder_linear": "adder",
    "winograd_adder_conv2d": "winograd",
    "xnor_conv2d": "xnor",
    "xnor_linear": "xnor",
    "pow2_conv2d": "shift",
}


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A graph whose layers have another kernel.

    Parameters:
        graph   : what is built; types are those of the integers that it computes
        kernels : compared layer -> its kernel now; ``adder`` where ``winograd`` was not possible
        drawn   : layers whose weights were drawn, because their own are of another kind
        refused : compared layer -> why it cannot have the kernel
    """

    graph: Graph
    kernels: Mapping[str, str]
    drawn: tuple[str, ...]
    refused: Mapping[str, str]


def kernel_family(node: Any) -> str:
    """One of ``KERNELS``."""
    return _FAMILIES[node.kind]


def inner_layers(graph: Graph) -> tuple[str, ...]:
    """All layers but the first and last one where these multiply, as they do in such networks."""
    layers = [node for node in graph.nodes if isinstance(node, Layer)]
    ends = {n.name for n in (*layers[:1], *layers[-1:]) if kernel_family(n) == "multiply"}
    return tuple(node.name for node in layers if node.name not in ends)


def variant(graph: Graph, layers: Collection[str], kernel: str) -> Variant:
    """``graph`` with ``kernel`` in all of ``layers`` that can have it.

    Weights stay where a layer has the kernel already. Others are drawn over the range of the
    layer's own weights: all powers of two in it for ``shift``, -1 and +1 for ``xnor``, and 8 bits
    where its own have one. For ``winograd``, layers without a 3x3 window of stride 1 become direct
    adder layers.
    """
    kernels, refused = {}, {}
    for name in layers:
        node = graph[name]
        if reason := _why_not(graph, node, kernel):
            refused[name] = reason
            fallback = kernel == "winograd" and not _why_not(graph, node, "adder")
            kernels[name] = "adder" if fallback else kernel_family(node)
        else:
            kernels[name] = kernel
    drawn = tuple(name for name in layers if kernels[name] != kernel_family(graph[name]))
    changed = _Rewriter(graph, {name: kernels[name] for name in drawn}).graph() if drawn else graph
    return Variant(graph=changed, kernels=kernels, drawn=drawn, refused=refused)


def _why_not(graph: Graph, node: Any, kernel: str) -> str | None:
    if kernel == kernel_family(node):
        return None
    if getattr(node, "groups", 1) > 1:
        return f"its {node.groups} groups exist for the multiplying kernel only"
    if table := _table_behind(graph, node):
        return f"the table {table} reads its sums, which another kernel makes wider"
    if kernel == "winograd":
        return _no_winograd(node)
    if kernel == "xnor" and reads_the_image(graph, node):
        return "it reads the image, which is not one bit"
    return None


def _table_behind(graph: Graph, node: AnyNode) -> str | None:
    """The table that no affine separates from ``node``, if there is one."""
    for user in graph.users(node.name):
        if isinstance(user, Lut):
            return user.name
        affine = isinstance(user, Requantize | Threshold)
        if not affine and (table := _table_behind(graph, user)):
            return table
    return None


def _no_winograd(node: Any) -> str | None:
    if not hasattr(node, "kernel"):
        return "a linear layer has no 3x3 window"
    if node.kernel != (3, 3):
        return f"its window is {node.kernel[0]}x{node.kernel[1]}, not 3x3"
    if node.stride != (1, 1):
        return f"its stride is {max(node.stride)}, not 1"
    return None


class _Rewriter:
    """Layers of other kernels, what feeds them in the type that they need, and new types."""

    def __init__(self, graph: Graph, kernels: Mapping[str, str]):
        self._old, self._kernels = graph, kernels
        self._tensors = dict(graph.tensors)
        self._nodes: dict[str, AnyNode] = {}
        self._bounds: dict[str, Bounds] = {}
        self._before: dict[str, Bounds] = {}
        self._other: set[str] = set()
        binary = {name for name, kernel in kernels.items() if kernel == "xnor"}
        self._to_bits = only_read_by(graph, binary, (Requantize, Threshold))
        wide = {name for name in kernels if name not in binary}
        self._to_numbers = {
            name for name in only_read_by(graph, wide, (Threshold,)) if _is_bits(graph[name])
        }

    def graph(self) -> Graph:
        for node in self._old.nodes:
            before = (self._before[name] for name in node.inputs)
            self._before[node.name] = bounds_of(node, self._old, *before)
            self._add(node)
        return _without_unread(self._so_far())

    def _so_far(self) -> Graph:
        return Graph(self._old.name, tuple(self._nodes.values()), self._tensors)

    def _add(self, node: AnyNode) -> None:
        if node.name in self._kernels:
            self._put(self._layer(node))
        elif node.name in self._to_bits | self._to_numbers and isinstance(node, PASSING):
            self._put(node)
        elif node.name in self._to_bits and not _is_bits(node):
            self._put(self._threshold(node.name, node.inputs[0], node.shape))
        elif node.name in self._to_numbers:
            self._put(self._requantize(node.name, node.inputs[0], node.shape))
        elif self._other.isdisjoint(node.inputs) or isinstance(node, Requantize | Threshold | Lut):
            # activations are taken to be the same: a kernel changes no range behind an affine
            self._nodes[node.name], self._bounds[node.name] = node, self._before[node.name]
        else:
            self._put(node)

    def _put(self, node: AnyNode) -> str:
        """Add a node that is not as it was, with the type that it needs now."""
        if isinstance(node, Requantize | Threshold):
            assert node.type is not None
            ends = (np.full(node.shape[0], end) for end in (node.type.low, node.type.high))
            bounds, kind = Bounds(*ends), node.type
        else:
            bounds = bounds_of(node, self._so_far(), *(self._bounds[n] for n in node.inputs))
            passing = isinstance(node, PASSING)
            kind = self._nodes[node.inputs[0]].type if passing else bounds.hull.type()
        self._nodes[node.name], self._bounds[node.name] = replace(node, type=kind), bounds
        self._other.add(node.name)
        return node.name

    def _layer(self, node: Any) -> AnyNode:
        kernel, source = self._kernels[node.name], node.inputs[0]
        if kernel == "xnor" and not _is_bits(self._nodes[source]):
            source = self._insert_bits(node)
        key = f"{node.name}.{kernel}"
        self._tensors[key] = _drawn(self._old, node, kernel)
        common = {"name": node.name, "inputs": (source,), "shape": node.shape, "scale": node.scale}
        common["weight"] = key
        if isinstance(node, Linear | AdderLinear | XnorLinear):
            return _linear(kernel, common, geometry(self._old, node).kernel)
        return _conv(kernel, common, node)

    def _insert_bits(self, node: AnyNode) -> str:
        """A threshold in front of a layer whose activations other nodes read as numbers."""
        given, source = self._nodes[node.inputs[0]], stream_source(self._so_far(), node.inputs[0])
        sign = self._put(self._threshold(f"{node.name}_sign", source.name, source.shape))
        if not isinstance(given, Flatten):
            return sign
        return self._put(replace(given, name=f"{node.name}_flat", inputs=(sign,)))

    def _threshold(self, name: str, source: str, shape: tuple[int, ...]) -> Threshold:
        cuts, directions = f"{name}.cuts", f"{name}.directions"
        self._tensors[cuts] = np.zeros((shape[0], 1), dtype=np.int64)
        self._tensors[directions] = np.ones(shape[0], dtype=np.int64)
        return Threshold(
            name=name,
            inputs=(source,),
            shape=shape,
            type=BIPOLAR,
            scale=(1.0,),
            thresholds=cuts,
            direction=directions,
        )

    def _requantize(self, name: str, source: str, shape: tuple[int, ...]) -> Requantize:
        """An affine of the widths that the quantizer gives: 18 bits, and a bias to match."""
        hull = self._bounds[source].hull
        reach = max(1, abs(hull.low), abs(hull.high))
        gain, offset = f"{name}.gain", f"{name}.offset"
        self._tensors[gain] = np.full(shape[0], (1 << 17) - 1)
        self._tensors[offset] = np.full(shape[0], reach << 16)
        return Requantize(
            name=name,
            inputs=(source,),
            shape=shape,
            type=WIDE,
            scale=(1.0,),
            multiplier=gain,
            bias=offset,
            shift=17 + max(0, reach.bit_length() - WIDE.bits),
        )


def _is_bits(node: AnyNode) -> bool:
    return node.type is not None and node.type.bipolar


def _linear(kernel: str, common: dict[str, Any], window: tuple[int, int]) -> AnyNode:
    """A linear shift layer is a convolution whose window is the whole image."""
    match kernel:
        case "multiply":
            return Linear(**common)
        case "adder":
            return AdderLinear(**common)
        case "xnor":
            return XnorLinear(**common)
        case _:
            return Pow2Conv2d(**common, kernel=window)


def _conv(kernel: str, common: dict[str, Any], node: Any) -> AnyNode:
    if kernel == "winograd":
        return WinogradAdderConv2d(**common, padding=node.padding)
    makers = {"multiply": Conv2d, "adder": AdderConv2d, "xnor": XnorConv2d, "shift": Pow2Conv2d}
    window = {"kernel": (3, 3)}  # of a Winograd layer
    if not isinstance(node, WinogradAdderConv2d):
        window = {"kernel": node.kernel, "stride": node.stride}
    return makers[kernel](**common, **window, padding=node.padding)


def _drawn(graph: Graph, node: Any, kernel: str) -> NDArray:
    """Weights for another kernel, the ends of the range among them."""
    rng = np.random.default_rng([SEED, crc32(node.name.encode())])
    shape, (low, high) = _weight_shape(graph, node, kernel), _range(graph, node)
    if kernel == "xnor":
        return rng.choice([-1, 1], shape)
    if kernel == "shift":
        return rng.choice(_powers(low, high), shape)
    weights = rng.integers(low, high + 1, prod(shape))
    weights[: min(2, len(weights))] = (low, high)[: len(weights)]
    return weights.reshape(shape)


def _weight_shape(graph: Graph, node: Any, kernel: str) -> tuple[int, ...]:
    own = graph.tensors[node.weight].shape
    if kernel == "winograd":
        return (*own[:2], 4, 4)
    if kernel == "shift" and len(own) == 2:
        return (*own, 1, 1)
    return (*own[:2], 3, 3) if isinstance(node, WinogradAdderConv2d) else own


def _range(graph: Graph, node: Any) -> tuple[int, int]:
    """Of the layer's weights; of its activations where these are not weights of taps."""
    if kernel_family(node) == "winograd":
        kind = geometry(graph, node).x
        return kind.low, kind.high
    weight = graph.tensors[node.weight]
    low, high = int(weight.min()), int(weight.max())
    return WIDE_WEIGHTS if low >= -1 and high <= 1 else (low, high)


def _powers(low: int, high: int) -> list[int]:
    powers = [1 << p for p in range(max(-low, high).bit_length())]
    return [0, *(w for p in powers for w in (p, -p) if low <= w <= high)]


def _without_unread(graph: Graph) -> Graph:
    """Flattens that a layer no longer reads are gone."""
    while unread := {n.name for n in graph.nodes[:-1] if not graph.users(n.name)}:
        graph = graph.with_nodes(tuple(n for n in graph.nodes if n.name not in unread))
    return graph
