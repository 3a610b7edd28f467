"""Convolution whose weights are powers of two: a shift takes the place of a product.

hwgen::pow2_round(Tensor weight, int p_min, int p_max) -> Tensor
hwgen::pow2_conv2d(Tensor x, Tensor w2, int[2] stride, int[2] padding) -> Tensor
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._checks import flag, integer, pair
from ._conv_gradients import conv_backward
from ._shapes import conv_shape, pad

__all__ = ["Pow2Conv2d"]

_LOWEST, _HIGHEST = -64, 64


class Pow2Conv2d(nn.Module):
    """Two-dimensional convolution with weights 0 and +-2**p (DeepShift-Q, arXiv:1905.13298).

        y = bias[o] + conv2d(x, w2)[o],  w2 = sign(weight) * 2**p,  p = round(log2 |weight|)

    p above p_max becomes p_max; where p is below p_min, w2 is 0. The gradient of w2 is that of the
    weight. x (N, in_channels, H, W) -> y (N, out_channels, H', W'), H' = (H + 2*ph - kh)//sh + 1.

    Parameters: in_channels, out_channels : int · kernel_size, stride, padding : int or pair
                p_min, p_max : int, p_min <= p_max
    Raises:     TypeError or ValueError for other parameters.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        p_min: int = -7,
        p_max: int = 0,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels = integer("in_channels", in_channels)
        self.out_channels = integer("out_channels", out_channels)
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = pair("stride", stride)
        self.padding = pair("padding", padding, least=0)
        self.p_max = integer("p_max", p_max, _LOWEST, _HIGHEST)
        self.p_min = integer("p_min", p_min, _LOWEST, self.p_max)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *self.kernel_size))
        self.bias = nn.Parameter(torch.empty(out_channels)) if flag("bias", bias) else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights from He's uniform distribution and clear the bias."""
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        weight = torch.ops.hwgen.pow2_round(self.weight, self.p_min, self.p_max)
        y = torch.ops.hwgen.pow2_conv2d(x, weight, self.stride, self.padding)
        return y if self.bias is None else y + self.bias.view(-1, 1, 1)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, p_min={self.p_min}, "
            f"p_max={self.p_max}, bias={self.bias is not None}"
        )


def _pow2_round(weight: Tensor, p_min: int, p_max: int) -> Tensor:
    power = weight.abs().log2().round()
    size = torch.where(power < p_min, 0.0, power.clamp(p_min, p_max).exp2())
    return (weight.sign() * size).to(weight.dtype)


def _pow2_conv2d(x: Tensor, w2: Tensor, stride: list[int], padding: list[int]) -> Tensor:
    conv_shape(x, w2, stride, padding)
    return F.conv2d(pad(x, padding), w2, stride=tuple(stride))


def _save_for_conv(ctx: Any, inputs: tuple, output: Tensor) -> None:
    x, weight, ctx.stride, ctx.padding = inputs
    ctx.save_for_backward(x, weight)


def _conv_backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
    return *conv_backward(ctx, g), None, None


pow2_round = torch.library.custom_op("hwgen::pow2_round", _pow2_round, mutates_args=())
pow2_round.register_fake(lambda weight, p_min, p_max: torch.empty_like(weight))
pow2_round.register_autograd(lambda ctx, g: (g, None, None))

pow2_conv2d = torch.library.custom_op(
    "hwgen::pow2_conv2d",
    _pow2_conv2d,
    mutates_args=(),
    schema="(Tensor x, Tensor w2, int[2] stride, int[2] padding) -> Tensor",
)
pow2_conv2d.register_fake(
    lambda x, w2, stride, padding: x.new_empty(conv_shape(x, w2, stride, padding))
)
pow2_conv2d.register_autograd(_conv_backward, setup_context=_save_for_conv)
