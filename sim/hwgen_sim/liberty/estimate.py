"""Arrays of a build in standard cells: area, leakage and energy per image."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hwgen.build import open_build
from hwgen.flow import load_plan
from hwgen.inputs import load_images
from hwgen.schedule.plan import Plan, Unit
from hwgen_rtl.array import ArrayParams
from hwgen_sim import golden
from hwgen_sim.liberty.arrays import ArrayEnergy, Workload, array_energy, random_workload
from hwgen_sim.liberty.installed import find_library
from hwgen_sim.liberty.layer import array_of, layer_workload
from hwgen_sim.liberty.library import Library, load_library

__all__ = ["CELL_COLUMNS", "estimate_cells", "estimate_plan"]

BEATS, IMAGES = 1000, 4
"""Cycles that are simulated of each array, and images that they are taken from."""

CELL_COLUMNS = ("name", "kernel", "lanes", "area_um2", "leakage_uw", "low_pj", "high_pj")
CELL_COLUMNS += ("clock_pj", "low_fj_per_operation", "high_fj_per_operation", "zero_taps")

_NOT_MODELLED = (
    "memories: Liberty files describe logic; level 1 has the weights, lines and queues",
    "stalls: registers take no clock energy in cycles in which no beat enters",
    "placement: wires have the capacitance that the library's generation has on average",
)


def estimate_cells(
    path: Path, liberty: Path | None = None, inputs: Path | None = None
) -> dict[str, Any]:
    """Every array of a build in the cells of a Liberty file, by default the installed Nangate45.

    Energies are on the taps of the first images of ``inputs``, else on uniform ones. Raises
    HwgenError.
    """
    plan = load_plan(open_build(path))
    library = load_library(liberty or find_library())
    return estimate_plan(plan, library, load_images(inputs).images[:IMAGES] if inputs else None)


def estimate_plan(plan: Plan, library: Library, images: NDArray | None = None) -> dict[str, Any]:
    """The same for a plan: energies are per image, between zero-delay and unit-delay toggles."""
    work = _uniform(plan) if images is None else _own(plan, images)
    nodes = [_node(unit, params, data, library) for unit, params, data in work]
    named = {node["name"] for node in nodes}
    others = [unit.name for unit in plan.units if unit.name not in named]
    return {
        "library": library.name,
        "voltage": library.voltage,
        "taps": "uniform" if images is None else "the layer's own",
        "level": "synthesized",
        "nodes": nodes,
        "total": {name: sum(node[name] for node in nodes) for name in CELL_COLUMNS[3:8]},
        "not_modelled": [*_NOT_MODELLED, f"units without a direct array: {', '.join(others)}"],
    }


_Work = Iterator[tuple[Unit, ArrayParams, Workload]]


def _own(plan: Plan, images: NDArray) -> _Work:
    values = golden.run(plan.graph, golden.prepare(plan.graph, images))
    for unit in plan.units:
        if array_of(unit) is not None:
            yield unit, *layer_workload(plan, unit, values, BEATS)


def _uniform(plan: Plan) -> _Work:
    for unit in plan.units:
        if (params := array_of(unit)) is not None:
            yield unit, params, random_workload(params, BEATS)


def _node(unit: Unit, params: ArrayParams, work: Workload, library: Library) -> dict[str, Any]:
    array = array_energy(params, work, library)
    beats = params.beats * params.folds * _windows(unit)
    return {
        "name": unit.name,
        "kernel": params.kernel,
        "lanes": array.lanes,
        "area_um2": array.area,
        "leakage_uw": array.leakage_nw / 1e3,
        **_per_image(array, beats),
        "low_fj_per_operation": array.operation.low,
        "high_fj_per_operation": array.operation.high,
        "zero_taps": float((work.taps == 0).mean()),
        "flows": {part.name: part.operator.flow for part in array.parts},
    }


def _per_image(array: ArrayEnergy, beats: int) -> dict[str, float]:
    energy = array.cycle.times(beats / 1e3)
    return {"low_pj": energy.low, "high_pj": energy.high, "clock_pj": energy.clock}


def _windows(unit: Unit) -> int:
    """Windows per image: output pixels."""
    shape = unit.node.shape
    return shape[1] * shape[2] if len(shape) == 3 else 1
