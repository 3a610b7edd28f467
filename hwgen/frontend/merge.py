"""Two affines in a row are one (a bias and its batch norm), as are two ReLUs or two signs."""

from dataclasses import replace

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AnyNode, BatchNorm, Relu, Sign

__all__ = ["merge"]


def merge(graph: Graph) -> Graph:
    """Replace successive BatchNorm, Relu or Sign nodes by one named as the last.

    gain2*(gain1*x + offset1) + offset2 = (gain2*gain1)*x + (gain2*offset1 + offset2)

    A node that others read too stays as it is.
    """
    nodes: dict[str, AnyNode] = {}
    tensors = dict(graph.tensors)
    for node in graph.nodes:
        first = nodes.get(node.inputs[0]) if node.inputs else None
        if first is not None and _same(node, first) and len(graph.users(first.name)) == 1:
            if isinstance(node, BatchNorm) and isinstance(first, BatchNorm):
                gain = tensors[node.gain]
                tensors[node.offset] = gain * tensors.pop(first.offset) + tensors[node.offset]
                tensors[node.gain] = gain * tensors.pop(first.gain)
            del nodes[first.name]
            node = replace(node, inputs=first.inputs)
        nodes[node.name] = node
    return Graph(graph.name, tuple(nodes.values()), tensors)


def _same(node: AnyNode, first: AnyNode) -> bool:
    kinds = (BatchNorm, Relu, Sign)
    return any(isinstance(node, kind) and isinstance(first, kind) for kind in kinds)
