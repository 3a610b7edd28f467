"""The adder layers as PyTorch operators, so that an exported program holds one node a layer.

    hwgen::adder_conv2d(Tensor x, Tensor weight, int[2] stride, int[2] padding) -> Tensor
    hwgen::adder_linear(Tensor x, Tensor weight) -> Tensor

Each has a shape rule for tracing and the gradients of the AdderNet paper (arXiv:1912.13200):
full precision for the weights, clipped for the input, and a learning rate local to the layer.
CPU float32 runs in compiled loops; every other device and type runs in torch's own operators.
Neither builds the tensor of all differences, of size pixels x Cout x taps.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight

from . import _adder_cpu
from ._shapes import conv_shape, inner, linear_shape, pad

ETA = 0.2
"""Step of the local learning rate: each weight gradient is given the norm ETA * sqrt(n)."""

_TILE_ELEMENTS = 1 << 20  # elements of unfolded input held at once where torch does the work

_CONV_SCHEMA = "(Tensor x, Tensor weight, int[2] stride, int[2] padding) -> Tensor"
_CONV_GRADIENT_SCHEMA = (
    "(Tensor g, Tensor x, Tensor weight, int[2] stride, int[2] padding) -> Tensor"
)


def _adder_conv2d(x: Tensor, weight: Tensor, stride: list[int], padding: list[int]) -> Tensor:
    out = x.new_empty(conv_shape(x, weight, stride, padding))
    padded = pad(x, padding)
    if out.numel() == 0:
        return out
    if _has_kernels(x):
        _adder_cpu.forward(padded, weight, stride, out)
    else:
        _tiled_forward(padded, weight, stride, out)
    return out


def _adder_conv2d_input_gradient(
    g: Tensor, x: Tensor, weight: Tensor, stride: list[int], padding: list[int]
) -> Tensor:
    padded = pad(x, padding)
    if g.numel() == 0:
        return torch.zeros_like(x)
    if _has_kernels(x):
        result = _adder_cpu.input_gradient(g, padded, weight, stride)
    else:
        result = _tiled_input_gradient(g, padded, weight, stride)
    return inner(result, padding, x)


def _adder_linear(x: Tensor, weight: Tensor) -> Tensor:
    shape = linear_shape(x, weight)
    rows = _as_image(x)
    if rows.shape[0] < weight.shape[0]:
        # |x - w| = |w - x|: vector lanes run over the longer of the two.
        return _adder_conv2d(_as_image(weight), rows, [1, 1], [0, 0]).flatten(1).T.reshape(shape)
    return _adder_conv2d(rows, _as_image(weight), [1, 1], [0, 0]).reshape(shape)


def _adder_linear_input_gradient(g: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    operands = (_as_image(g), _as_image(x), _as_image(weight))
    return _adder_conv2d_input_gradient(*operands, [1, 1], [0, 0]).reshape(x.shape)


def _as_image(matrix: Tensor) -> Tensor:
    """(..., K) as (N, K, 1, 1), one pixel an image."""
    return matrix.reshape(-1, matrix.shape[-1], 1, 1)


def _has_kernels(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype == torch.float32


# Other devices and types: torch's operators on tiles of bounded size.


def _tiles(x: Tensor, weight: Tensor, stride: list[int], out: Tensor) -> Iterator[tuple]:
    """Yield (images, output rows, input rows) slices whose unfolded inputs are of bounded size."""
    height = out.shape[2]
    row = weight[0].numel() * out.shape[3]
    row_count = max(1, min(height, _TILE_ELEMENTS // row))
    image_count = max(1, _TILE_ELEMENTS // (row * height))
    for n in range(0, x.shape[0], image_count):
        for y0 in range(0, height, row_count):
            y1 = min(y0 + row_count, height)
            source = slice(y0 * stride[0], (y1 - 1) * stride[0] + weight.shape[2])
            yield slice(n, n + image_count), slice(y0, y1), source


def _tiled_forward(x: Tensor, weight: Tensor, stride: list[int], out: Tensor) -> None:
    # cdist knows no half precision; its sums are worth the wider type anyway.
    wide = torch.promote_types(x.dtype, torch.float32)
    flat = weight.flatten(1).to(wide)
    for images, rows, source in _tiles(x, weight, stride, out):
        columns = F.unfold(x[images, :, source].to(wide), weight.shape[2:], stride=tuple(stride))
        sums = torch.cdist(columns.mT, flat, p=1).mT
        out[images, :, rows] = sums.neg_().reshape(out[images, :, rows].shape).to(out.dtype)


def _tiled_input_gradient(g: Tensor, x: Tensor, weight: Tensor, stride: list[int]) -> Tensor:
    wide = torch.promote_types(x.dtype, torch.float32)
    result = torch.zeros(x.shape, dtype=wide, device=x.device)
    for images, rows, source in _tiles(x, weight, stride, g):
        part = x[images, :, source]
        columns = F.unfold(part.to(wide), weight.shape[2:], stride=tuple(stride))
        sums = torch.zeros_like(columns)
        for g_o, w_o in zip(
            g[images, :, rows].flatten(2).unbind(1), weight.flatten(1), strict=True
        ):
            sums += g_o[:, None].to(wide) * (w_o[:, None].to(wide) - columns).clamp_(-1, 1)
        folded = F.fold(sums, part.shape[2:], weight.shape[2:], stride=tuple(stride))
        result[images, :, source] += folded
    return result.to(x.dtype)


# Gradients.


def scaled(gradient: Tensor) -> Tensor:
    """The gradient with AdderNet's local learning rate: ETA * sqrt(n) / norm."""
    norm = torch.linalg.vector_norm(gradient).clamp_min(1e-12)
    return gradient * (ETA * gradient.numel() ** 0.5 / norm)


