"""Questions about where a float node stands: what follows it and what it feeds."""

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    AdderConv2d,
    AdderLinear,
    AnyNode,
    AvgPool,
    BatchNorm,
    Conv2d,
    Flatten,
    Linear,
    MaxPool,
    PixelShuffle,
    Relu,
    Shift2d,
    Slice,
    UpsampleNearest,
)

__all__ = ["Mover", "adders_fed", "followed", "multiply_layers", "scores"]

Mover = MaxPool | Flatten | Slice | Shift2d | PixelShuffle | UpsampleNearest
"""Nodes that move or choose integers and keep their type and scale."""


def followed(graph: Graph, node: AnyNode) -> bool:
    """Say whether a batch norm or ReLU alone reads ``node``."""
    users = graph.users(node.name)
    return len(users) == 1 and isinstance(users[0], BatchNorm | Relu)


def scores(graph: Graph, node: AnyNode) -> bool:
    """Say whether ``node`` gives the network's output, but for movers and pools behind it."""
    while len(users := graph.users(node.name)) == 1:
        if not isinstance(users[0], Mover | AvgPool):
            return False
        node = users[0]
    return node is graph.output


def adders_fed(graph: Graph, node: AnyNode) -> tuple[AdderConv2d | AdderLinear, ...]:
    """Adder layers that read ``node``, possibly through movers and average pools."""
    found: list[AdderConv2d | AdderLinear] = []
    for user in graph.users(node.name):
        if isinstance(user, AdderConv2d | AdderLinear):
            found.append(user)
        elif isinstance(user, Mover | AvgPool):
            found += adders_fed(graph, user)
    return tuple(found)


def multiply_layers(graph: Graph) -> tuple[Conv2d | Linear, ...]:
    """All layers with products, in order."""
    return tuple(node for node in graph.nodes if isinstance(node, Conv2d | Linear))
