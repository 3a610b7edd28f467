"""Networks of the literature as graphs of shapes: no weights, and no torch to load."""

from hwgen_sim.outlines.catalogue import NETWORKS, OPERATORS, outline

__all__ = ["NETWORKS", "OPERATORS", "outline"]
