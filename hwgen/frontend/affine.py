"""Sums of two feature maps; sums and products with constants, which are all BatchNorm nodes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.frontend.call import Call, Refused, sizes
from hwgen.ir.nodes import Add, BatchNorm

__all__ = ["add", "divide", "multiply", "subtract"]


def add(call: Call) -> Add | BatchNorm:
    """x + y, x + c and c + x."""
    if call.is_map(call.args["self"]) and call.is_map(call.args["other"]):
        return _sum(call)
    return _affine(call, 1.0, _constant(call) * call.args.get("alpha", 1))


def _sum(call: Call) -> Add:
    shapes = sizes(call.args["self"]), sizes(call.args["other"])
    if shapes[0] != shapes[1]:
        raise Refused(
            f"it adds feature maps of shapes {shapes[0]} and {shapes[1]}",
            "add feature maps of one shape",
        )
    if call.args.get("alpha", 1) != 1:
        raise Refused(
            f"alpha={call.args['alpha']} scales one of two feature maps",
            "multiply it by a constant before the sum",
        )
    return Add(**call.joined)


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
    if call.is_map(call.args[arg]):
        raise Refused(
            "it combines two feature maps, and not by a sum", "add or concatenate feature maps"
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
