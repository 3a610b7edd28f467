"""Each node's component in Amaranth's own simulator, fed with golden integers."""

from collections.abc import Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.nodes import AnyNode
from hwgen.lower.top import lower_unit
from hwgen.schedule.plan import Plan, Unit
from hwgen_rtl.testing import run_streams

__all__ = ["encoded_beats", "from_beats", "simulate_units", "to_beats"]


def simulate_units(plan: Plan, values: Mapping[str, NDArray], seed: int = 0) -> dict[str, NDArray]:
    """Integers (N, *shape) of every node with hardware, each computed from ``values`` of the ones
    before it; ``seed`` other than 0 stalls all sides at random."""
    lanes = {plan.graph.input.name: plan.input_lanes} | {u.name: u.lanes for u in plan.units}
    found = {}
    for unit in plan.units:
        beats = [encoded_beats(plan.graph[s], values[s], lanes[s]) for s in unit.sources]
        found[unit.name] = _simulate(plan, unit, beats, len(values[unit.sources[0]]), seed)
    return found


def encoded_beats(node: AnyNode, values: NDArray, lanes: int) -> NDArray:
    """`to_beats` of the bits that stand for a node's integers."""
    assert node.type is not None
    return to_beats(node.type.encode(values), lanes)


def to_beats(values: NDArray, lanes: int) -> NDArray:
    """(N, *shape) to (beats, lanes): rows, columns, then channels."""
    return np.moveaxis(values, 1, -1).reshape(-1, lanes)


def from_beats(beats: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Inverse of `to_beats` for a node of ``shape``."""
    moved = beats.reshape(-1, *shape[1:], shape[0])
    return np.moveaxis(moved, -1, 1)


def _simulate(plan: Plan, unit: Unit, beats: list[NDArray], images: int, seed: int) -> NDArray:
    count = images * prod(unit.node.shape) // unit.lanes
    part, limit = lower_unit(plan.graph, unit), 10 * unit.interval + 1000
    run = run_streams(part, beats, [count], seed=seed, idle_limit=limit)
    assert unit.node.type is not None
    return unit.node.type.decode(from_beats(run.beats[0], unit.node.shape))
