"""Layers with weights of one bit and real inputs: a binary network's first layer."""

from torch import Tensor
from torch.nn import functional as F

from .xnor import BinaryConv2d, BinaryLinear, binary

__all__ = ["BinaryWeightConv2d", "BinaryWeightLinear"]


class BinaryWeightConv2d(BinaryConv2d):
    """Two-dimensional convolution with binary weights (BWN of XNOR-Net, arXiv:1603.05279).

        y = bias[o] + alpha[o] * conv2d(x, sign(weight))[o],  alpha[o] = mean |weight[o]|

    x (N, in_channels, H, W) -> y (N, out_channels, H', W'), H' = (H + 2*ph - kh) // sh + 1.
    A padded tap holds 0.

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
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias)

    def forward(self, x: Tensor) -> Tensor:
        signs, alpha = binary(self.weight)
        return self.scaled(F.conv2d(x, signs, None, self.stride, self.padding), alpha)


class BinaryWeightLinear(BinaryLinear):
    """Fully connected layer with binary weights.

        y[..., o] = bias[o] + alpha[o] * sum x[..., k] * sign(weight)[o, k]

    x (..., in_features) -> y (..., out_features).

    Parameters: in_features, out_features : int
    Raises:     TypeError or ValueError for a size that is no integer or too small.
    """

    def forward(self, x: Tensor) -> Tensor:
        signs, alpha = binary(self.weight)
        return self.scaled(F.linear(x, signs), alpha)
