"""A ReLU of few levels.

hwgen::quant_relu(Tensor x, Tensor step, int bits) -> Tensor
"""

from typing import Any

import torch
from torch import Tensor, nn

from ._checks import integer, real

__all__ = ["QuantReLU"]


class QuantReLU(nn.Module):
    """ReLU of 2**bits levels, with a step learned as in LSQ (arXiv:1902.08153).

        y = step * clamp(floor(x/step + 0.5), 0, 2**bits - 1)

    Any shape. The gradient passes where 0 <= x/step <= 2**bits - 1; the step's own is
    round(v) - v inside, 0 below and 2**bits - 1 above, over sqrt(elements * (2**bits - 1)).
    Without ``step`` it is a parameter that starts at LSQ's 2*mean|relu(x)| / sqrt(2**bits - 1)
    for an input of mean 0 and variance 1; its sign is ignored.

    Parameters: bits : int, 1 to 4 · step : positive number that stays, or None: learned
    Raises:     TypeError or ValueError for other parameters.
    """

    step: Tensor

    def __init__(self, bits: int, step: float | None = None) -> None:
        super().__init__()
        self.bits = integer("bits", bits, 1, 4)
        if step is None:
            self.step = nn.Parameter(torch.tensor(0.8 / (2**bits - 1) ** 0.5))
        else:
            self.register_buffer("step", torch.tensor(real("step", step)))

    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.hwgen.quant_relu(x, self.step.abs().clamp_min(1e-8), self.bits)

    def extra_repr(self) -> str:
        return f"{self.bits}, step={self.step.item():.6g}"


def _quant_relu(x: Tensor, step: Tensor, bits: int) -> Tensor:
    return step * (x / step + 0.5).floor().clamp(0, 2**bits - 1)


def _save(ctx: Any, inputs: tuple, output: Tensor) -> None:
    x, step, ctx.bits = inputs
    ctx.save_for_backward(x, step)


def _backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor, None]:
    x, step = ctx.saved_tensors
    top = 2**ctx.bits - 1
    v = x / step
    inside = (v >= 0) & (v <= top)
    levels = (v + 0.5).floor().clamp(0, top)
    g_step = (g * torch.where(inside, levels - v, levels)).sum() / (x.numel() * top) ** 0.5
    return g * inside, g_step.reshape(step.shape), None


quant_relu = torch.library.custom_op("hwgen::quant_relu", _quant_relu, mutates_args=())
quant_relu.register_fake(lambda x, step, bits: torch.empty_like(x))
quant_relu.register_autograd(_backward, setup_context=_save)
