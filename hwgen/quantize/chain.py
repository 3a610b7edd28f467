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
    Relu,
)

__all__ = ["absorbed", "ends_graph", "next_adder", "only_user"]


def only_user(graph: Graph, node: AnyNode) -> AnyNode | None:
    """The node that alone reads ``node``, None where several do or none."""
    users = graph.users(node.name)
    return users[0] if len(users) == 1 else None


def absorbed(graph: Graph, node: AnyNode) -> tuple[AnyNode, ...]:
    """The [batch_norm][relu] after ``node`` that one requantize computes; () if neither."""
    norm = only_user(graph, node)
    if isinstance(norm, Relu):
        return (norm,)
    if not isinstance(norm, BatchNorm):
        return ()
    relu = only_user(graph, norm)
    return (norm, relu) if isinstance(relu, Relu) else (norm,)


def ends_graph(graph: Graph, node: AnyNode) -> bool:
    """Say whether only pools and flatten stand between ``node`` and the output."""
    while (user := only_user(graph, node)) is not None:
        if not isinstance(user, MaxPool | AvgPool | Flatten):
            return False
        node = user
    return node is graph.output


def next_adder(graph: Graph, node: AnyNode) -> AdderConv2d | AdderLinear | None:
    """The adder layer that ``node`` feeds, possibly through pools and flatten."""
    while (user := only_user(graph, node)) is not None:
        if isinstance(user, AdderConv2d | AdderLinear):
            return user
        if not isinstance(user, MaxPool | AvgPool | Flatten):
            return None
        node = user
    return None


def multiply_layers(graph: Graph) -> tuple[Conv2d | Linear, ...]:
    """All layers with products, in order."""
    return tuple(node for node in graph.nodes if isinstance(node, Conv2d | Linear))