def _save_for_conv(ctx: Any, inputs: tuple, output: Tensor) -> None:
    x, weight, ctx.stride, ctx.padding = inputs
    ctx.save_for_backward(x, weight)


def _adder_conv2d_backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
    x, weight = ctx.saved_tensors
    g_x = g_w = None
    if ctx.needs_input_grad[0]:
        gradient = torch.ops.hwgen.adder_conv2d_input_gradient
        g_x = gradient(g, x, weight, ctx.stride, ctx.padding)
    if ctx.needs_input_grad[1]:
        # sum g * (x - w) = sum g * x - w * sum g; the first sum is that of a convolution.
        product = conv2d_weight(x, weight.shape, g, ctx.stride, ctx.padding)
        g_w = scaled(product - weight * g.sum((0, 2, 3))[:, None, None, None])
    return g_x, g_w, None, None


def _save_for_linear(ctx: Any, inputs: tuple, output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _adder_linear_backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
    x, weight = ctx.saved_tensors
    g_x = g_w = None
    if ctx.needs_input_grad[0]:
        g_x = torch.ops.hwgen.adder_linear_input_gradient(g, x, weight)
    if ctx.needs_input_grad[1]:
        rows = g.reshape(-1, g.shape[-1])
        product = rows.T @ x.reshape(-1, x.shape[-1])
        g_w = scaled(product - weight * rows.sum(0)[:, None])
    return g_x, g_w


# Registration. The gradients are operators too, so that compilers trace past them.

adder_conv2d = torch.library.custom_op(
    "hwgen::adder_conv2d", _adder_conv2d, mutates_args=(), schema=_CONV_SCHEMA
)
adder_conv2d.register_fake(
    lambda x, w, stride, padding: x.new_empty(conv_shape(x, w, stride, padding))
)
adder_conv2d.register_autograd(_adder_conv2d_backward, setup_context=_save_for_conv)

torch.library.custom_op(
    "hwgen::adder_conv2d_input_gradient",
    _adder_conv2d_input_gradient,
    mutates_args=(),
    schema=_CONV_GRADIENT_SCHEMA,
).register_fake(lambda g, x, weight, stride, padding: x.new_empty(x.shape))

adder_linear = torch.library.custom_op("hwgen::adder_linear", _adder_linear, mutates_args=())
adder_linear.register_fake(lambda x, weight: x.new_empty(linear_shape(x, weight)))
adder_linear.register_autograd(_adder_linear_backward, setup_context=_save_for_linear)

torch.library.custom_op(
    "hwgen::adder_linear_input_gradient", _adder_linear_input_gradient, mutates_args=()
).register_fake(lambda g, x, weight: x.new_empty(x.shape))
