"""Lanes, cells, cycles and actions of a plan's units, as they are and with other multipliers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from hwgen.schedule.plan import Plan, Resources, Unit
from hwgen.schedule.resources import unit_resources
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.depthwise import DepthwiseParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_sim.actions import plan_actions, registers, unit_actions
from hwgen_sim.compare_kernels.constants import constant_layer
from hwgen_sim.compare_kernels.foldings import unit_lanes
from hwgen_sim.energy import Action

__all__ = ["Figures", "folded", "in_luts", "lut_multiplier", "unrolled"]

LUTS_PER_PARTIAL_BIT = 2.75
"""4-input LUTs of a multiplier for each pair of bits: Yosys gives 2.5 to 2.9 from 4x4 to 12x8."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What is predicted, by unit; ``lanes`` and ``foldings`` of the compared layers alone."""

    lanes: Mapping[str, int]
    foldings: Mapping[str, tuple[int, int]]
    resources: Mapping[str, Resources]
    intervals: Mapping[str, int]
    actions: Mapping[str, list[Action]]

    def only(self, name: str) -> "Figures":
        """Those of one unit."""
        return Figures(
            lanes={name: self.lanes[name]},
            foldings={name: self.foldings[name]},
            resources={name: self.resources[name]},
            intervals={name: self.intervals[name]},
            actions={name: self.actions[name]},
        )

    @property
    def total(self) -> Resources:
        """Cells of all units."""
        return sum(self.resources.values(), Resources())


def folded(plan: Plan, layers: Collection[str]) -> Figures:
    """As the plan has it."""
    compared = [unit for unit in plan.units if unit.name in layers]
    return Figures(
        lanes={unit.name: unit_lanes(unit) for unit in compared},
        foldings={unit.name: (unit.pe, unit.simd) for unit in compared},
        resources=plan.resources,
        intervals={unit.name: unit.interval for unit in plan.units},
        actions=plan_actions(plan),
    )


def in_luts(plan: Plan, layers: Collection[str]) -> Figures:
    """With the multipliers of ``layers`` in LUTs instead of DSP blocks."""
    before = folded(plan, layers)
    other = {unit.name: _without_dsp(unit) for unit in plan.units if unit.name in layers}
    resources = {name: r + other.get(name, Resources()) for name, r in before.resources.items()}
    return replace(before, resources=resources)


def unrolled(plan: Plan, layers: Mapping[str, str]) -> Figures:
    """With every weight of ``layers`` (name -> kernel) in logic, and a window a cycle."""
    before = folded(plan, layers)
    units = [unit for unit in plan.units if unit.name in layers]
    made = {unit.name: constant_layer(plan, unit, layers[unit.name]) for unit in units}
    cells = {name: unit_resources(c.unit) + c.resources for name, c in made.items()}
    actions = {
        name: [
            *unit_actions(plan, c.unit),
            *c.actions,
            *registers(cells[name], plan.interval),
        ]
        for name, c in made.items()
    }
    return Figures(
        lanes={name: c.lanes for name, c in made.items()},
        foldings={name: (c.unit.pe, c.unit.simd) for name, c in made.items()},
        resources={**before.resources, **cells},
        intervals={**before.intervals, **{name: c.unit.interval for name, c in made.items()}},
        actions={**before.actions, **actions},
    )


def lut_multiplier(bits: int, other_bits: int) -> Resources:
    """A multiplier without a DSP block: partial products, compressors, one carry chain."""
    lut = LUTS_PER_PARTIAL_BIT * bits * other_bits
    return Resources(lut=lut, carry=(bits + other_bits) / 2)


def _without_dsp(unit: Unit) -> Resources:
    """What replaces the DSP blocks of a unit's lanes, less these."""
    for stage in unit.stages:
        if isinstance(stage.params, WindowedParams):
            return _lanes_without_dsp(stage.params.datapath)
    return Resources()


def _lanes_without_dsp(datapath: object) -> Resources:
    match datapath:
        case ArrayParams(kernel="multiply"):
            lanes = datapath.pe * datapath.simd
        case DepthwiseParams():
            lanes = datapath.lanes
        case _:
            return Resources()
    one = lut_multiplier(datapath.x.bits, datapath.w.bits)
    return Resources(lut=one.lut * lanes, carry=one.carry * lanes, dsp=-lanes)
