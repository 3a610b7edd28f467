"""Binary layers: weights and inputs of one bit, a scale per output channel."""

from typing import Literal

import torch
from torch import Tensor, nn

from . import _binary_ops
from ._checks import choice, flag, integer, pair

__all__ = ["BinaryConv2d", "BinaryLinear", "Sign", "XnorConv2d", "XnorLinear", "binary"]


def binary(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Signs of the weights (O, ...), and alpha (O,) = mean of |weight| of each output channel."""
    return torch.ops.hwgen.sign(weight), weight.abs().flatten(1).mean(1)


class Sign(nn.Module):
    """y = +1 where x >= 0, else -1; the gradient passes where |x| <= 1. Any shape."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.hwgen.sign(x)


class BinaryConv2d(nn.Module):
    """What two-dimensional layers with binary weights share."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int],
        padding: int | tuple[int, int],
        bias: bool,
    ) -> None:
        super().__init__()
        self.in_channels = integer("in_channels", in_channels)
        self.out_channels = integer("out_channels", out_channels)
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = pair("stride", stride)
        self.padding = pair("padding", padding, least=0)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *self.kernel_size))
        self.bias = nn.Parameter(torch.empty(out_channels)) if flag("bias", bias) else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights from Glorot's normal distribution and clear the bias."""
        _reset(self.weight, self.bias)

    def scaled(self, sums: Tensor, alpha: Tensor) -> Tensor:
        """bias + alpha * sums."""
        y = sums * alpha.view(-1, 1, 1)
        return y if self.bias is None else y + self.bias.view(-1, 1, 1)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, bias={self.bias is not None}"
        )


class XnorConv2d(BinaryConv2d):
    """Two-dimensional binary convolution (XNOR-Net, arXiv:1603.05279).

        y[n, o, i, j] = bias[o] + alpha[o] * sum sign(x)[n, c, i*sh + u - ph, j*sw + v - pw]
                                               * sign(weight)[o, c, u, v]
                                    over c < in_channels, u < kh, v < kw
        alpha[o] = mean |weight[o]|, sign(0) = +1

    x (N, in_channels, H, W) -> y (N, out_channels, H', W'), H' = (H + 2*ph - kh) // sh + 1.
    A padded tap holds 0 (``pad="zero"``: it does not count), +1 ("plus") or -1 ("minus").

    Parameters: in_channels, out_channels : int · kernel_size, stride, padding : int or pair
                pad : "zero", "plus" or "minus"
    Raises:     TypeError or ValueError for a size that is no integer or too small, or another pad.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        pad: Literal["zero", "plus", "minus"] = "zero",
        bias: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias)
        self.pad = choice("pad", pad, tuple(_binary_ops.PADS))

    def forward(self, x: Tensor) -> Tensor:
        signs, alpha = binary(self.weight)
        operands = (torch.ops.hwgen.sign(x), signs)
        sums = torch.ops.hwgen.xnor_conv2d(*operands, self.stride, self.padding, self.pad)
        return self.scaled(sums, alpha)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, pad={self.pad!r}"


class BinaryLinear(nn.Module):
    """What fully connected layers with binary weights share."""

    def __init__(self, in_features: int, out_features: int, bias: bool = False) -> None:
        super().__init__()
        self.in_features = integer("in_features", in_features)
        self.out_features = integer("out_features", out_features)
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.bias = nn.Parameter(torch.empty(out_features)) if flag("bias", bias) else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights from Glorot's normal distribution and clear the bias."""
        _reset(self.weight, self.bias)

    def scaled(self, sums: Tensor, alpha: Tensor) -> Tensor:
        """bias + alpha * sums."""
        y = sums * alpha
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"


class XnorLinear(BinaryLinear):
    """Fully connected binary layer.

        y[..., o] = bias[o] + alpha[o] * sum sign(x)[..., k] * sign(weight)[o, k]

    x (..., in_features) -> y (..., out_features). The remarks of `XnorConv2d` hold.

    Parameters: in_features, out_features : int
    Raises:     TypeError or ValueError for a size that is no integer or too small.
    """

    def forward(self, x: Tensor) -> Tensor:
        signs, alpha = binary(self.weight)
        return self.scaled(torch.ops.hwgen.xnor_linear(torch.ops.hwgen.sign(x), signs), alpha)


def _reset(weight: Tensor, bias: Tensor | None) -> None:
    nn.init.xavier_normal_(weight)
    if bias is not None:
        nn.init.zeros_(bias)
