"""Questions about where a float node stands: what follows it and what it feeds."""

from dataclasses import dataclass, replace

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
    WinogradAdderConv2d,
)

__all__ = ["AdderPath", "Mover", "adders_fed", "followed", "multiply_layers", "scores"]

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


@dataclass(frozen=True)
class AdderPath:
    """An adder layer and the nodes between it and a value that it reads."""

    layer: AdderConv2d | AdderLinear | WinogradAdderConv2d
    movers: tuple[AnyNode, ...] = ()


def adders_fed(graph: Graph, node: AnyNode) -> tuple[AdderPath, ...]:
    """Adder layers that read ``node``, possibly through movers and average pools."""
    found: list[AdderPath] = []
    for user in graph.users(node.name):
        if isinstance(user, AdderConv2d | AdderLinear | WinogradAdderConv2d):
            found.append(AdderPath(user))
        elif isinstance(user, Mover | AvgPool):
            behind = adders_fed(graph, user)
            found += [replace(path, movers=(user, *path.movers)) for path in behind]
    return tuple(found)


def multiply_layers(graph: Graph) -> tuple[Conv2d | Linear, ...]:
    """All layers with products, in order."""
    return tuple(node for node in graph.nodes if isinstance(node, Conv2d | Linear))
