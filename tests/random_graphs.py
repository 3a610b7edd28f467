"""Random integer graphs: every node kind, odd shapes, extreme types and weights, and branches."""

from dataclasses import dataclass
from math import prod
from random import Random

from numpy.typing import NDArray

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    AnyNode,
    AvgPool,
    Conv2d,
    Lut,
    MaxPool,
    Shift2d,
    Threshold,
    WinogradAdderConv2d,
    XnorConv2d,
)
from hwgen.schedule.geometry import is_depthwise
from hwgen_rtl.numerics import BIPOLAR
from tests.maker import Maker, Pair

__all__ = ["FEATURES", "Sample", "features", "random_sample"]

LARGEST = 150
"""Elements of a tensor at most."""
NARROW = ("uint1", "uint2", "uint3", "uint4", "int2", "int3", "int4", "int5", "uint8", "int8")
SHIFTS = (0, 1, 8, 16, 16, 20)
WIDE = ("int1", "uint12", "int12", "uint16", "int16")
WEIGHTS = ((-1, 1), (-2, 1), (-4, 3), (0, 7), (-8, 7), (-127, 127), (-128, 0), (5, 5))
"""Ranges of weights; one of them has one value only."""
VARIANTS = {
    "conv2d": ("dense", "grouped", "depthwise"),
    "xnor_conv2d": ("zero", "plus", "minus"),
    "winograd_adder_conv2d": ("0", "1", "2", "3"),
    "shift2d": ("one offset", "several offsets"),
    "lut": ("one table", "several tables"),
    "threshold": ("bipolar", "uint"),
    "max_pool": ("padded", "unpadded"),
    "avg_pool": ("padded", "unpadded"),
}
PLAIN = (
    *("linear", "adder_conv2d", "adder_linear", "pow2_conv2d", "xnor_linear", "requantize", "add"),
    *("concat", "slice", "pixel_shuffle", "upsample_nearest", "flatten", "argmax"),
)
FEATURES = (*PLAIN, *(f"{kind}, {v}" for kind, found in VARIANTS.items() for v in found))
"""Node kinds, with the variants that take other hardware."""


@dataclass(frozen=True)
class Sample:
    """A graph, integers for its input, and how the tests treat it.

    Parameters:
        speed  : 0 for the smallest design up to 1 for the fastest
        stalls : seed of the random stalls
        calm   : images that are sent before stalls begin
    """

    graph: Graph
    images: NDArray
    speed: float
    stalls: int
    calm: int = 3

    def __repr__(self) -> str:
        rows = [
            f"{node.name} = {node.kind}({', '.join(node.inputs)}) {node.shape} {node.type}"
            for node in self.graph.nodes
        ]
        treated = f"speed {self.speed}, stalls {self.stalls} after {self.calm} images"
        return "\n".join(("", *rows, treated))


def random_sample(rng: Random) -> Sample:
    """A graph of up to eight blocks; every choice is drawn from ``rng``."""
    maker = _Grower(rng).grown()
    speed, stalls = rng.choice((0, 0.3, 0.6, 0.8, 1)), rng.randint(1, 999)
    return Sample(maker.graph(), maker.values["image"], speed, stalls, rng.choice((3, 3, 3, 4)))


def features(graph: Graph) -> set[str]:
    """Which of FEATURES a graph has, and ``branch`` where a stream has several readers."""
    found = {_feature(graph, node) for node in graph.nodes[1:]}
    if any(len(graph.users(node.name)) > 1 for node in graph.nodes):
        found.add("branch")
    return found


def _feature(graph: Graph, node: AnyNode) -> str:
    match node:
        case Conv2d():
            variant = (
                "depthwise" if is_depthwise(graph, node) else ("dense", "grouped")[node.groups > 1]
            )
        case XnorConv2d():
            variant = node.pad
        case WinogradAdderConv2d():
            variant = str(node.variant)
        case Shift2d():
            variant = "several offsets" if len(node.offsets) > 1 else "one offset"
        case Lut():
            variant = "several tables" if len(graph.tensors[node.table]) > 1 else "one table"
        case Threshold():
            variant = "bipolar" if node.type == BIPOLAR else "uint"
        case MaxPool() | AvgPool():
            variant = "padded" if any(node.padding) else "unpadded"
        case _:
            return node.kind
    return f"{node.kind}, {variant}"


