"""Sign and the sums of the binary layers as PyTorch operators.

    hwgen::sign(Tensor x) -> Tensor
    hwgen::xnor_conv2d(Tensor xb, Tensor wb, int[2] stride, int[2] padding, str pad) -> Tensor
    hwgen::xnor_linear(Tensor xb, Tensor wb) -> Tensor

The sums take tensors of -1 and +1; ``pad`` is what a padded tap holds: zero, plus (+1), minus (-1).
The sign passes the gradient on where |x| <= 1 (XNOR-Net, arXiv:1603.05279).
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ._conv_gradients import conv_backward
from ._shapes import conv_shape, linear_shape, pad

__all__ = ["PADS"]

PADS = {"zero": 0.0, "plus": 1.0, "minus": -1.0}
"""Values of a padded tap."""

_CONV_SCHEMA = "(Tensor xb, Tensor wb, int[2] stride, int[2] padding, str pad) -> Tensor"


def _sign(x: Tensor) -> Tensor:
    return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)


def _save_for_sign(ctx: Any, inputs: tuple, output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _sign_backward(ctx: Any, g: Tensor) -> Tensor:
    (x,) = ctx.saved_tensors
    return g * (x.abs() <= 1)


def _xnor_conv2d(
    xb: Tensor, wb: Tensor, stride: list[int], padding: list[int], pad_rule: str
) -> Tensor:
    conv_shape(xb, wb, stride, padding)
    return F.conv2d(pad(xb, padding, PADS[pad_rule]), wb, stride=tuple(stride))


def _save_for_conv(ctx: Any, inputs: tuple, output: Tensor) -> None:
    x, weight, ctx.stride, ctx.padding, ctx.pad_rule = inputs
    ctx.save_for_backward(x, weight)


def _xnor_conv2d_backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
    return *conv_backward(ctx, g, PADS[ctx.pad_rule]), None, None, None


def _xnor_linear(xb: Tensor, wb: Tensor) -> Tensor:
    linear_shape(xb, wb)
    return F.linear(xb, wb)


def _save_for_linear(ctx: Any, inputs: tuple, output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _xnor_linear_backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor]:
    x, weight = ctx.saved_tensors
    return g @ weight, g.reshape(-1, g.shape[-1]).T @ x.reshape(-1, x.shape[-1])


sign = torch.library.custom_op("hwgen::sign", _sign, mutates_args=())
sign.register_fake(torch.empty_like)
sign.register_autograd(_sign_backward, setup_context=_save_for_sign)

xnor_conv2d = torch.library.custom_op(
    "hwgen::xnor_conv2d", _xnor_conv2d, mutates_args=(), schema=_CONV_SCHEMA
)
xnor_conv2d.register_fake(
    lambda xb, wb, stride, padding, pad: xb.new_empty(conv_shape(xb, wb, stride, padding))
)
xnor_conv2d.register_autograd(_xnor_conv2d_backward, setup_context=_save_for_conv)

xnor_linear = torch.library.custom_op("hwgen::xnor_linear", _xnor_linear, mutates_args=())
xnor_linear.register_fake(lambda xb, wb: xb.new_empty(linear_shape(xb, wb)))
xnor_linear.register_autograd(_xnor_linear_backward, setup_context=_save_for_linear)
