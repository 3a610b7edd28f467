"""The float graph computed with NumPy in float64: what the import is checked against."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.activations import activation
from hwgen.ir.graph import Graph
from hwgen.ir.kernels import adder_sums, from_columns, from_rows, to_columns
from hwgen.ir.nodes import (
    Activation,
    Add,
    AdderConv2d,
    AdderLinear,
    AvgPool,
    BatchNorm,
    Concat,
    Conv2d,
    Flatten,
    Linear,
    MaxPool,
    PixelShuffle,
    Pow2Conv2d,
    QuantRelu,
    Relu,
    Shift2d,
    Sign,
    Slice,
    UpsampleNearest,
    WinogradAdderConv2d,
    XnorConv2d,
    XnorLinear,
)
from hwgen.ir.rules import PAD_VALUES
from hwgen_rtl.numerics import windows
from hwgen_rtl.winograd import INPUT_TRANSFORM, OUTPUT_TRANSFORMS, image_to_tiles

__all__ = ["RULES", "evaluate", "per_channel"]

Tensors = Mapping[str, NDArray]


def evaluate(graph: Graph, x: NDArray) -> dict[str, NDArray]:
    """Every node's real values for real inputs (N, *shape), as float64 arrays (N, *shape)."""
    values = {graph.input.name: np.asarray(x, dtype=np.float64)}
    for node in graph.nodes[1:]:
        inputs = [values[name] for name in node.inputs]
        values[node.name] = RULES[type(node)](node, graph.tensors, *inputs)
    return values


def per_channel(values: NDArray, rank: int) -> NDArray:
    """Shape (C,) so that it broadcasts over (N, C, ...) of ``rank`` axes."""
    return values.reshape(-1, *[1] * (rank - 2))


def _conv2d(node: Conv2d, tensors: Tensors, x: NDArray) -> NDArray:
    y = _products(node, tensors[node.weight], x, node.groups)
    return y if node.bias is None else y + per_channel(tensors[node.bias], 4)


def _pow2_conv2d(node: Pow2Conv2d, tensors: Tensors, x: NDArray) -> NDArray:
    return _products(node, tensors[node.weight], x)


def _xnor_conv2d(node: XnorConv2d, tensors: Tensors, x: NDArray) -> NDArray:
    return _products(node, tensors[node.weight], x, pad_value=PAD_VALUES[node.pad])


