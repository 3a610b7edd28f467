"""Which nodes may hold one bit because nothing but XNOR layers reads them."""

from collections.abc import Collection

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    AnyNode,
    Concat,
    Flatten,
    Input,
    MaxPool,
    PixelShuffle,
    Slice,
    UpsampleNearest,
)

__all__ = ["PASSING", "only_read_by", "reads_the_image"]

PASSING = (MaxPool, Flatten, Slice, Concat, PixelShuffle, UpsampleNearest)
"""Nodes whose output holds values of their input, so that it has the same type."""


def only_read_by(graph: Graph, layers: Collection[str], makers: tuple[type, ...]) -> frozenset[str]:
    """Nodes of the classes ``makers``, and those that pass on what these made, read by ``layers``.

    All that such a node makes reaches ``layers`` and nothing else, so its type is free.
    """
    found = {node.name for node in graph.nodes if isinstance(node, (*PASSING, *makers))}

    def read_by_others(node: AnyNode) -> bool:
        users = graph.users(node.name)
        return not users or any(
            user.name not in layers and not (user.name in found and isinstance(user, PASSING))
            for user in users
        )

    def gone(node: AnyNode) -> bool:
        passing = isinstance(node, PASSING)
        return read_by_others(node) or (passing and not found.issuperset(node.inputs))

    while lost := {name for name in found if gone(graph[name])}:
        found -= lost
    return frozenset(found)


def reads_the_image(graph: Graph, node: AnyNode) -> bool:
    """Whether no node between the input and ``node`` makes new values."""
    sources = [graph[name] for name in node.inputs]
    if any(isinstance(source, Input) and not _one_bit(source) for source in sources):
        return True
    return any(reads_the_image(graph, s) for s in sources if isinstance(s, PASSING))


def _one_bit(node: AnyNode) -> bool:
    return node.type is not None and node.type.bipolar
