"""Actions of a whole design: its units, its flip-flops, its clock, and what crosses its pins."""

from collections.abc import Mapping
from math import prod

from hwgen.schedule.plan import Plan, Resources
from hwgen_sim.actions.idle import idle_reads
from hwgen_sim.actions.units import unit_actions
from hwgen_sim.energy.action import Action

__all__ = ["DESIGN", "WORD", "plan_actions", "registers", "whole_actions"]

DESIGN = "(design)"
"""Stands for the actions of no single node; no node is called so."""

WORD = 64
"""Bits of an access to external memory, in which tables state its energy."""


def plan_actions(plan: Plan, clock_mhz: float | None = None) -> dict[str, list[Action]]:
    """Actions per image of every node with hardware, and of what belongs to none.

    With ``clock_mhz``, leakage counts for the time between two images.
    """
    idle = idle_reads(plan)
    found = {
        unit.name: [
            *unit_actions(plan, unit),
            *registers(plan.resources[unit.name], plan.interval),
            *idle[unit.name],
        ]
        for unit in plan.units
    }
    return found | {DESIGN: whole_actions(plan, plan.resources, clock_mhz)}


def registers(cells: Resources, cycles: int) -> list[Action]:
    """Flip-flops for the cycles of an image: the scheduler's count, clocked in each of them."""
    count = round(cells.ff) * cycles
    return [Action(component="registers", kind="register", bits=1, count=count)] if count else []


def whole_actions(
    plan: Plan, resources: Mapping[str, Resources], clock_mhz: float | None
) -> list[Action]:
    """Image and result through the pins, the clock, forks of streams, and leakage."""
    units = {unit.name for unit in plan.units}
    forks = sum((cells for name, cells in resources.items() if name not in units), Resources())
    return [
        _external(plan, plan.graph.input.name, "image", "dram_read"),
        _external(plan, plan.graph.output.name, "result", "dram_write"),
        Action(component="clock", kind="clock", bits=1, count=plan.interval),
        *registers(forks, plan.interval),
        *_leakage(plan.interval, clock_mhz),
    ]


def _external(plan: Plan, name: str, component: str, kind: str) -> Action:
    node = plan.graph[name]
    assert node.type is not None
    words = -(-prod(node.shape) * node.type.bits // WORD)
    return Action(component=component, kind=kind, bits=WORD, count=words)


def _leakage(cycles: int, clock_mhz: float | None) -> list[Action]:
    if clock_mhz is None:
        return []
    nanoseconds = round(1000 * cycles / clock_mhz)
    return [Action(component="leakage", kind="leakage", bits=1, count=nanoseconds)]
