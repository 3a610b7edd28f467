"""Arrays of a build in standard cells: area, leakage and energy per image."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hwgen.build import open_build
from hwgen.flow import load_plan
from hwgen.inputs import load_images
from hwgen.schedule.plan import Plan, Unit
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.depthwise import DepthwiseParams
from hwgen_rtl.window import WindowParams
from hwgen_sim import golden
from hwgen_sim.liberty.arrays import AnyArray, array_energy, random_workload
from hwgen_sim.liberty.installed import find_library
from hwgen_sim.liberty.layer import arrays_of, layer_workload
from hwgen_sim.liberty.library import Library, load_library
from hwgen_sim.liberty.parts import ArrayEnergy, Workload
from hwgen_sim.liberty.power import CycleEnergy

__all__ = ["cell_columns", "estimate_cells", "estimate_plan"]

BEATS, IMAGES = 1000, 4
"""Cycles that are simulated of each array, and images that they are taken from."""

_AREA, _ENERGY = ("area_um2", "leakage_uw"), ("low_pj", "high_pj", "clock_pj")

_NOT_MODELLED = (
    "memories: Liberty files describe logic; level 1 has the weights, lines and queues",
    "control: counters, flags that travel with the beats, and what drains the sums",
    "stalls: registers take no clock energy in cycles in which no beat enters",
    "placement: wires have the capacitance that the library's generation has on average",
)
_NO_CLOCK = "leakage energy: it follows from the time between images (--clock MHZ)"


def cell_columns(clock_mhz: float | None) -> tuple[str, ...]:
    """Columns of a table of nodes; the energy of leakage needs a clock."""
    per_operation = ("low_fj_per_operation", "high_fj_per_operation")
    return ("name", "kernel", "lanes", *_summed(clock_mhz), *per_operation, "zero_taps")


def _summed(clock_mhz: float | None) -> tuple[str, ...]:
    return (*_AREA, *_ENERGY, *(("leakage_pj",) if clock_mhz else ()))


def estimate_cells(
    path: Path,
    liberty: Path | None = None,
    inputs: Path | None = None,
    clock_mhz: float | None = None,
) -> dict[str, Any]:
    """Every array of a build in the cells of a Liberty file, by default the installed Nangate45.

    Energies are on the taps of the first images of ``inputs``, else on uniform ones. With
    ``clock_mhz``, arrays also leak for the time between two images. Raises HwgenError.
    """
    plan = load_plan(open_build(path))
    library = load_library(liberty or find_library())
    images = load_images(inputs).images[:IMAGES] if inputs else None
    return estimate_plan(plan, library, images, clock_mhz)


def estimate_plan(
    plan: Plan, library: Library, images: NDArray | None = None, clock_mhz: float | None = None
) -> dict[str, Any]:
    """The same for a plan: energies are per image, between zero-delay and unit-delay toggles."""
    work = _workloads(plan, images)
    microseconds = None if clock_mhz is None else plan.interval / clock_mhz
    found = [(unit, _arrays(unit, work, library)) for unit in plan.units if any(arrays_of(unit))]
    nodes = [_node(unit, arrays, microseconds) for unit, arrays in found]
    others = [unit.name for unit in plan.units if not any(arrays_of(unit))]
    return {
        "library": library.name,
        "voltage": library.voltage,
        "clock_mhz": clock_mhz,
        "taps": "uniform" if images is None else "the layer's own",
        "level": "synthesized",
        "nodes": nodes,
        "total": {name: sum(node[name] for node in nodes) for name in _summed(clock_mhz)},
        "not_modelled": [
            *_NOT_MODELLED,
            *([] if clock_mhz else [_NO_CLOCK]),
            f"units without an array: {', '.join(others) or 'none'}",
        ],
    }


_Workloads = Callable[[Unit, AnyArray], Workload]


def _workloads(plan: Plan, images: NDArray | None) -> _Workloads:
    """What enters each array: of ``images``, or uniform."""
    if images is None:
        return lambda unit, params: random_workload(params, BEATS)
    values = golden.run(plan.graph, golden.prepare(plan.graph, images))
    return lambda unit, params: layer_workload(plan, unit, params, values, BEATS)


@dataclass(frozen=True, kw_only=True)
class _Mapped:
    """An array, what entered it, and its beats per image."""

    params: AnyArray
    work: Workload
    energy: ArrayEnergy
    beats: int

    @property
    def per_image(self) -> CycleEnergy:
        """Energy of all its beats, pJ."""
        return self.energy.cycle.times(self.beats / 1e3)


def _arrays(unit: Unit, work: _Workloads, library: Library) -> list[_Mapped]:
    return [_mapped(params, window, work(unit, params), library)
            for window, params in arrays_of(unit)]  # fmt: skip


def _mapped(params: AnyArray, window: WindowParams, work: Workload, library: Library) -> _Mapped:
    energy = array_energy(params, work, library)
    return _Mapped(params=params, work=work, energy=energy, beats=window.interval)


def _node(unit: Unit, arrays: list[_Mapped], microseconds: float | None) -> dict[str, Any]:
    """A row; the last array is the layer's, one before it transforms its input."""
    last = arrays[-1]
    energy = sum((array.per_image for array in arrays), CycleEnergy(low=0.0, high=0.0, clock=0.0))
    operation = energy.times(1e3 / (last.energy.lanes * last.beats))
    leakage_uw = sum(array.energy.leakage_nw for array in arrays) / 1e3
    return {
        "name": unit.name,
        "kernel": _kernel(last.params),
        "lanes": last.energy.lanes,
        "area_um2": sum(array.energy.area for array in arrays),
        "leakage_uw": leakage_uw,
        **({} if microseconds is None else {"leakage_pj": leakage_uw * microseconds}),
        "low_pj": energy.low,
        "high_pj": energy.high,
        "clock_pj": energy.clock,
        "low_fj_per_operation": operation.low,
        "high_fj_per_operation": operation.high,
        "zero_taps": float((last.work.taps == 0).mean()),
        "flows": {p.name: p.operator.flow for array in arrays for p in array.energy.parts},
    }


def _kernel(params: AnyArray) -> str:
    match params:
        case ArrayParams():
            return params.kernel
        case DepthwiseParams():
            return "depthwise"
        case _:
            return "winograd"
