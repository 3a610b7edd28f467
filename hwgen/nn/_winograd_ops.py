"""The Winograd adder layer F(2x2, 3x3) as PyTorch operators (arXiv:2105.05530).

    hwgen::winograd_adder_conv2d(Tensor x, Tensor weight, int[2] padding, int variant) -> Tensor
    hwgen::winograd_power_conv2d(Tensor x, Tensor weight, int[2] padding, int variant,
                                 float exponent) -> Tensor

The second is the first with |W - V|**exponent, for training; it has no hardware. With exponent 1
the gradients are AdderNet's: full precision for the weights, clipped for V; above 1 they are the
true ones. The weights' are scaled to ETA * sqrt(n) as in all adder layers.
Sums run over (16, C, tiles), four times the size of x: the differences of all outputs never exist.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ._adder_ops import scaled
from ._shapes import match_kinds, pad

__all__ = ["INPUT_TRANSFORM", "OUTPUT_TRANSFORMS"]

INPUT_TRANSFORM = ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1))
"""B transposed."""

OUTPUT_TRANSFORMS = (
    ((-1, 1, 1, 0), (0, 1, -1, 1)),
    ((1, 1, -1, 0), (0, 1, 1, -1)),
    ((1, -1, -1, 0), (0, -1, 1, -1)),
    ((-1, -1, 1, 0), (0, -1, -1, 1)),
)
"""A transposed: the four that give every output as many positive terms; 2 and 3 are -0 and -1."""

_SCHEMA = "(Tensor x, Tensor weight, int[2] padding, int variant) -> Tensor"
_POWER_SCHEMA = "(Tensor x, Tensor weight, int[2] padding, int variant, float exponent) -> Tensor"
_GRADIENT_SCHEMA = (
    "(Tensor g, Tensor x, Tensor weight, int[2] padding, int variant, float exponent)"
    " -> (Tensor, Tensor)"
)


def _forward(
    x: Tensor, weight: Tensor, padding: list[int], variant: int, exponent: float = 1.0
) -> Tensor:
    shape = _shape(x, weight, padding)
    if x.numel() == 0:
        return x.new_zeros(shape)
    tiles = _tiles(x, padding)
    sums = _distances(_transformed(tiles), _positions(weight), exponent)
    return _assembled(sums, tiles.shape, variant)[:, :, : shape[2], : shape[3]].contiguous()


def _gradients(
    g: Tensor, x: Tensor, weight: Tensor, padding: list[int], variant: int, exponent: float
) -> tuple[Tensor, Tensor]:
    if x.numel() == 0:
        return torch.zeros_like(x), torch.zeros_like(weight)
    tiles = _tiles(x, padding)
    v, w = _transformed(tiles), _positions(weight)
    g_v, g_w = _distance_gradients(_disassembled(g, variant), v, w, exponent)
    g_weight = g_w.permute(1, 2, 0).reshape(weight.shape)
    return _scattered(g_v, tiles.shape, x, padding), scaled(g_weight)


# Tiles and transforms. d (N, C, th, tw, 4, 4), V (16, C, N*th*tw), M (16, O, N*th*tw).


def _even(x: Tensor) -> Tensor:
    """One more row or column of zeros where the size is odd."""
    return F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2))


def _tiles(x: Tensor, padding: list[int]) -> Tensor:
    return _even(pad(x, padding)).unfold(2, 4, 2).unfold(3, 4, 2)


def _transformed(tiles: Tensor) -> Tensor:
    b = tiles.new_tensor(INPUT_TRANSFORM)
    v = torch.einsum("ia,jb,nchwab->ijcnhw", b, b, tiles)
    return v.reshape(16, tiles.shape[1], -1)


def _positions(weight: Tensor) -> Tensor:
    return weight.flatten(2).permute(2, 0, 1)


def _assembled(sums: Tensor, tiles: torch.Size, variant: int) -> Tensor:
    count, _, rows, columns = tiles[:4]
    a = sums.new_tensor(OUTPUT_TRANSFORMS[variant])
    m = sums.reshape(4, 4, -1, count, rows, columns)
    return torch.einsum("ui,vj,ijonhw->nohuwv", a, a, m).reshape(count, -1, 2 * rows, 2 * columns)


def _disassembled(g: Tensor, variant: int) -> Tensor:
    """Transpose of `_assembled`."""
    g = _even(g)
    a = g.new_tensor(OUTPUT_TRANSFORMS[variant])
    pixels = g.reshape(*g.shape[:2], g.shape[2] // 2, 2, g.shape[3] // 2, 2)
    return torch.einsum("ui,vj,nohuwv->ijonhw", a, a, pixels).reshape(16, g.shape[1], -1)


def _scattered(g_v: Tensor, tiles: torch.Size, x: Tensor, padding: list[int]) -> Tensor:
    """Transpose of `_tiles` and `_transformed`."""
    count, channels, rows, columns = tiles[:4]
    b = g_v.new_tensor(INPUT_TRANSFORM)
    g_v = g_v.reshape(4, 4, channels, count, rows, columns)
    parts = torch.einsum("ia,jb,ijcnhw->ncabhw", b, b, g_v).reshape(count, channels * 16, -1)
    image = F.fold(parts, (2 * rows + 2, 2 * columns + 2), 4, stride=2)
    top, left = padding
    return image[:, :, top : top + x.shape[2], left : left + x.shape[3]].contiguous()


# Distances at the 16 positions. With exponent 1 each is a 1x1 adder layer on a row of tiles.


def _distances(v: Tensor, w: Tensor, exponent: float) -> Tensor:
    if exponent == 1:
        return torch.stack([_adder(row, kernel) for row, kernel in zip(v, w, strict=True)])
    sums = v.new_empty(16, w.shape[1], v.shape[2])
    for o in range(w.shape[1]):
        sums[:, o] = -(v - w[:, o, :, None]).abs_().pow_(exponent).sum(1)
    return sums


def _adder(row: Tensor, kernel: Tensor) -> Tensor:
    operands = (row[None, :, None], kernel[:, :, None, None].contiguous())
    return torch.ops.hwgen.adder_conv2d(*operands, [1, 1], [0, 0])[0, :, 0]


def _distance_gradients(g: Tensor, v: Tensor, w: Tensor, exponent: float) -> tuple[Tensor, Tensor]:
    if exponent == 1:
        g_v = torch.stack([_adder_gradient(*each) for each in zip(g, v, w, strict=True)])
        return g_v, g @ v.mT - w * g.sum(2)[:, :, None]
    g_v, g_w = torch.zeros_like(v), torch.empty_like(w)
    for o in range(w.shape[1]):
        difference = w[:, o, :, None] - v
        slope = difference.abs().pow_(exponent - 1).mul_(difference.sign_()).mul_(exponent)
        slope *= g[:, o, None]
        g_v += slope
        g_w[:, o] = -slope.sum(2)
    return g_v, g_w


def _adder_gradient(g: Tensor, row: Tensor, kernel: Tensor) -> Tensor:
    operands = (g[None, :, None], row[None, :, None], kernel[:, :, None, None].contiguous())
    return torch.ops.hwgen.adder_conv2d_input_gradient(*operands, [1, 1], [0, 0])[0, :, 0]


def _shape(x: Tensor, weight: Tensor, padding: list[int]) -> list[int]:
    if x.dim() != 4 or x.shape[1] != weight.shape[1]:
        raise ValueError(f"x must be of shape (N, {weight.shape[1]}, H, W), not {tuple(x.shape)!r}")
    match_kinds(x, weight)
    size = [x.shape[2 + axis] + 2 * padding[axis] - 2 for axis in (0, 1)]
    if min(size) < 1:
        raise ValueError(f"x must be at least as large as the kernel, not {tuple(x.shape)!r}")
    return [x.shape[0], weight.shape[0], *size]


# Registration.


def _save(ctx: Any, inputs: tuple, output: Tensor) -> None:
    x, weight, ctx.padding, ctx.variant, *exponent = inputs
    ctx.exponent = exponent[0] if exponent else 1.0
    ctx.save_for_backward(x, weight)


def _both(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor]:
    options = (ctx.padding, ctx.variant, ctx.exponent)
    return torch.ops.hwgen.winograd_adder_gradients(g, *ctx.saved_tensors, *options)


winograd_adder_conv2d = torch.library.custom_op(
    "hwgen::winograd_adder_conv2d",
    lambda x, weight, padding, variant: _forward(x, weight, padding, variant),
    mutates_args=(),
    schema=_SCHEMA,
)
winograd_adder_conv2d.register_fake(
    lambda x, weight, padding, variant: x.new_empty(_shape(x, weight, padding))
)
winograd_adder_conv2d.register_autograd(
    lambda ctx, g: (*_both(ctx, g), None, None), setup_context=_save
)

winograd_power_conv2d = torch.library.custom_op(
    "hwgen::winograd_power_conv2d", _forward, mutates_args=(), schema=_POWER_SCHEMA
)
winograd_power_conv2d.register_fake(
    lambda x, weight, padding, variant, exponent: x.new_empty(_shape(x, weight, padding))
)
winograd_power_conv2d.register_autograd(
    lambda ctx, g: (*_both(ctx, g), None, None, None), setup_context=_save
)

torch.library.custom_op(
    "hwgen::winograd_adder_gradients", _gradients, mutates_args=(), schema=_GRADIENT_SCHEMA
).register_fake(
    lambda g, x, weight, padding, variant, exponent: (
        torch.empty_like(x),
        torch.empty_like(weight),
    )
)
