"""Sums and products with constants: all of them are a per-channel affine, a BatchNorm node."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import fx

from hwgen.frontend.call import Call, Refused
from hwgen.ir.nodes import BatchNorm

__all__ = ["add", "divide", "multiply", "subtract"]


def add(call: Call) -> BatchNorm:
    """x + c, also c + x."""
    return _affine(call, 1.0, _constant(call) * call.args.get("alpha", 1))


def subtract(call: Call) -> BatchNorm:
    """x - c or c - x."""
    constant, alpha = _constant(call), call.args.get("alpha", 1)
    if _swapped(call):
        return _affine(call, -alpha, constant)
    return _affine(call, 1.0, -constant * alpha)


def multiply(call: Call) -> BatchNorm:
    """x * c, also c * x."""
    return _affine(call, _constant(call), 0.0)


def divide(call: Call) -> BatchNorm:
    """x / c."""
    if _swapped(call) or call.args.get("rounding_mode"):
        raise Refused("it divides by the input or rounds", "multiply by a constant instead")
    return _affine(call, 1 / _constant(call), 0.0)


def _affine(call: Call, gain: Any, offset: Any) -> BatchNorm:
    channels = np.ones(call.shape[1])
    return BatchNorm(
        **call.base,
        gain=call.keep("gain", channels * gain),
        offset=call.keep("offset", channels * offset),
    )


def _swapped(call: Call) -> bool:
    return call.value(call.args["self"]) is not None


def _constant(call: Call) -> NDArray:
    """The constant operand: one number, or one per channel (C,)."""
    arg = "self" if _swapped(call) else "other"
    if isinstance(call.args[arg], fx.Node) and call.value(call.args[arg]) is None:
        raise Refused(
            "combining two feature maps (a residual connection) is not supported yet",
            "make the model one chain of layers",
        )
    if isinstance(call.args[arg], int | float):
        return np.array(float(call.args[arg]))
    array = call.array(arg)
    channels = call.shape[1]
    spread = array.reshape((1,) * (len(call.shape) - array.ndim) + array.shape)
    if (
        call.shape != call.before
        or spread.shape[1] not in (1, channels)
        or (spread.size not in (1, channels))
    ):
        raise Refused(
            f"a constant of shape {array.shape} is not one number per channel",
            "use a constant of shape (C, 1, 1)",
        )
    return spread.reshape(-1)
