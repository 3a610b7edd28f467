"""The golden model: the integer graph computed exactly and readably.

The arithmetic of each node kind is in hwgen.ir.rules. Everything else that computes the graph is
compared with this.
"""

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import CheckFailed, InputError
from hwgen.inputs import to_real
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AnyNode
from hwgen.ir.rules import RULES
from hwgen_rtl.numerics import to_steps

__all__ = ["check_input", "checked", "prepare", "run"]

IntArray = NDArray[np.int64]


def prepare(graph: Graph, images: NDArray) -> IntArray:
    """The host's step: images (N, C, H, W), uint8 pixels or real values, as input integers.

    q = clamp(floor(x/scale + 0.5)), where a pixel p is x = (p/255 - mean) / std, in float64.
    """
    node = graph.input
    if images.shape[1:] != node.shape:
        raise InputError(
            f"images have shape {images.shape}, but {node.name} takes (N, "
            f"{', '.join(map(str, node.shape))}); give images of that size."
        )
    assert node.type is not None
    assert node.scale is not None
    real = to_real(images, node.mean, node.std)
    return to_steps(real, node.scale[0], node.type)


def run(graph: Graph, images: IntArray) -> dict[str, IntArray]:
    """Every node's integers (N, *shape) for input integers (N, *shape) from `prepare`."""
    values = {graph.input.name: check_input(graph, images)}
    for node in graph.nodes[1:]:
        inputs = [values[name] for name in node.inputs]
        values[node.name] = checked(node, RULES[type(node)](node, graph.tensors, *inputs))
    return values


def check_input(graph: Graph, images: NDArray) -> IntArray:
    """Refuse what is not integers of the input's shape and type."""
    node = graph.input
    if images.dtype.kind not in "iu" or images.shape[1:] != node.shape:
        raise InputError(
            f"{node.name} takes integers of shape (N, {', '.join(map(str, node.shape))}), not "
            f"{images.dtype} of {images.shape}; call prepare first."
        )
    return checked(node, images.astype(np.int64))


def checked(node: AnyNode, values: IntArray) -> IntArray:
    """Return ``values``; CheckFailed where one is outside the node's type."""
    if node.type is None:
        raise CheckFailed(f"{node.name} has no integer type; quantize the graph first.")
    if not node.type.holds(values):
        raise CheckFailed(
            f"{node.name} holds {values.min()}..{values.max()}, outside its type {node.type}."
        )
    return values
