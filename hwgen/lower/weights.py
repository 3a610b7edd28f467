"""Weights in the order in which a unit's taps arrive."""

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import Layer, WinogradAdderConv2d
from hwgen.schedule.geometry import geometry, is_depthwise
from hwgen.schedule.plan import Unit

__all__ = ["array_constants", "in_tap_order"]


def array_constants(graph: Graph, unit: Unit) -> tuple[NDArray, ...]:
    """Constants of an array: (outputs, taps) weights and, but for Winograd, (outputs,) bias."""
    node = unit.node
    assert isinstance(node, Layer)
    weight = graph.tensors[node.weight].astype(np.int64)
    if isinstance(node, WinogradAdderConv2d):
        return (weight,)
    key = getattr(node, "bias", None)
    bias = graph.tensors[key] if key else np.zeros(node.shape[0])
    return _arranged(graph, unit, weight), bias.astype(np.int64)


def _arranged(graph: Graph, unit: Unit, weight: NDArray) -> NDArray:
    shape = geometry(graph, unit.node)
    if is_depthwise(graph, unit.node):
        return weight.reshape(shape.outputs, -1)
    if (groups := getattr(unit.node, "groups", 1)) > 1:
        weight = _dense(weight, groups)
    return in_tap_order(weight.reshape(shape.outputs, shape.channels, *shape.kernel), unit)


def _dense(weight: NDArray, groups: int) -> NDArray:
    """Weights (O, C/groups, kh, kw) as (O, C, kh, kw) with 0 outside of each group."""
    outputs, inside = weight.shape[0] // groups, weight.shape[1]
    dense = np.zeros((weight.shape[0], inside * groups, *weight.shape[2:]), dtype=weight.dtype)
    for group in range(groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        dense[rows, group * inside : (group + 1) * inside] = weight[rows]
    return dense


def in_tap_order(weight: NDArray, unit: Unit) -> NDArray:
    """Weights or windows (rows, C, kh, kw) as (rows, taps), in the order in which taps arrive."""
    outputs, channels, rows, columns = weight.shape
    if unit.tap_order == "words":
        return weight.transpose(0, 2, 3, 1).reshape(outputs, -1)
    lanes = unit.simd // rows
    words = weight.reshape(outputs, channels // lanes, lanes, rows, columns)
    return words.transpose(0, 4, 1, 3, 2).reshape(outputs, -1)
