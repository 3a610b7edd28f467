"""Weights in the order in which a unit's taps arrive."""

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import Layer
from hwgen.schedule.geometry import geometry
from hwgen.schedule.plan import Unit

__all__ = ["array_constants"]


def array_constants(graph: Graph, unit: Unit) -> tuple[NDArray, NDArray]:
    """(outputs, taps) weights and (outputs,) bias of an array unit."""
    node = unit.node
    assert isinstance(node, Layer)
    weight = graph.tensors[node.weight].astype(np.int64)
    shape = geometry(graph, node)
    weight = weight.reshape(shape.outputs, shape.channels, *shape.kernel)
    key = getattr(node, "bias", None)
    bias = graph.tensors[key] if key else np.zeros(shape.outputs)
    return _reorder(weight, unit), bias.astype(np.int64)


def _reorder(weight: NDArray, unit: Unit) -> NDArray:
    outputs, channels, rows, columns = weight.shape
    if unit.tap_order == "words":
        return weight.transpose(0, 2, 3, 1).reshape(outputs, -1)
    lanes = unit.simd // rows
    words = weight.reshape(outputs, channels // lanes, lanes, rows, columns)
    return words.transpose(0, 4, 1, 3, 2).reshape(outputs, -1)
