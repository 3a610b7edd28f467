"""Shift-ghost layers: copies of feature maps, moved by one pixel, in place of computed ones.

hwgen::shift2d(Tensor x, int[] offsets) -> Tensor
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._checks import flag, integer, real

__all__ = ["GhostShift2d"]


class GhostShift2d(nn.Module):
    """A layer's feature maps, followed by shifted copies of the first of them (arXiv:2101.08525).

        y = intrinsic(x)                                              (N, init, H, W)
        out[n, init + c, i, j] = y[n, c, i + dy, j + dx]  for c < ghost, 0 outside of y
        out[:, :init] = y,  dy and dx of -1, 0, 1                     (N, init + ghost, H, W)

    (dy, dx) belongs to the layer, or with ``per_channel`` to each copy. In training it is drawn
    from the softmax of |direction| / temperature (Gumbel-softmax, straight-through gradient); in
    eval mode it is that of the largest |direction|. Lower ``temperature`` while training: 0.97 to
    the number of the epoch, say.

    Parameters: intrinsic : module, any layer that gives ``init`` channels
                ghost : int, 1 to init · per_channel : bool
                init : int, by default the layer's ``out_channels``
    Members:    direction : parameter (1 or ghost, 9), position 3*(dy + 1) + dx + 1
                temperature : float
    Raises:     TypeError or ValueError for other parameters.
    """

    def __init__(
        self,
        intrinsic: nn.Module,
        ghost: int,
        per_channel: bool = False,
        init: int | None = None,
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        self.intrinsic = intrinsic
        self.init = integer(
            "init", getattr(intrinsic, "out_channels", None) if init is None else init
        )
        self.ghost = integer("ghost", ghost, 1, self.init)
        self.per_channel = flag("per_channel", per_channel)
        self.temperature = real("temperature", temperature)
        self.direction = nn.Parameter(torch.empty(ghost if per_channel else 1, 9))
        self.register_load_state_dict_post_hook(_settle)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the directions from N(0, 1)."""
        nn.init.normal_(self.direction)
        self._offsets = self.offsets()

    def offsets(self) -> list[int]:
        """The directions in eval mode: dy, dx, dy, dx, ..., for the layer or for each copy."""
        best = self.direction.detach().abs().argmax(1).tolist()
        return [step for position in best for step in (position // 3 - 1, position % 3 - 1)]

    def train(self, mode: bool = True) -> "GhostShift2d":
        super().train(mode)
        self._offsets = self.offsets()
        return self

    def forward(self, x: Tensor) -> Tensor:
        y = self.intrinsic(x)
        if y.shape[1] != self.init:
            raise ValueError(f"intrinsic must give {self.init} channels, not {y.shape[1]!r}")
        return torch.cat([y, self._shifted(y[:, : self.ghost])], 1)

    def _shifted(self, y: Tensor) -> Tensor:
        if self.training:
            kernel = self._drawn().view(-1, 1, 3, 3).expand(self.ghost, -1, -1, -1)
            return F.conv2d(y, kernel, padding=1, groups=self.ghost)
        if not torch.compiler.is_compiling():  # a traced weight has no values to read
            self._offsets = self.offsets()
        return torch.ops.hwgen.shift2d(y, self._offsets)

    def _drawn(self) -> Tensor:
        """One position of nine as a one-hot (1 or ghost, 9), with the softmax's gradient."""
        logits = self.direction.abs() / self.temperature
        return F.gumbel_softmax(logits, hard=True, dim=1)

    def extra_repr(self) -> str:
        return f"init={self.init}, ghost={self.ghost}, per_channel={self.per_channel}"


def _settle(module: Any, incompatible: Any) -> None:
    module._offsets = module.offsets()


def _shift2d(x: Tensor, offsets: list[int]) -> Tensor:
    _check(x, offsets)
    out = torch.zeros_like(x)
    pairs = list(zip(offsets[::2], offsets[1::2], strict=True))
    for pair in set(pairs):
        which = [c for c, own in enumerate(pairs) if own == pair] if len(pairs) > 1 else slice(None)
        (to_y, from_y), (to_x, from_x) = (_overlap(*a) for a in zip(pair, x.shape[2:], strict=True))
        out[:, which, to_y, to_x] = x[:, which, from_y, from_x]
    return out


def _overlap(offset: int, size: int) -> tuple[slice, slice]:
    """Rows i, and rows i + offset, of all i with both in 0..size-1."""
    low, high = max(0, -offset), max(0, size - max(0, offset))
    low = min(low, high)
    return slice(low, high), slice(low + offset, high + offset)


def _check(x: Tensor, offsets: list[int]) -> None:
    if x.dim() != 4 or len(offsets) not in (2, 2 * x.shape[1]):
        channels = len(offsets) // 2
        raise ValueError(f"x must be of shape (N, {channels}, H, W), not {tuple(x.shape)!r}")


def _fake(x: Tensor, offsets: list[int]) -> Tensor:
    _check(x, offsets)
    return torch.empty_like(x)


def _save(ctx: Any, inputs: tuple, output: Tensor) -> None:
    ctx.offsets = inputs[1]


def _backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
    return torch.ops.hwgen.shift2d(g, [-offset for offset in ctx.offsets]), None


shift2d = torch.library.custom_op(
    "hwgen::shift2d", _shift2d, mutates_args=(), schema="(Tensor x, int[] offsets) -> Tensor"
)
shift2d.register_fake(_fake)
shift2d.register_autograd(_backward, setup_context=_save)