def _products(
    node: Any, weight: NDArray, x: NDArray, groups: int = 1, pad_value: int = 0
) -> NDArray:
    """Sums of products (N, O, OH, OW), one matrix product a group."""
    view = windows(x, node.kernel, node.stride, node.padding, pad_value)
    pixels = int(np.prod(view.shape[:3]))
    taps = view.reshape(pixels, groups, -1).swapaxes(0, 1)
    rows = taps @ weight.reshape(groups, len(weight) // groups, -1).swapaxes(1, 2)
    return from_rows(rows.swapaxes(0, 1).reshape(pixels, -1), len(x), node.shape)


def _linear(node: Linear, tensors: Tensors, x: NDArray) -> NDArray:
    y = x @ tensors[node.weight].T
    return y if node.bias is None else y + tensors[node.bias]


def _xnor_linear(node: XnorLinear, tensors: Tensors, x: NDArray) -> NDArray:
    return x @ tensors[node.weight].T


def _adder_conv2d(node: AdderConv2d, tensors: Tensors, x: NDArray) -> NDArray:
    columns = to_columns(windows(x, node.kernel, node.stride, node.padding))
    return from_columns(_distances(columns, tensors[node.weight]), len(x), node.shape)


def _adder_linear(node: AdderLinear, tensors: Tensors, x: NDArray) -> NDArray:
    return from_columns(_distances(x.T, tensors[node.weight]), len(x), node.shape)


def _distances(columns: NDArray, weight: NDArray) -> NDArray:
    return adder_sums(columns, weight.reshape(len(weight), -1))


def _winograd_adder(node: WinogradAdderConv2d, tensors: Tensors, x: NDArray) -> NDArray:
    weight, output = tensors[node.weight], OUTPUT_TRANSFORMS[node.variant]
    tiles = image_to_tiles(x, node.padding)
    count, rows, columns = tiles.shape[:3]
    v = (INPUT_TRANSFORM @ tiles @ INPUT_TRANSFORM.T).transpose(4, 5, 3, 0, 1, 2)
    v = v.reshape(16, v.shape[2], -1)
    sums = [_distances(v[k], weight[:, :, k // 4, k % 4]) for k in range(16)]
    m = np.stack(sums).reshape(4, 4, len(weight), count, rows, columns)
    y = np.einsum("ui,vj,ijonrc->norucv", output, output, m, optimize=True)
    image = y.reshape(count, len(weight), 2 * rows, 2 * columns)
    return image[:, :, : node.shape[1], : node.shape[2]]


def _batch_norm(node: BatchNorm, tensors: Tensors, x: NDArray) -> NDArray:
    gain, offset = (per_channel(tensors[key], x.ndim) for key in (node.gain, node.offset))
    return x * gain + offset


def _max_pool(node: MaxPool, tensors: Tensors, x: NDArray) -> NDArray:
    view = windows(x, node.kernel, node.stride, node.padding, pad_value=-np.inf)  # type: ignore
    return view.max(axis=(4, 5)).transpose(0, 3, 1, 2)


def _avg_pool(node: AvgPool, tensors: Tensors, x: NDArray) -> NDArray:
    view = windows(x, node.kernel, node.stride, node.padding)
    return view.mean(axis=(4, 5)).transpose(0, 3, 1, 2)


def _relu(node: Relu, tensors: Tensors, x: NDArray) -> NDArray:
    return np.maximum(x, 0)


def _activation(node: Activation, tensors: Tensors, x: NDArray) -> NDArray:
    parameter = np.zeros(1) if node.parameter is None else tensors[node.parameter]
    return activation(node.function, x, per_channel(parameter, x.ndim))


def _sign(node: Sign, tensors: Tensors, x: NDArray) -> NDArray:
    return np.where(x >= 0, 1.0, -1.0)


def _quant_relu(node: QuantRelu, tensors: Tensors, x: NDArray) -> NDArray:
    return node.step * np.clip(np.floor(x / node.step + 0.5), 0, 2**node.bits - 1)


def _flatten(node: Flatten, tensors: Tensors, x: NDArray) -> NDArray:
    return x.reshape(len(x), *node.shape)


def _add(node: Add, tensors: Tensors, a: NDArray, b: NDArray) -> NDArray:
    return a + b


def _concat(node: Concat, tensors: Tensors, *parts: NDArray) -> NDArray:
    return np.concatenate(parts, axis=1)


def _slice(node: Slice, tensors: Tensors, x: NDArray) -> NDArray:
    return x[:, node.start : node.stop]


def _shift2d(node: Shift2d, tensors: Tensors, x: NDArray) -> NDArray:
    channels, height, width = x.shape[1:]
    reach = max(abs(step) for offset in node.offsets for step in offset)
    around = np.pad(x, ((0, 0), (0, 0), (reach, reach), (reach, reach)))
    y = np.empty_like(x)
    for c in range(channels):
        dy, dx = node.offsets[c % len(node.offsets)]
        y[:, c] = around[:, c, reach + dy :, reach + dx :][:, :height, :width]
    return y


def _pixel_shuffle(node: PixelShuffle, tensors: Tensors, x: NDArray) -> NDArray:
    count, channels, height, width = x.shape
    f = node.factor
    split = x.reshape(count, channels // (f * f), f, f, height, width)
    return split.transpose(0, 1, 4, 2, 5, 3).reshape(count, *node.shape)


def _upsample_nearest(node: UpsampleNearest, tensors: Tensors, x: NDArray) -> NDArray:
    return x.repeat(node.factor, axis=2).repeat(node.factor, axis=3)


RULES: dict[type, Callable[..., NDArray]] = {
    Conv2d: _conv2d,
    Pow2Conv2d: _pow2_conv2d,
    XnorConv2d: _xnor_conv2d,
    AdderConv2d: _adder_conv2d,
    WinogradAdderConv2d: _winograd_adder,
    Linear: _linear,
    XnorLinear: _xnor_linear,
    AdderLinear: _adder_linear,
    BatchNorm: _batch_norm,
    Relu: _relu,
    Activation: _activation,
    Sign: _sign,
    QuantRelu: _quant_relu,
    MaxPool: _max_pool,
    AvgPool: _avg_pool,
    Flatten: _flatten,
    Add: _add,
    Concat: _concat,
    Slice: _slice,
    Shift2d: _shift2d,
    PixelShuffle: _pixel_shuffle,
    UpsampleNearest: _upsample_nearest,
}
