"""Gradients that every layer with sums of products shares."""

from typing import Any

from torch import Tensor
from torch.nn.grad import conv2d_input, conv2d_weight

from ._shapes import inner, pad

__all__ = ["conv_backward"]

Pair = tuple[Tensor | None, Tensor | None]


def conv_backward(ctx: Any, g: Tensor, pad_value: float = 0.0) -> Pair:
    """Gradients of x and weight; ``ctx`` holds both, stride and padding."""
    x, weight = ctx.saved_tensors
    framed = pad(x, ctx.padding, pad_value)
    g_x = g_w = None
    if ctx.needs_input_grad[0]:
        g_x = inner(conv2d_input(framed.shape, weight, g, ctx.stride), ctx.padding, x)
    if ctx.needs_input_grad[1]:
        g_w = conv2d_weight(framed, weight.shape, g, ctx.stride)
    return g_x, g_w
