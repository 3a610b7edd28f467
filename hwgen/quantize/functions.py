"""Functions of one variable as integers: thresholds and tables."""

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.activations import activation
from hwgen.ir.nodes import Activation, AnyNode, Lut, QuantRelu, Threshold
from hwgen.quantize.values import Format, Pending
from hwgen_rtl.numerics import to_steps

__all__ = ["lut_node", "threshold_node", "thresholds"]


def threshold_node(
    value: Pending, native: Format, name: str
) -> tuple[Threshold, dict[str, NDArray]]:
    """The threshold node of a value that ends in Sign or QuantRelu, and its arrays."""
    function, edge = value.function, value.edge
    levels = np.zeros(1)
    if isinstance(function, QuantRelu):
        levels = (np.arange(1, 2**function.bits) - 0.5) * function.step
    gain, offset = np.broadcast_arrays(value.gain * edge.scale, value.offset)
    steps, direction = thresholds(gain, offset, edge.excess, levels, edge.kind.low, edge.kind.high)
    node = Threshold(
        name=name,
        inputs=(edge.node.name,),
        shape=edge.node.shape,
        type=native.kind,
        scale=(native.step,),
        thresholds=f"{name}.thresholds",
        direction=f"{name}.direction",
    )
    return node, {node.thresholds: steps, node.direction: direction}


def thresholds(
    gain: NDArray, offset: NDArray, excess: NDArray, levels: NDArray, low: int, high: int
) -> tuple[NDArray, NDArray]:
    """Integers t (C, T) and direction d (C,):

        d*q >= t  <=>  gain*(q - excess) + offset >= level

    A negative gain turns the comparison around; a gain of 0 makes it constant. Thresholds are
    clamped to what q in low..high can reach, or just not reach.
    """
    gain, offset, excess = (np.asarray(part, float)[:, None] for part in (gain, offset, excess))
    direction = np.where(gain < 0, -1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = direction * (excess + (levels - offset) / gain)
    constant = np.where(offset >= levels, -np.inf, np.inf)
    crossing = np.where(gain == 0, constant, crossing)
    least = np.where(direction > 0, low, -high)
    never = np.where(direction > 0, high, -low) + 1
    steps = np.clip(np.ceil(crossing), least, never).astype(np.int64)
    return steps, direction[:, 0].astype(np.int64)


def lut_node(
    name: str, function: Activation, before: AnyNode, wanted: Format, parameter: NDArray | None
) -> tuple[Lut, dict[str, NDArray]]:
    """The table of a function between integers of ``before`` and ``wanted``; halves go up."""
    assert before.type is not None
    assert before.scale is not None
    points = np.arange(before.type.low, before.type.high + 1) * before.scale[0]
    slopes = np.zeros(1) if parameter is None else parameter
    real = activation(function.function, points[None, :], slopes[:, None])
    table = to_steps(real, wanted.step, wanted.kind)
    node = Lut(
        name=name,
        inputs=(before.name,),
        shape=before.shape,
        type=wanted.kind,
        scale=(wanted.step,),
        table=f"{name}.table",
        low=before.type.low,
    )
    return node, {node.table: table}
