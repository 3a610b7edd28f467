"""Each node's component in Amaranth's own simulator, fed with golden integers."""

from collections.abc import Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from hwgen.lower.top import lower_unit
from hwgen.schedule.plan import Plan, Unit
from hwgen_rtl.testing import run_stream

__all__ = ["from_beats", "simulate_units", "to_beats"]


def simulate_units(plan: Plan, values: Mapping[str, NDArray], seed: int = 0) -> dict[str, NDArray]:
    """Integers (N, *shape) of every node with hardware, each computed from ``values`` of the one
    before it; ``seed`` other than 0 stalls both sides at random."""
    lanes = {plan.graph.input.name: plan.input_lanes} | {u.name: u.lanes for u in plan.units}
    return {
        unit.name: _simulate(plan, unit, to_beats(values[unit.source], lanes[unit.source]), seed)
        for unit in plan.units
    }


def to_beats(values: NDArray, lanes: int) -> NDArray:
    """(N, *shape) to (beats, lanes): rows, columns, then channels."""
    return np.moveaxis(values, 1, -1).reshape(-1, lanes)


def from_beats(beats: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Inverse of `to_beats` for a node of ``shape``."""
    moved = beats.reshape(-1, *shape[1:], shape[0])
    return np.moveaxis(moved, -1, 1)


def _simulate(plan: Plan, unit: Unit, beats: NDArray, seed: int) -> NDArray:
    images = len(beats) * beats.shape[1] // prod(plan.graph[unit.source].shape)
    count = images * prod(unit.node.shape) // unit.lanes
    run = run_stream(
        lower_unit(plan.graph, unit), beats, count, seed=seed, idle_limit=10 * unit.interval + 1000
    )
    return from_beats(run.beats, unit.node.shape)
