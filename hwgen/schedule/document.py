"""A plan as plain data, for ``3-plan.json`` and for people."""

from collections.abc import Sequence
from dataclasses import asdict, is_dataclass, replace
from typing import Any

from hwgen.schedule.clock import predict_clock
from hwgen.schedule.plan import Plan, Stage, Unit
from hwgen_rtl.numerics import IntType

__all__ = ["plan_document"]


def plan_document(plan: Plan) -> dict[str, Any]:
    """Everything the plan decided: target, cycles, and each unit with its blocks and cells."""
    return {
        "graph": plan.graph.name,
        "target": asdict(replace(plan.target, larger=())),
        "settled_cycles": plan.settled,
        "latency_cycles": plan.latency,
        "interval_cycles": plan.interval,
        "finished_cycles": list(plan.finished),
        "input_lanes": plan.input_lanes,
        "units": [_unit(plan, unit) for unit in plan.units],
        "forks": {name: _plain(params) for name, params in plan.forks.items()},
        "aliases": plan.aliases,
        "total": asdict(plan.total),
        "clock": _clock(plan),
    }


def _clock(plan: Plan) -> dict[str, Any] | None:
    clock = predict_clock(plan)
    return clock and {"mhz": round(clock.mhz, 1), "limited_by": clock.limit}


def _unit(plan: Plan, unit: Unit) -> dict[str, Any]:
    return {
        "name": unit.name,
        "kind": unit.node.kind,
        "reads": list(unit.sources),
        "pe": unit.pe,
        "simd": unit.simd,
        "lanes": unit.lanes,
        "tap_order": unit.tap_order,
        "interval_cycles": unit.interval,
        "predicted": asdict(plan.resources[unit.name]),
        "inputs": [_stages(row) for row in unit.inputs],
        "blocks": _stages(unit.stages),
    }


def _stages(stages: Sequence[Stage]) -> dict[str, Any]:
    return {stage.name: _plain(stage.params) for stage in stages}


def _plain(value: Any) -> Any:
    if isinstance(value, IntType):
        return str(value)
    if is_dataclass(value):
        fields = {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
        return {"block": type(value).__name__} | fields
    return list(value) if isinstance(value, tuple) else value
