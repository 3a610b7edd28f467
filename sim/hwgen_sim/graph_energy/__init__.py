"""Energy of a graph before anything is quantized or scheduled: closed forms of its shapes."""

from hwgen_sim.graph_energy.arithmetic import graph_actions
from hwgen_sim.graph_energy.estimate import GraphEstimate, estimate_graph
from hwgen_sim.graph_energy.hierarchy import Hierarchy, load_hierarchy
from hwgen_sim.graph_energy.numbers import Numbers
from hwgen_sim.graph_energy.traffic import traffic_actions

__all__ = [
    "GraphEstimate",
    "Hierarchy",
    "Numbers",
    "estimate_graph",
    "graph_actions",
    "load_hierarchy",
    "traffic_actions",
]
