"""Reads whose words nobody uses: memories that are read in every cycle in which a block moves."""

from collections.abc import Iterator
from dataclasses import replace

from hwgen.schedule.plan import Plan, Stage
from hwgen.schedule.predict import enabled_cycles
from hwgen_rtl.band import BandParams
from hwgen_rtl.lut import LutParams
from hwgen_rtl.shift import ShiftParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_sim.actions.units import block_actions, entering
from hwgen_sim.energy.action import Action

__all__ = ["block_idle_reads", "idle_reads"]

_COMPONENTS: dict[type, str] = {
    BandParams: "band",
    LutParams: "table",
    ShiftParams: "rows",
    WindowedParams: "window",
}
"""Component whose read ports are enabled so, by block."""


def idle_reads(plan: Plan) -> dict[str, list[Action]]:
    """Unused reads per image of every node, images being sent back to back."""
    cycles = enabled_cycles(plan)
    return {
        unit.name: [
            action
            for (stage, count), enabled in zip(entering(plan, unit), cycles[unit.name], strict=True)
            for action in block_idle_reads(stage, count, enabled)
            if action.count
        ]
        for unit in plan.units
    }


def block_idle_reads(stage: Stage, count: int, cycles: int) -> Iterator[Action]:
    """Of one block through which ``count`` elements pass, which moves in ``cycles`` cycles."""
    component = _COMPONENTS.get(type(stage.params))
    ports = stage.params.lanes if isinstance(stage.params, LutParams) else 1
    for action in block_actions(stage, count):
        if (action.component, action.kind) == (component, "sram_read"):
            surplus = ports * cycles - action.count
            yield replace(action, component="idle reads", count=surplus)
