"""Images without any structure, to compare real ones with."""

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.graph import Graph

__all__ = ["SEED", "random_images"]

SEED = 2020


def random_images(graph: Graph, count: int) -> NDArray[np.int64]:
    """Input integers (count, *shape), evenly drawn from the input's type."""
    node = graph.input
    assert node.type is not None
    rng = np.random.default_rng(SEED)
    if node.type.bipolar:
        return rng.choice([-1, 1], (count, *node.shape))
    return rng.integers(node.type.low, node.type.high + 1, (count, *node.shape))
