"""The Winograd adder layer: 16 differences for four outputs, where a direct layer has 36."""

import torch
from torch import Tensor, nn

from . import _winograd_ops as _winograd_ops  # registers torch.ops.hwgen
from ._checks import integer, pair, real

__all__ = ["WinogradAdderConv2d"]


class WinogradAdderConv2d(nn.Module):
    """Winograd adder layer F(2x2, 3x3) (arXiv:2105.05530), 3x3 windows of stride 1.

    For each 4x4 tile d of the padded image, every second row and column:

        V[c] = B' d[c] B;  M[o] = -sum_c |weight[o, c] - V[c]|**exponent;  Y[o] = A' M[o] A

    and Y is a 2x2 tile of the output. x (N, in_channels, H, W) -> y (N, out_channels, H', W'),
    H' = H + 2*ph - 2; where H' is odd, a row of zeros is added at the end and the output cropped.
    The layer is no rewriting of an adder layer: its weights live in the 4x4 domain.
    Training goes from exponent 2 to 1 (`set_exponent`); only 1 has hardware.

    Parameters: in_channels, out_channels : int · padding : int or pair
                variant : int, 0 to 3, which of the balanced matrices A
    Members:    weight : parameter (out_channels, in_channels, 4, 4) · exponent : float
    Raises:     TypeError or ValueError for other parameters.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        padding: int | tuple[int, int] = 1,
        variant: int = 0,
    ) -> None:
        super().__init__()
        self.in_channels = integer("in_channels", in_channels)
        self.out_channels = integer("out_channels", out_channels)
        self.padding = pair("padding", padding, least=0)
        self.variant = integer("variant", variant, 0, 3)
        self.exponent = 1.0
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, 4, 4))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights from N(0, 1)."""
        nn.init.normal_(self.weight)

    def set_exponent(self, exponent: float) -> None:
        """Set the exponent, 1 to 2; a schedule starts at 2 and ends at exactly 1."""
        if not 1 <= real("exponent", exponent) <= 2:
            raise ValueError(f"exponent must be between 1 and 2, not {exponent!r}")
        self.exponent = float(exponent)

    def forward(self, x: Tensor) -> Tensor:
        operands = (x, self.weight, self.padding, self.variant)
        if self.exponent == 1:
            return torch.ops.hwgen.winograd_adder_conv2d(*operands)
        return torch.ops.hwgen.winograd_power_conv2d(*operands, self.exponent)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, padding={self.padding}, "
            f"variant={self.variant}, exponent={self.exponent:g}"
        )
