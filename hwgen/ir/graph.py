"""The graph: nodes in topological order and their arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from hwgen.ir.nodes import AnyNode, Input

__all__ = ["Graph"]


@dataclass(frozen=True)
class Graph:
    """Nodes in topological order (the input first, the output last) and their arrays."""

    name: str
    nodes: tuple[AnyNode, ...]
    tensors: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))

    def __getitem__(self, name: str) -> AnyNode:
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @property
    def input(self) -> Input:
        """The node where images enter."""
        node = self.nodes[0]
        assert isinstance(node, Input)
        return node

    @property
    def output(self) -> AnyNode:
        """The last node."""
        return self.nodes[-1]

    def users(self, name: str) -> tuple[AnyNode, ...]:
        """Nodes that read the output of ``name``."""
        return tuple(node for node in self.nodes if name in node.inputs)

    def with_nodes(self, nodes: tuple[AnyNode, ...]) -> "Graph":
        """Same tensors, other nodes."""
        return replace(self, nodes=nodes)
