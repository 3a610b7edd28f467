"""A ReLU behind a max pool may stand before it, where one requantize node computes it."""

from dataclasses import replace

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AnyNode, MaxPool, Relu

__all__ = ["relu_before_pool"]


def relu_before_pool(graph: Graph) -> Graph:
    """Turn [max_pool][relu] into [relu][max_pool]; max(relu(x)) = relu(max(x)), exactly."""
    for pool in graph.nodes:
        users = graph.users(pool.name)
        if isinstance(pool, MaxPool) and len(users) == 1 and isinstance(users[0], Relu):
            return relu_before_pool(_swapped(graph, pool, users[0]))
    return graph


def _swapped(graph: Graph, pool: MaxPool, relu: Relu) -> Graph:
    first = replace(relu, inputs=pool.inputs, shape=graph[pool.inputs[0]].shape)
    second = replace(pool, inputs=(relu.name,))
    new = {pool.name: first, relu.name: second}
    return graph.with_nodes(
        tuple(new.get(n.name) or _reads(n, relu.name, pool.name) for n in graph.nodes)
    )


def _reads(node: AnyNode, old: str, new: str) -> AnyNode:
    return replace(node, inputs=tuple(new if name == old else name for name in node.inputs))
