"""The golden model's integers, faster: compiled adders, exact float64 products, in chunks."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.fast_rules import FAST_RULES
from hwgen.ir.graph import Graph
from hwgen_sim import golden

__all__ = ["run"]

IntArray = NDArray[np.int64]

_TAP_BYTES = 64 << 20  # of the largest matrix of taps


def run(graph: Graph, images: IntArray, keep: Collection[str] | None = None) -> dict[str, IntArray]:
    """Integers (N, *shape) of the nodes in ``keep`` (all of them if None); see golden.run."""
    images = golden.check_input(graph, images)
    names = [node.name for node in graph.nodes if keep is None or node.name in keep]
    size = _chunk(graph)
    parts = [_run(graph, images[i : i + size], names) for i in range(0, len(images), size)]
    if not parts:
        parts = [_run(graph, images, names)]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def _run(graph: Graph, images: IntArray, names: list[str]) -> dict[str, IntArray]:
    values = {graph.input.name: images}
    for node in graph.nodes[1:]:
        inputs = [values[name] for name in node.inputs]
        found = FAST_RULES[type(node)](node, graph.tensors, *inputs)
        values[node.name] = golden.checked(node, found)
    return {name: values[name] for name in names}


def _chunk(graph: Graph) -> int:
    """Images at a time, so that the largest matrix of taps stays bounded."""
    largest = max((_tap_bytes(node, graph) for node in graph.nodes), default=1)
    return max(1, min(256, _TAP_BYTES // largest))


def _tap_bytes(node: Any, graph: Graph) -> int:
    if not hasattr(node, "kernel"):
        return 8
    pixels = node.shape[1] * node.shape[2]
    channels = graph[node.inputs[0]].shape[0]
    return 8 * pixels * channels * node.kernel[0] * node.kernel[1]
