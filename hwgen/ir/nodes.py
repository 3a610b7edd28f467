"""The nodes of a graph: one frozen dataclass per kind, each with exactly one output tensor.

A float graph has ``type`` and ``scale`` None everywhere; in an integer graph every node has both:
its output holds integers q of ``type`` and stands for the real value q * scale.
Shapes leave out the batch: (C, H, W) for images, (F,) for vectors.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, PlainSerializer

from hwgen_rtl.numerics import IntType

__all__ = [
    "Activation",
    "Add",
    "AdderConv2d",
    "AdderLinear",
    "AnyNode",
    "Argmax",
    "AvgPool",
    "BatchNorm",
    "Concat",
    "Conv2d",
    "Flatten",
    "Input",
    "Layer",
    "Linear",
    "Lut",
    "MaxPool",
    "Node",
    "PixelShuffle",
    "Pow2Conv2d",
    "QuantRelu",
    "Relu",
    "Requantize",
    "Shape",
    "Shift2d",
    "Sign",
    "Slice",
    "Threshold",
    "TypeName",
    "UpsampleNearest",
    "WinogradAdderConv2d",
    "XnorConv2d",
    "XnorLinear",
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
    """acc = sum x*w + bias; ``weight`` and ``bias`` are keys of Graph.tensors.

    weight (O, C/groups, kh, kw): output channel o reads the C/groups channels of its group.
    """

    kind: Literal["conv2d"] = "conv2d"
    weight: str
    bias: str | None = None
    groups: int = 1


@dataclass(frozen=True, kw_only=True)
class Pow2Conv2d(_Window):
    """acc = sum x*w, every w is 0 or +-2**p (shift kernel; DeepShift, arXiv 1905.13298)."""

    kind: Literal["pow2_conv2d"] = "pow2_conv2d"
    weight: str


@dataclass(frozen=True, kw_only=True)
class XnorConv2d(_Window):
    """acc = sum x*w with x and w of -1 and +1: 2*popcount(xnor) - taps (XNOR-Net, 1603.05279).

    ``pad`` is what a padded tap holds: ``zero`` (it does not count), ``plus`` (+1), ``minus`` (-1).
    """

    kind: Literal["xnor_conv2d"] = "xnor_conv2d"
    weight: str
    pad: Literal["zero", "plus", "minus"] = "zero"


@dataclass(frozen=True, kw_only=True)
class XnorLinear(Node):
    """acc[o] = sum_k x[k]*w[o, k] with x and w of -1 and +1."""

    kind: Literal["xnor_linear"] = "xnor_linear"
    weight: str


@dataclass(frozen=True, kw_only=True)
class WinogradAdderConv2d(Node):
    """Winograd adder layer F(2x2, 3x3), stride 1 (arXiv 2105.05530).

    For each 4x4 tile d of the padded image, every second row and column:
    V = B' d B;  M[o] = -sum_c abs(weight[o, c] - V[c]);  Y = A' M A, a 2x2 tile of the output.
    ``weight`` is (O, C, 4, 4). ``variant`` 0..3 chooses A among the four balanced sign patterns
    (hwgen_rtl.winograd.OUTPUT_TRANSFORMS). An image of odd size is padded with one more row or
    column of zeros at the end, and the output cropped.
    """

    kind: Literal["winograd_adder_conv2d"] = "winograd_adder_conv2d"
    weight: str
    padding: Pair = (0, 0)
    variant: int = 0


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
class Activation(Node):
    """Float only: y = function(x), computed by a lut node.

    ``prelu``: x where x >= 0, else p[c]*x;  ``power``: sign(x)*abs(x)**p[c];
    ``hardswish``: x*clip(x + 3, 0, 6)/6, no parameter. ``parameter`` (1,) or (C,).
    """

    kind: Literal["activation"] = "activation"
    function: Literal["prelu", "power", "hardswish"]
    parameter: str | None = None


@dataclass(frozen=True, kw_only=True)
class Sign(Node):
    """Float only: y = +1 where x >= 0, else -1; becomes a threshold node."""

    kind: Literal["sign"] = "sign"


@dataclass(frozen=True, kw_only=True)
class QuantRelu(Node):
    """Float only: y = step * clamp(floor(x/step + 0.5), 0, 2**bits - 1), 1 to 4 bits.

    A ReLU of few levels; becomes a threshold node.
    """

    kind: Literal["quant_relu"] = "quant_relu"
    bits: int
    step: float


@dataclass(frozen=True, kw_only=True)
class Add(Node):
    """y = a + b, two inputs of one shape; in integers both have one scale."""

    kind: Literal["add"] = "add"


@dataclass(frozen=True, kw_only=True)
class Concat(Node):
    """All inputs, one after the other along the channels; in integers of one type and scale."""

    kind: Literal["concat"] = "concat"


@dataclass(frozen=True, kw_only=True)
class Slice(Node):
    """Channels ``start`` up to, not including, ``stop``."""

    kind: Literal["slice"] = "slice"
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Shift2d(Node):
    """y[c, i, j] = x[c, i + dy, j + dx], 0 outside (ghost features, arXiv 2101.08525).

    ``offsets``: one (dy, dx) for all channels, or one for each.
    """

    kind: Literal["shift2d"] = "shift2d"
    offsets: tuple[Pair, ...]


@dataclass(frozen=True, kw_only=True)
class PixelShuffle(Node):
    """y[c, i*f + u, j*f + v] = x[c*f*f + u*f + v, i, j], f = ``factor``."""

    kind: Literal["pixel_shuffle"] = "pixel_shuffle"
    factor: int


@dataclass(frozen=True, kw_only=True)
class UpsampleNearest(Node):
    """y[c, i, j] = x[c, i // factor, j // factor]."""

    kind: Literal["upsample_nearest"] = "upsample_nearest"
    factor: int


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
class Threshold(Node):
    """Number of thresholds reached: n = #{t: direction[c]*x >= thresholds[c, t]}.

    thresholds (C, T) ascending; direction (C,) of +1 and -1 (a negative batch norm gain). The
    output is n for ``uint<b>``, T = 2**b - 1, and 2n - 1 for ``bipolar``, T = 1.
    """

    kind: Literal["threshold"] = "threshold"
    thresholds: str
    direction: str


@dataclass(frozen=True, kw_only=True)
class Lut(Node):
    """y = table[c, x - low]; ``low`` is the lowest value of the input's type of at most 12 bits.

    table (1, 2**b) for all channels, or (C, 2**b).
    """

    kind: Literal["lut"] = "lut"
    table: str
    low: int


@dataclass(frozen=True, kw_only=True)
class Argmax(Node):
    """Index of the largest element of a vector; the first one among equals. Shape (1,)."""

    kind: Literal["argmax"] = "argmax"


Layer = (
    Conv2d
    | Pow2Conv2d
    | AdderConv2d
    | WinogradAdderConv2d
    | XnorConv2d
    | Linear
    | AdderLinear
    | XnorLinear
)
"""Nodes with weights."""

AnyNode = (
    Input
    | Layer
    | BatchNorm
    | Relu
    | Activation
    | Sign
    | QuantRelu
    | MaxPool
    | AvgPool
    | Flatten
    | Add
    | Concat
    | Slice
    | Shift2d
    | PixelShuffle
    | UpsampleNearest
    | Requantize
    | Threshold
    | Lut
    | Argmax
)
