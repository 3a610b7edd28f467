"""What ``hwgen estimate`` takes: a build, a network by name, a graph file, or a PyTorch model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.errors import InputError
from hwgen.ir.graph import Graph
from hwgen.ir.serialize import load_nodes
from hwgen_sim.energy import load_prices
from hwgen_sim.graph_energy import Numbers, estimate_graph, load_hierarchy
from hwgen_sim.outlines import outline

__all__ = ["Request", "estimate_subject"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """How to estimate; None where the command line says nothing.

    Parameters:
        device       : of a build: whose synthesized cells are shown
        clock        : of a build: MHz, for leakage
        profile      : table of energies
        memories     : table that prices on-chip memories instead
        scale        : rule that moves both to another node
        bits         : of a graph: ``8``, ``fp32`` and the like
        shape        : of a graph: size of its image
        hierarchy    : of a graph: file of its memories
    """

    device: str | None = None
    clock: float | None = None
    profile: str | None = None
    memories: str | None = None
    scale: str | None = None
    bits: str | None = None
    shape: tuple[int, int, int] | None = None
    hierarchy: Path | None = None


def estimate_subject(subject: str, request: Request) -> dict[str, Any]:
    """The document of an estimate; ``subject@4`` or ``subject@fp32`` chooses the bits of a graph.

    A folder is a build; its own plan has bits, size and memories. Anything else is a graph of
    shapes, of which operations and traffic are counted.
    """
    if _is_build(subject):
        _refuse(request, subject, "has its own", bits="bits", shape="input", hierarchy="memory")
        from hwgen_sim.estimate import estimate_build  # the scheduler takes a second to load

        tables = request.profile, request.memories, request.scale
        return estimate_build(Path(subject), request.device, *tables, request.clock).to_json()
    _refuse(request, subject, "is a graph without", device="device", clock="clock")
    name, _, bits = subject.partition("@")
    graph = _graph(name, request.shape)
    profile, memories = load_prices(request.profile, request.memories, request.scale)
    hierarchy = load_hierarchy(request.hierarchy) if request.hierarchy else None
    numbers = Numbers.parse(bits or request.bits or "8")
    document = estimate_graph(graph, numbers, profile, memories, hierarchy).to_json()
    return document | {"network": subject}


def _is_build(subject: str) -> bool:
    """A folder, or what can be nothing but the path of one that is missing."""
    is_file = subject.endswith((".json", ".pt2")) or ".py:" in subject
    return Path(subject).is_dir() or ("/" in subject and not is_file)


def _refuse(request: Request, subject: str, why: str, **options: str) -> None:
    for field, option in options.items():
        if getattr(request, field) is not None:
            raise InputError(f"{subject} {why} {option}; leave out --{option}.")


def _graph(name: str, shape: tuple[int, int, int] | None) -> Graph:
    if name.endswith(".json"):
        if shape is not None:
            raise InputError(f"{name} has its own input; leave out --input.")
        return load_nodes(Path(name))
    if name.endswith(".pt2") or ".py:" in name:
        return _imported(name, shape)
    return outline(name, shape)


def _imported(name: str, shape: tuple[int, int, int] | None) -> Graph:
    """A PyTorch model; weights are whatever its factory draws."""
    if shape is None:
        raise InputError(f"{name} does not say how large its images are; give --input C,H,W.")
    from hwgen.frontend import from_torch, load_model

    example = np.random.default_rng(0).standard_normal((1, *shape)).astype(np.float32)
    return from_torch(load_model(name), example)
