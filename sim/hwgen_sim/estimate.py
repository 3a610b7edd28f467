"""Cycles, cells and energy of a build, each figure with its source: ``7-estimate.json``."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from math import prod
from pathlib import Path
from typing import Any

from hwgen.build import Build, open_build, write_result
from hwgen.flow import load_plan
from hwgen.ir.nodes import Layer
from hwgen.schedule.plan import Plan, Unit
from hwgen_rtl.windowed import WindowedParams
from hwgen_sim.actions import DESIGN, WORD, block_actions, entering, plan_actions
from hwgen_sim.energy import Action, EnergyReport, count_by_kind, estimate_energy, load_prices

__all__ = ["CELLS", "Estimate", "estimate_build", "operations"]

CELLS = ("lut", "carry", "ff", "bram", "dsp")


@dataclass(frozen=True)
class Estimate:
    """The document ``7-estimate.json``."""

    document: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return self.document


def estimate_build(
    path: Path,
    device: str | None = None,
    profile: str | None = None,
    memories: str | None = None,
    scale: str | None = None,
    clock: float | None = None,
) -> Estimate:
    """Estimate every node and write ``7-estimate.json``; leakage needs ``clock``, MHz.

    Cycles are the cycle model's, which equal the hardware's. Cells are synthesized where
    ``hwgen synth`` ran (for ``device``, if given), else predicted. Energies are predicted.
    """
    build = open_build(path)
    plan = load_plan(build)
    actions = plan_actions(plan, clock)
    energy = estimate_energy(actions, *load_prices(profile, memories, scale))
    synthesized = _synthesized(build, device)
    nodes = [_node(plan, unit, actions[unit.name], energy, synthesized) for unit in plan.units]
    document = {
        "network": path.name,
        "limits": _limits(plan),
        "nodes": nodes,
        "design": _design(actions[DESIGN], energy),
        "total": _total(plan, nodes, actions, energy),
        "profile": energy.profile,
        "profile_source": energy.source,
        "energy_range_pj": asdict(energy.total),
        "energy_without": list(energy.without),
        "not_modelled": list(energy.not_modelled),
    }
    write_result(build, Build.estimate.name, document)
    return Estimate(document)


def operations(plan: Plan, unit: Unit) -> int:
    """Taps evaluated per image by an array (one adder tap counts once), else output elements."""
    if isinstance(unit.node, Layer):
        return sum(count for count, _ in _evaluated(plan, unit))
    return prod(unit.node.shape)


def _evaluated(plan: Plan, unit: Unit) -> Iterator[tuple[int, int]]:
    """Taps per image of a unit's arrays, and cycles that these take without a pause."""
    for stage, count in entering(plan, unit):
        taps = sum(a.count for a in block_actions(stage, count) if a.component == "lanes")
        if taps:
            assert isinstance(stage.params, WindowedParams)
            yield taps, stage.params.window.interval


def _limits(plan: Plan) -> dict[str, float]:
    """Of a cycle: taps of all arrays, if none of them waits, and bits of the pins."""
    arrays = chain.from_iterable(_evaluated(plan, unit) for unit in plan.units)
    return {
        "lanes": sum(taps / cycles for taps, cycles in arrays),
        "external_bits_per_cycle": WORD,
    }


def _moved(plan: Plan, actions: Mapping[str, list[Action]]) -> dict[str, int]:
    """Taps of all arrays per image, and bits through the pins."""
    layers = (unit for unit in plan.units if isinstance(unit.node, Layer))
    external = (a for a in actions[DESIGN] if a.kind.startswith("dram"))
    return {
        "taps": sum(operations(plan, unit) for unit in layers),
        "off_chip_bits": sum(a.bits * a.count for a in external),
    }


def _node(
    plan: Plan,
    unit: Unit,
    actions: list[Action],
    energy: EnergyReport,
    synthesized: dict[str, Any] | None,
) -> dict[str, Any]:
    components = {name: e.nominal for name, e in energy.nodes[unit.name].items()}
    cells, source = _cells(plan, unit, synthesized)
    return {
        "name": unit.name,
        "kind": unit.node.kind,
        "bits": str(unit.node.type),
        "pe": unit.pe,
        "simd": unit.simd,
        "cycles": unit.interval,
        "operations": operations(plan, unit),
        **cells,
        "actions": count_by_kind(actions),
        "energy_pj": components,
        "source": {"cycles": "predicted", "cells": source, "energy_pj": "predicted"},
    }


def _design(actions: list[Action], energy: EnergyReport) -> dict[str, Any]:
    """What belongs to no node: image and result, clock, forks of streams, leakage."""
    return {
        "actions": count_by_kind(actions),
        "energy_pj": {name: e.nominal for name, e in energy.nodes[DESIGN].items()},
        "source": {"actions": "predicted", "energy_pj": "predicted"},
    }


def _cells(
    plan: Plan, unit: Unit, synthesized: dict[str, Any] | None
) -> tuple[dict[str, float], str]:
    if synthesized and unit.name in synthesized:
        return {name: synthesized[unit.name][name] for name in CELLS}, "synthesized"
    predicted = asdict(plan.resources[unit.name])
    return {name: round(predicted[name]) for name in CELLS}, "predicted"


def _synthesized(build: Build, device: str | None) -> dict[str, Any] | None:
    """Cells per node from an earlier ``hwgen synth`` for the device asked for."""
    if not build.synth.is_file():
        return None
    document = json.loads(build.synth.read_text())
    if device not in (None, document["device"]):
        return None
    return {node["name"]: node for node in document["nodes"]}


def _total(
    plan: Plan,
    nodes: list[dict[str, Any]],
    actions: Mapping[str, list[Action]],
    energy: EnergyReport,
) -> dict[str, Any]:
    components = {name: e.nominal for name, e in energy.components.items()}
    return {
        "cycles": plan.interval,
        "latency_cycles": plan.latency,
        "operations": sum(node["operations"] for node in nodes),
        **_moved(plan, actions),
        **{name: sum(node[name] for node in nodes) for name in CELLS},
        "actions": count_by_kind(chain.from_iterable(actions.values())),
        "energy_pj": components,
        "source": {"cycles": "predicted", "cells": _source(nodes), "energy_pj": "predicted"},
    }


def _source(nodes: list[dict[str, Any]]) -> str:
    """A total is synthesized only where all its parts are."""
    sources = {node["source"]["cells"] for node in nodes}
    return sources.pop() if len(sources) == 1 else "predicted"
