"""What each node kind computes: docs/numerics.md in code, one rule per kind.

A rule takes the node, the graph's arrays and the integers of its inputs, (N, *shape) each.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.kernels import from_rows, to_taps
from hwgen.ir.nodes import (
    Add,
    AdderConv2d,
    AdderLinear,
    Argmax,
    AvgPool,
    Concat,
    Conv2d,
    Flatten,
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
from hwgen_rtl.numerics import KERNELS, requantize, windows

__all__ = ["PAD_VALUES", "RULES", "Rule", "rows", "taps"]

IntArray = NDArray[np.int64]
Tensors = Mapping[str, NDArray]
Rule = Callable[..., IntArray]

PAD_VALUES = {"zero": 0, "plus": 1, "minus": -1}
"""What a padded tap of an xnor layer holds."""


def taps(node: Any, x: NDArray) -> NDArray:
    """Rows of what one output sees: (N, K) of a vector, (N*OH*OW, C*kh*kw) of an image."""
    if x.ndim == 2:
        return x
    pad_value = PAD_VALUES[getattr(node, "pad", "zero")]
    return to_taps(windows(x, node.kernel, node.stride, node.padding, pad_value))


def rows(weight: NDArray) -> IntArray:
    """Weights (O, ...) as (O, K)."""
    return weight.reshape(len(weight), -1).astype(np.int64)


def _multiply(node: Conv2d | Linear, tensors: Tensors, x: IntArray) -> IntArray:
    weight, groups = rows(tensors[node.weight]), getattr(node, "groups", 1)
    parts = zip(np.split(x, groups, axis=1), np.split(weight, groups), strict=True)
    acc = np.concatenate([KERNELS["multiply"](taps(node, p), w) for p, w in parts], axis=1)
    if node.bias is not None:
        acc = acc + tensors[node.bias]
    return from_rows(acc, len(x), node.shape)


def _array(node: Any, tensors: Tensors, x: IntArray) -> IntArray:
    """Layers without bias: a kernel over the taps."""
    kernel = "adder" if isinstance(node, AdderConv2d | AdderLinear) else "multiply"
    acc = KERNELS[kernel](taps(node, x), rows(tensors[node.weight]))
    return from_rows(acc, len(x), node.shape)


def _winograd(node: WinogradAdderConv2d, tensors: Tensors, x: IntArray) -> IntArray:
    from hwgen_rtl.winograd import winograd_adder

    return winograd_adder(x, tensors[node.weight], node.padding, node.variant)


def _max_pool(node: MaxPool, tensors: Tensors, x: IntArray) -> IntArray:
    assert node.type is not None
    view = windows(x, node.kernel, node.stride, node.padding, pad_value=node.type.low)
    return view.max(axis=(4, 5)).transpose(0, 3, 1, 2)


def _avg_pool(node: AvgPool, tensors: Tensors, x: IntArray) -> IntArray:
    view = windows(x, node.kernel, node.stride, node.padding)
    return view.sum(axis=(4, 5)).transpose(0, 3, 1, 2)


def _flatten(node: Flatten, tensors: Tensors, x: IntArray) -> IntArray:
    return x.reshape(len(x), *node.shape)


def _requantize(node: Requantize, tensors: Tensors, x: IntArray) -> IntArray:
    assert node.type is not None
    multiplier, bias = (_spread(tensors[key], x) for key in (node.multiplier, node.bias))
    return requantize(x, multiplier, bias, node.shift, node.type)


def _threshold(node: Threshold, tensors: Tensors, x: IntArray) -> IntArray:
    assert node.type is not None
    directed = x * _spread(tensors[node.direction], x)
    steps = tensors[node.thresholds].T
    count = sum((directed >= _spread(step, x)).astype(np.int64) for step in steps)
    return node.type.decode(np.asarray(count))


def _lut(node: Lut, tensors: Tensors, x: IntArray) -> IntArray:
    table = tensors[node.table]
    channel = _spread(np.arange(x.shape[1]) % len(table), x)
    return table[channel, x - node.low]


def _spread(values: NDArray, x: IntArray) -> NDArray:
    """Shape (C,) so that it broadcasts over (N, C, ...)."""
    return values.reshape(-1, *[1] * (x.ndim - 2))


def _add(node: Add, tensors: Tensors, a: IntArray, b: IntArray) -> IntArray:
    return a + b


def _concat(node: Concat, tensors: Tensors, *parts: IntArray) -> IntArray:
    return np.concatenate(parts, axis=1)


def _slice(node: Slice, tensors: Tensors, x: IntArray) -> IntArray:
    return x[:, node.start : node.stop]


def _shift(node: Shift2d, tensors: Tensors, x: IntArray) -> IntArray:
    height, width = x.shape[2:]
    reach = max(abs(step) for offset in node.offsets for step in offset)
    padded = np.pad(x, ((0, 0), (0, 0), (reach, reach), (reach, reach)))
    shifted = np.empty_like(x)
    for channel in range(x.shape[1]):
        dy, dx = (reach + step for step in node.offsets[channel % len(node.offsets)])
        shifted[:, channel] = padded[:, channel, dy : dy + height, dx : dx + width]
    return shifted


def _pixel_shuffle(node: PixelShuffle, tensors: Tensors, x: IntArray) -> IntArray:
    n, _, height, width = x.shape
    f, channels = node.factor, node.shape[0]
    split = x.reshape(n, channels, f, f, height, width)
    return split.transpose(0, 1, 4, 2, 5, 3).reshape(n, channels, height * f, width * f)


def _upsample(node: UpsampleNearest, tensors: Tensors, x: IntArray) -> IntArray:
    return x.repeat(node.factor, axis=2).repeat(node.factor, axis=3)


def _argmax(node: Argmax, tensors: Tensors, x: IntArray) -> IntArray:
    return x.argmax(axis=1, keepdims=True)


RULES: dict[type, Rule] = {
    Conv2d: _multiply,
    Linear: _multiply,
    Pow2Conv2d: _array,
    AdderConv2d: _array,
    AdderLinear: _array,
    XnorConv2d: _array,
    XnorLinear: _array,
    WinogradAdderConv2d: _winograd,
    MaxPool: _max_pool,
    AvgPool: _avg_pool,
    Flatten: _flatten,
    Requantize: _requantize,
    Threshold: _threshold,
    Lut: _lut,
    Add: _add,
    Concat: _concat,
    Slice: _slice,
    Shift2d: _shift,
    PixelShuffle: _pixel_shuffle,
    UpsampleNearest: _upsample,
    Argmax: _argmax,
}