class _Grower:
    """Draws blocks: one node with what it needs in front, or branches that join again.

    A block takes a node and gives the one that it ends in; ``same`` asks for the same image size.
    """

    def __init__(self, rng: Random):
        self._rng = rng
        shape = (rng.randint(1, 6), rng.randint(1, 7), rng.randint(1, 7))
        self._maker = Maker(shape, rng.choice((*NARROW, *WIDE, "bipolar")), rng.getrandbits(32))

    def grown(self) -> Maker:
        """The builder with a whole graph in it."""
        x = "image"
        for _ in range(self._rng.randint(1, 4)):
            x = self._rng.choice(_ON_IMAGES)(self, x, False)
        for _ in range(self._rng.choice((0, 0, 1, 2))):
            x = self._rng.choice(_ON_VECTORS)(self, x)
        if self._is_image(x) and self._rng.random() < 0.1:
            self._maker.flatten(x)
        elif not self._is_image(x) and self._rng.random() < 0.4:
            self._maker.argmax(x)
        return self._maker

    def _is_image(self, x: str) -> bool:
        return len(self._maker.shape(x)) == 3

    def _vector(self, x: str) -> str:
        return self._maker.flatten(self._small(x)) if self._is_image(x) else x

    def _small(self, x: str, most: int = LARGEST) -> str:
        """Pooled until it has at most that many elements, or is a single pixel."""
        while prod(shape := self._maker.shape(x)) > most and max(shape[1:]) > 1:
            kernel = min(shape[1], 2), min(shape[2], 2)
            x = self._maker.max_pool(x, kernel, kernel)
        return x

    def _number(self, x: str, bits: int = 8) -> str:
        """Requantized where it has too many bits."""
        if self._maker.kind(x).bits <= bits:
            return x
        return self._requantized(x, self._rng.choice(NARROW))

    def _requantized(self, x: str, kind: str) -> str:
        return self._maker.requantize(x, kind, self._rng.choice(SHIFTS))

    def _operand(self, x: str) -> str:
        """What a layer multiplies: 8 bits as a rule, 16 at most."""
        return self._number(x, 16 if self._rng.random() < 0.1 else 8)

    def _bits(self, x: str) -> str:
        if self._maker.kind(x).bipolar:
            return x
        return self._maker.threshold(x)

    def _outputs(self, x: str) -> int:
        size = prod(self._maker.shape(x)[1:])
        return self._rng.randint(1, max(1, min(6, LARGEST // size)))

    def _weights(self) -> Pair:
        return self._rng.choice(WEIGHTS)

    def _window(self, x: str, same: bool) -> dict[str, Pair]:
        """Kernel, stride and padding of a layer; padding is smaller than the kernel."""
        draw = self._rng
        if same:
            kernel = draw.choice((1, 3)), draw.choice((1, 3))
            return {"kernel": kernel, "padding": (kernel[0] // 2, kernel[1] // 2)}
        kernel = self._kernel(x, (1, 1))
        padding = tuple(
            draw.randint(max(0, -(-(k - n) // 2)), min(2, k - 1))
            for k, n in zip(kernel, self._maker.shape(x)[1:], strict=True)
        )
        return {"kernel": kernel, "stride": self._stride(), "padding": padding}

    def _pool_window(self, x: str, same: bool) -> dict[str, Pair]:
        """The same for a pool, which pads at most half a kernel."""
        if same:
            return self._window(x, same) | {"stride": (1, 1)}
        kernel = self._kernel(x, (1, 1))
        low = [
            max(0, -(-(k - n) // 2)) for k, n in zip(kernel, self._maker.shape(x)[1:], strict=True)
        ]
        padding = tuple(self._rng.randint(n, k // 2) for n, k in zip(low, kernel, strict=True))
        return {"kernel": kernel, "stride": self._stride(), "padding": padding}

    def _kernel(self, x: str, padding: Pair) -> Pair:
        height, width = self._maker.shape(x)[1:]
        rows, columns = min(3, height + 2 * padding[0]), min(3, width + 2 * padding[1])
        return self._rng.randint(1, rows), self._rng.randint(1, columns)

    def _stride(self) -> Pair:
        return self._rng.choice(((1, 1), (1, 1), (2, 2), (1, 2), (3, 1)))

    # Layers of images

    def conv2d(self, x: str, same: bool) -> str:
        x = self._operand(x)
        step = self._rng.choice((1, 1, 2))
        weights = (-1, 1) if step == 2 else self._weights()
        groups, outputs = self._groups(x)
        window, bias = self._window(x, same), self._rng.random() < 0.5
        return self._maker.conv2d(
            x, outputs, **window, groups=groups, weights=weights, step=step, bias=bias
        )

    def _groups(self, x: str) -> Pair:
        """Groups and outputs: all channels together, each alone, or anything between."""
        channels = self._maker.shape(x)[0]
        groups = self._rng.choice(
            [1, channels, *(n for n in range(2, channels) if channels % n == 0)]
        )
        if groups == 1:
            return 1, self._outputs(x)
        return groups, groups * self._rng.choice((1, 1, 2))

    def adder_conv2d(self, x: str, same: bool) -> str:
        x = self._operand(x)
        window = self._window(x, same)
        return self._maker.adder_conv2d(x, self._outputs(x), **window, weights=self._weights())

    def pow2_conv2d(self, x: str, same: bool) -> str:
        x = self._operand(x)
        powers = self._rng.choice(((0, 5), (0, 0), (2, 4), (3, 3)))
        return self._maker.pow2_conv2d(x, self._outputs(x), **self._window(x, same), powers=powers)

    def xnor_conv2d(self, x: str, same: bool) -> str:
        x = self._bits(x)
        pad = self._rng.choice(VARIANTS["xnor_conv2d"])
        return self._maker.xnor_conv2d(x, self._outputs(x), **self._window(x, same), pad=pad)

    def winograd(self, x: str, same: bool) -> str:
        x = self._operand(x)
        sizes = self._maker.shape(x)[1:]
        least = (max(0, (4 - n) // 2) for n in sizes)
        padding = (1, 1) if same else tuple(max(n, self._rng.randint(0, 1)) for n in least)
        variant, weights = self._rng.randint(0, 3), self._weights()
        return self._maker.winograd(x, self._rng.randint(1, 3), padding, variant, weights)

    # Nodes of images and vectors

    def requantize(self, x: str, same: bool = False) -> str:
        return self._requantized(x, self._rng.choice((*NARROW, *WIDE)))

    def threshold(self, x: str, same: bool = False) -> str:
        kind = self._rng.choice(("bipolar", "bipolar", "uint1", "uint2", "uint3"))
        return self._maker.threshold(x, kind)

    def lut(self, x: str, same: bool = False) -> str:
        x = self._number(x)
        tables = self._rng.choice((1, self._maker.shape(x)[0]))
        return self._maker.lut(x, self._rng.choice((*NARROW, "int12")), tables)

    def slice(self, x: str, same: bool = False) -> str:
        """Some channels, or two parts that change places."""
        channels = self._maker.shape(x)[0]
        cut = self._rng.randint(0, channels - 1)
        if cut > 0 and self._rng.random() < 0.5:
            front, back = self._maker.slice(x, 0, cut), self._maker.slice(x, cut, channels)
            return self._maker.concat(*self._of_one_type([self._way(back), front]))
        return self._maker.slice(x, cut, self._rng.randint(cut + 1, channels))

    def shift2d(self, x: str, same: bool = True) -> str:
        """Moved by up to one pixel more than the image is large."""
        channels, *size = self._maker.shape(x)
        count = self._rng.choice((1, channels))
        reach = [min(3, n) for n in size]
        offsets = [tuple(self._rng.randint(-n, n) for n in reach) for _ in range(count)]
        return self._maker.shift2d(x, *offsets)

    def max_pool(self, x: str, same: bool) -> str:
        return self._maker.max_pool(x, **self._pool_window(x, same))

    def avg_pool(self, x: str, same: bool) -> str:
        return self._maker.avg_pool(self._number(x, 16), **self._pool_window(x, same))

    def pixel_shuffle(self, x: str, same: bool = False) -> str:
        factor = self._rng.choice((2, 2, 3))
        x = self._small(x, LARGEST // 4)
        if self._maker.shape(x)[0] % factor**2:
            x = self._maker.conv2d(self._operand(x), factor**2, weights=self._weights())
        return self._maker.pixel_shuffle(x, factor)

    def upsample(self, x: str, same: bool = False) -> str:
        factor = self._rng.choice((2, 2, 3))
        return self._maker.upsample(self._small(x, LARGEST // factor**2), factor)

    # Branches

    def add(self, x: str, same: bool = False) -> str:
        a, b = self._of_as_many_channels(self._branches(x, 2))
        return self._maker.add(a, b)

    def concat(self, x: str, same: bool = False) -> str:
        parts = self._branches(x, self._rng.choice((2, 2, 3)))
        return self._maker.concat(*self._of_one_type(parts))

    def _branches(self, x: str, count: int) -> list[str]:
        """Nodes of one size: ways from ``x``, some of them from an earlier node."""
        starts = [x] * count
        if self._rng.random() < 0.3:
            starts[-1] = self._rng.choice(self._earlier(x))
        ends = [self._way(start) for start in starts]
        if self._is_image(x) and self._rng.random() < 0.3:
            ends = [self._halved(end) for end in ends]
        self._rng.shuffle(ends)
        return ends

    def _earlier(self, x: str) -> list[str]:
        """Nodes as large as ``x``, itself among them."""
        size = self._maker.shape(x)[1:]
        nodes = [node for node in self._maker.nodes.values() if node.kind != "flatten"]
        return [
            n.name for n in nodes if self._is_image(n.name) == bool(size) and n.shape[1:] == size
        ]

    def _way(self, x: str) -> str:
        for _ in range(self._rng.choice((0, 0, 1, 1, 2))):
            x = self._rng.choice(_SAME_SIZE if self._is_image(x) else _ELEMENTWISE)(self, x, True)
        return x

    def _halved(self, x: str) -> str:
        """Every second pixel of a layer or pool."""
        window = self._rng.choice((((1, 1), (0, 0)), ((3, 3), (1, 1))))
        fields = {"kernel": window[0], "stride": (2, 2), "padding": window[1]}
        match self._rng.choice(("conv2d", "adder", "pool")):
            case "conv2d":
                return self._maker.conv2d(self._operand(x), self._outputs(x), **fields)
            case "adder":
                return self._maker.adder_conv2d(self._operand(x), self._outputs(x), **fields)
            case _:
                return self._maker.max_pool(x, **fields)

    def _of_as_many_channels(self, parts: list[str]) -> list[str]:
        channels = self._maker.shape(parts[0])[0]
        return [self._with_channels(x, channels) for x in parts]

    def _with_channels(self, x: str, channels: int) -> str:
        if self._maker.shape(x)[0] == channels:
            return self._number(x, 24)
        x = self._operand(x)
        if self._is_image(x):
            return self._maker.conv2d(x, channels, weights=self._weights())
        return self._maker.linear(x, channels, weights=self._weights())

    def _of_one_type(self, parts: list[str]) -> list[str]:
        if len({self._maker.kind(x) for x in parts}) == 1:
            return parts
        if self._rng.random() < 0.2:
            return [self._bits(x) for x in parts]
        kind = self._rng.choice(NARROW)
        return [self._requantized(x, kind) for x in parts]

    # Vectors

    def linear(self, x: str, same: bool = False) -> str:
        return self._linear(self._vector(self._operand(x)), self._rng.randint(1, 8))

    def _linear(self, x: str, outputs: int) -> str:
        step = self._rng.choice((1, 1, 2))
        weights = (-1, 1) if step == 2 else self._weights()
        return self._maker.linear(x, outputs, weights, step, self._rng.random() < 0.5)

    def adder_linear(self, x: str, same: bool = False) -> str:
        x = self._vector(self._operand(x))
        return self._maker.adder_linear(x, self._rng.randint(1, 8), self._weights())

    def xnor_linear(self, x: str, same: bool = False) -> str:
        return self._maker.xnor_linear(self._vector(self._bits(x)), self._rng.randint(1, 8))

    def two_linears(self, x: str, same: bool = False) -> str:
        """Their sum; both read one vector."""
        x, outputs = self._vector(self._operand(x)), self._rng.randint(1, 8)
        b = self._maker.adder_linear(x, outputs, self._weights())
        return self._maker.add(self._linear(x, outputs), b)


_ELEMENTWISE = (_Grower.requantize, _Grower.threshold, _Grower.lut)
_SAME_SIZE = (
    *_ELEMENTWISE,
    _Grower.conv2d,
    _Grower.adder_conv2d,
    _Grower.pow2_conv2d,
    _Grower.xnor_conv2d,
    _Grower.winograd,
    _Grower.shift2d,
    _Grower.max_pool,
    _Grower.avg_pool,
)
_ON_IMAGES = (
    *_SAME_SIZE,
    _Grower.xnor_conv2d,
    _Grower.winograd,
    _Grower.winograd,
    _Grower.conv2d,
    _Grower.slice,
    _Grower.pixel_shuffle,
    _Grower.upsample,
    _Grower.add,
    _Grower.concat,
)
_ON_VECTORS = (
    *_ELEMENTWISE,
    _Grower.linear,
    _Grower.linear,
    _Grower.adder_linear,
    _Grower.two_linears,
    _Grower.xnor_linear,
    _Grower.xnor_linear,
    _Grower.slice,
    _Grower.add,
    _Grower.concat,
)
