"""Graph to and from a pair of files: nodes as JSON, arrays as npz."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from hwgen.errors import BuildError, InputError
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AnyNode

__all__ = ["load_graph", "load_nodes", "save_graph"]


@dataclass(frozen=True)
class _File:
    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: str
    nodes: tuple[Annotated[AnyNode, Field(discriminator="kind")], ...]


_ADAPTER = TypeAdapter(_File)


def save_graph(graph: Graph, nodes: Path, tensors: Path) -> None:
    """Write both files; the same graph gives the same bytes."""
    document = _ADAPTER.dump_python(_File(graph.name, graph.nodes), mode="json")
    nodes.write_text(json.dumps(document, indent=1) + "\n")
    arrays: dict[str, Any] = {name: graph.tensors[name] for name in sorted(graph.tensors)}
    np.savez_compressed(tensors, **arrays)


def load_graph(nodes: Path, tensors: Path) -> Graph:
    """Read both files; raises BuildError where one is missing or does not describe a graph."""
    for path in (nodes, tensors):
        if not path.is_file():
            raise BuildError(f"{path} is missing; run 'hwgen compile' again.")
    try:
        file = _ADAPTER.validate_json(nodes.read_bytes())
        with np.load(tensors, allow_pickle=False) as arrays:
            return Graph(file.name, file.nodes, {name: arrays[name] for name in arrays.files})
    except (ValidationError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BuildError(f"{nodes} is corrupted ({reason}); run 'hwgen compile' again.") from error


def load_nodes(path: Path) -> Graph:
    """The nodes of a graph file without its arrays; raises InputError where it is none."""
    if not path.is_file():
        raise InputError(f"The graph {path} does not exist.")
    try:
        file = _ADAPTER.validate_json(path.read_bytes())
    except ValidationError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} must be the 1-graph.json of a build ({reason}).") from error
    return Graph(file.name, file.nodes)
