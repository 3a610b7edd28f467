"""The learnable power activation.

hwgen::power(Tensor x, Tensor alpha) -> Tensor
"""

from typing import Any

import torch
from torch import Tensor, nn

from ._checks import integer

__all__ = ["PowerActivation"]


class PowerActivation(nn.Module):
    """Power activation y = sign(x) * |x|**alpha[c] (AdderSR, arXiv:2009.08891).

    x (N, C, ...). alpha > 0 is learned as its logarithm, from 1. The gradient of x takes
    |x| >= 1e-3, since an alpha below 1 has an infinite slope at 0.

    Parameters: channels : int, C for one alpha a channel, 1 for one alpha in all
    Raises:     TypeError or ValueError for other parameters.
    """

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.channels = integer("channels", channels)
        self.log_alpha = nn.Parameter(torch.zeros(channels))

    @property
    def alpha(self) -> Tensor:
        """The exponents (channels,)."""
        return self.log_alpha.exp()

    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.hwgen.power(x, self.alpha)

    def extra_repr(self) -> str:
        return f"{self.channels}"


def _spread(alpha: Tensor, x: Tensor) -> Tensor:
    if x.dim() < 2 or alpha.dim() != 1 or len(alpha) not in (1, x.shape[1]):
        raise ValueError(f"x must be of shape (N, {alpha.numel()}, ...), not {tuple(x.shape)!r}")
    return alpha.view(-1, *[1] * (x.dim() - 2))


def _power(x: Tensor, alpha: Tensor) -> Tensor:
    return x.sign() * x.abs() ** _spread(alpha, x)


def _save(ctx: Any, inputs: tuple, output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor]:
    x, alpha = ctx.saved_tensors
    spread, size = _spread(alpha, x), x.abs()
    g_x = g * spread * size.clamp_min(1e-3) ** (spread - 1)
    terms = g * x.sign() * size**spread * size.clamp_min(1e-30).log()
    axes = [axis for axis in range(x.dim()) if axis != 1 or len(alpha) == 1]
    return g_x, terms.sum(axes).reshape(alpha.shape)


power = torch.library.custom_op("hwgen::power", _power, mutates_args=())
power.register_fake(lambda x, alpha: torch.empty_like(x))
power.register_autograd(_backward, setup_context=_save)
