"""Operations, traffic and energy of a graph, each figure with its source."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AnyNode
from hwgen_sim.energy import Action, EnergyReport, Profile, count_by_kind, estimate_energy
from hwgen_sim.graph_energy.arithmetic import graph_actions
from hwgen_sim.graph_energy.hierarchy import Hierarchy
from hwgen_sim.graph_energy.numbers import Numbers, Sizes
from hwgen_sim.graph_energy.traffic import traffic_actions

__all__ = ["GraphEstimate", "count_actions", "estimate_graph"]

WITHOUT_PLAN = (
    "cycles, cells, flip-flops, clock and leakage: a graph has no plan; compile it for those",
)
WITHOUT_MEMORIES = "memories: no hierarchy was given (--memory FILE.toml)"


@dataclass(frozen=True)
class GraphEstimate:
    """A document with the same fields as ``7-estimate.json``, but for what needs a plan."""

    document: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return self.document


def count_actions(
    graph: Graph, numbers: Numbers, hierarchy: Hierarchy | None = None
) -> dict[str, list[Action]]:
    """Operations, and accesses where there are memories, of every node."""
    found = graph_actions(graph, numbers)
    if hierarchy is None:
        return found
    traffic = traffic_actions(graph, numbers, hierarchy)
    return {name: [*actions, *traffic[name]] for name, actions in found.items()}


def estimate_graph(
    graph: Graph,
    numbers: Numbers,
    profile: Profile,
    memories: Profile | None = None,
    hierarchy: Hierarchy | None = None,
) -> GraphEstimate:
    """Price what a graph does for an image; nothing is quantized, scheduled or simulated."""
    counted = count_actions(graph, numbers, hierarchy)
    energy = estimate_energy(counted, profile, memories)
    sizes = Sizes(graph, numbers)
    nodes = [_node(node, sizes, counted[node.name], energy) for node in graph.nodes]
    without = WITHOUT_PLAN if hierarchy else (*WITHOUT_PLAN, WITHOUT_MEMORIES)
    return GraphEstimate(
        {
            "network": graph.name,
            "numbers": str(numbers),
            "memory": hierarchy.name if hierarchy else None,
            "limits": hierarchy.limits if hierarchy else None,
            "nodes": [node for node in nodes if node["actions"]],
            "total": _total(nodes, energy),
            "profile": energy.profile,
            "profile_source": energy.source,
            "energy_range_pj": asdict(energy.total),
            "energy_without": list(energy.without),
            "not_modelled": [*energy.not_modelled, *without],
        }
    )


def _node(
    node: AnyNode, sizes: Sizes, actions: list[Action], energy: EnergyReport
) -> dict[str, Any]:
    return {
        "name": node.name,
        "kind": node.kind,
        "bits": str(sizes.bits(node.name)),
        "operations": sizes.lane_operations(node),
        "actions": count_by_kind(actions),
        "off_chip_bits": sum(a.bits * a.count for a in actions if a.kind.startswith("dram")),
        "energy_pj": {name: e.nominal for name, e in energy.nodes[node.name].items()},
        "source": {"actions": "predicted", "energy_pj": "predicted"},
    }


def _total(nodes: list[dict[str, Any]], energy: EnergyReport) -> dict[str, Any]:
    actions: Counter[str] = Counter()
    for node in nodes:
        actions.update(node["actions"])
    return {
        "operations": sum(node["operations"] for node in nodes),
        "actions": dict(actions),
        "off_chip_bits": sum(node["off_chip_bits"] for node in nodes),
        "energy_pj": {name: e.nominal for name, e in energy.components.items()},
        "source": {"actions": "predicted", "energy_pj": "predicted"},
    }
