"""GhostNet's module: some feature maps by a convolution, the others cheaply from them."""

import torch
from torch import Tensor, nn

from ._checks import flag, integer

__all__ = ["GhostModule"]


class GhostModule(nn.Module):
    """Ghost module (GhostNet, arXiv:1911.11907).

        p = relu(bn(conv kxk(x)))               init = ceil(out_channels / ratio) channels
        g = relu(bn(depthwise conv dxd(p)))     init * (ratio - 1) channels
        y = cat([p, g])[:out_channels]

    x (N, in_channels, H, W) -> y (N, out_channels, H', W'), H' = (H - 1) // stride + 1.

    Parameters: in_channels, out_channels, stride : int
                kernel_size, cheap_kernel_size : odd int, k and d · ratio : int, at least 2
                relu : bool, without it both halves end at the batch norm
    Raises:     TypeError or ValueError for other parameters.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        ratio: int = 2,
        cheap_kernel_size: int = 3,
        stride: int = 1,
        relu: bool = True,
    ) -> None:
        super().__init__()
        self.out_channels = integer("out_channels", out_channels)
        init = -(-out_channels // integer("ratio", ratio, least=2))
        ghost = init * (ratio - 1)
        flag("relu", relu)
        primary = (integer("in_channels", in_channels), init, kernel_size)
        self.primary = _block(*primary, integer("stride", stride), 1, relu)
        self.cheap = _block(init, ghost, cheap_kernel_size, 1, init, relu)

    def forward(self, x: Tensor) -> Tensor:
        primary = self.primary(x)
        return torch.cat([primary, self.cheap(primary)], 1)[:, : self.out_channels]


def _block(
    inputs: int, outputs: int, kernel: int, stride: int, groups: int, relu: bool
) -> nn.Sequential:
    if integer("kernel_size", kernel) % 2 == 0:
        raise ValueError(f"kernel_size must be odd, not {kernel!r}")
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    layers = [conv, nn.BatchNorm2d(outputs), *([nn.ReLU(inplace=True)] if relu else [])]
    return nn.Sequential(*layers)
