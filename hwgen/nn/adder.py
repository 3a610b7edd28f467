"""Adder layers: a sum of absolute differences takes the place of a sum of products."""

import torch
from torch import Tensor, nn

from . import _adder_ops as _adder_ops  # registers torch.ops.hwgen
from ._checks import flag, integer, pair

__all__ = ["AdderConv2d", "AdderLinear"]


class AdderConv2d(nn.Module):
    """Two-dimensional adder layer.

        y[n, o, i, j] = bias[o] - sum |x[n, c, i*sh + u - ph, j*sw + v - pw] - weight[o, c, u, v]|
                                  over c < in_channels, u < kh, v < kw

    x (N, in_channels, H, W) -> y (N, out_channels, H', W'), H' = (H + 2*ph - kh) // sh + 1.
    A padded tap has x = 0, so it contributes -|weight|. The output is never positive before the
    bias: put a normalizer behind the layer. Each backward pass gives the weight gradient the norm
    `_adder_ops.ETA` * sqrt(number of weights), whatever the loss's scale.

    Parameters: in_channels, out_channels : int · kernel_size, stride, padding : int or pair
    Raises:     TypeError or ValueError for a size that is no integer or too small.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        bias: bool = False,
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
        """Draw the weights from N(0, 1), as AdderNet does, and clear the bias."""
        _reset(self.weight, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.ops.hwgen.adder_conv2d(x, self.weight, self.stride, self.padding)
        return y if self.bias is None else y + self.bias.view(-1, 1, 1)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, bias={self.bias is not None}"
        )


class AdderLinear(nn.Module):
    """Fully connected adder layer.

        y[..., o] = bias[o] - sum |x[..., k] - weight[o, k]| over k < in_features

    x (..., in_features) -> y (..., out_features). The remarks of `AdderConv2d` hold.

    Parameters: in_features, out_features : int
    Raises:     TypeError or ValueError for a size that is no integer or too small.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = False) -> None:
        super().__init__()
        self.in_features = integer("in_features", in_features)
        self.out_features = integer("out_features", out_features)
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.bias = nn.Parameter(torch.empty(out_features)) if flag("bias", bias) else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights from N(0, 1), as AdderNet does, and clear the bias."""
        _reset(self.weight, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.ops.hwgen.adder_linear(x, self.weight)
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"


def _reset(weight: Tensor, bias: Tensor | None) -> None:
    nn.init.normal_(weight)
    if bias is not None:
        nn.init.zeros_(bias)
