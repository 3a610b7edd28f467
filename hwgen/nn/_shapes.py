"""Shapes of the operators' results, what they refuse, and the frame of padding around an image."""

from torch import Tensor
from torch.nn import functional as F

__all__ = ["conv_shape", "inner", "linear_shape", "match_kinds", "pad"]


def conv_shape(x: Tensor, weight: Tensor, stride: list[int], padding: list[int]) -> list[int]:
    """Output shape of a convolution; weight (Cout, Cin, kh, kw)."""
    if x.dim() != 4 or x.shape[1] != weight.shape[1]:
        raise ValueError(f"x must be of shape (N, {weight.shape[1]}, H, W), not {tuple(x.shape)!r}")
    match_kinds(x, weight)
    size = []
    for axis in (0, 1):
        extent, kernel = x.shape[2 + axis] + 2 * padding[axis], weight.shape[2 + axis]
        if extent < kernel:
            raise ValueError(f"x must be at least as large as the kernel, not {tuple(x.shape)!r}")
        size.append((extent - kernel) // stride[axis] + 1)
    return [x.shape[0], weight.shape[0], *size]


def linear_shape(x: Tensor, weight: Tensor) -> list[int]:
    """Output shape of a fully connected layer; weight (Cout, Cin)."""
    if x.dim() < 1 or x.shape[-1] != weight.shape[1]:
        raise ValueError(f"x must be of shape (..., {weight.shape[1]}), not {tuple(x.shape)!r}")
    match_kinds(x, weight)
    return [*x.shape[:-1], weight.shape[0]]


def match_kinds(x: Tensor, weight: Tensor) -> None:
    """Refuse operands that are not floats of one type."""
    if x.dtype != weight.dtype or not x.dtype.is_floating_point:
        raise TypeError(f"x must be of the weight's type {weight.dtype}, not {x.dtype!r}")


def pad(x: Tensor, padding: list[int], value: float = 0.0) -> Tensor:
    """Put a frame of ``value`` around each image; x itself where the frame is empty."""
    frame = (padding[1], padding[1], padding[0], padding[0])
    return F.pad(x, frame, value=value) if any(padding) else x


def inner(framed: Tensor, padding: list[int], x: Tensor) -> Tensor:
    """Take the frame off again: a new tensor in the shape of x."""
    top, left = padding
    # A copy where there was padding: an operator may not return a view of what it was given.
    return framed[:, :, top : top + x.shape[2], left : left + x.shape[3]].contiguous()
