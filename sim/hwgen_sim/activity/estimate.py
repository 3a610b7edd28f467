"""Level 3 of the energy estimate: toggles of a build on real images and on random ones."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.build import Build, open_build
from hwgen.emit.manifest import Manifest, load_manifest
from hwgen.errors import CheckFailed, InputError
from hwgen.flow import load_plan
from hwgen.inputs import load_images
from hwgen.schedule.plan import Plan
from hwgen_sim import fast, golden
from hwgen_sim.actions import DESIGN
from hwgen_sim.activity.count import NodeToggles, count_toggles
from hwgen_sim.activity.images import random_images
from hwgen_sim.activity.nets import Nets, netlist_nets, rtl_nets
from hwgen_sim.activity.price import clock_actions, load_toggle_prices, toggle_actions
from hwgen_sim.activity.saif import read_toggles
from hwgen_sim.cosim import Saif, simulate
from hwgen_sim.energy import Energy, EnergyReport, Profile, estimate_energy
from hwgen_sim.netlist import find_netlist, netlist_verilog

__all__ = ["ACTIVITY_COLUMNS", "Activity", "estimate_activity", "measure"]

IMAGES = 4
"""Images that are simulated where nobody says how many."""

DEFAULT_PROFILE = "ecp5"
PROFILES = {"ecp5": "ecp5", "ice40": "ice40up", "xc7": "xc7", "xcup": "xcup"}
"""Family of a device -> profile that is taken where none is named."""

ACTIVITY_COLUMNS = ("name", "kind", "zeros", "random_zeros", "flip_flops", "toggles")
ACTIVITY_COLUMNS += ("random_toggles", "ratio", "low_nj", "nominal_nj", "high_nj", "random_nj")
ACTIVITY_COLUMNS += ("clock_nj",)

NOT_MODELLED = (
    "glitches: nets change once a cycle in this simulation, so toggles of logic are a lower bound",
    "inside of blocks: bits stored in memories, carries, and what is between a multiplier's pins;"
    " level 1 counts accesses to memories",
)
RTL_ALONE = (
    "LUTs: operators of the Verilog stand for them, a bit of a result for a LUT, and a multiplier"
    " counts by its product alone; --device D simulates the netlist instead"
)

Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class Activity:
    """A design that can be simulated, and who drives its nets."""

    verilog: Path
    manifest: Manifest
    nets: Nets

    @classmethod
    def of_netlist(cls, netlist: Path, family: str, manifest: Manifest) -> "Activity":
        """What a netlist (Yosys JSON) of a design does; ``manifest`` is the design's."""
        verilog = netlist_verilog(netlist, family, short=True)
        nets = netlist_nets(verilog.parent)
        # the bench observes the output alone, so no node's output has to be whole in the netlist
        manifest = replace(manifest, joins=())
        return cls(verilog=verilog, manifest=manifest, nets=nets)


def estimate_activity(
    path: Path,
    inputs: Path,
    count: int | None = None,
    profile: str | None = None,
    device: str | None = None,
    progress: Progress = lambda stage, fraction: None,
) -> dict[str, Any]:
    """Toggles and energy per image of every node, on ``count`` images and as many random ones.

    With ``device``, its synthesized netlist is simulated, else the Verilog. Raises HwgenError.
    """
    build = open_build(path)
    plan = load_plan(build)
    images = golden.prepare(plan.graph, load_images(inputs, count or IMAGES).images)
    if profile:
        load_toggle_prices(profile)  # refused before anything is synthesized
    progress("find nets", 0.0)
    design, family = _netlist(build, device) if device else (_verilog(build), None)
    prices = load_toggle_prices(profile or _profile_of(family, device))
    runs = []
    for what, data in (("images", images), ("random", random_images(plan.graph, len(images)))):
        progress(f"simulate {what} images" if what == "random" else "simulate images", 0.0)
        runs.append(_Run(measure(design, plan, data), _zeros(plan, data)))
    document = _document(plan, runs, prices, len(images))
    return document | {
        "network": path.name,
        "simulated": f"netlist of {device}" if device else "Verilog",
        "not_modelled": [*document["not_modelled"], *(() if device else (RTL_ALONE,))],
    }


def _profile_of(family: str | None, device: str | None) -> str:
    if family is None:
        return DEFAULT_PROFILE
    if family not in PROFILES:
        raise InputError(
            f"There is no energy profile of {family}, the family of {device}; name one by"
            " --energy-profile."
        )
    return PROFILES[family]


def _verilog(build: Build) -> Activity:
    nets = rtl_nets(build.verilog)
    return Activity(verilog=build.verilog, manifest=load_manifest(build.manifest), nets=nets)


def _netlist(build: Build, device: str) -> tuple[Activity, str]:
    netlist, family = find_netlist(build.root, device, build.root / "6-netlist")
    return Activity.of_netlist(netlist, family, load_manifest(build.manifest)), family


def measure(design: Activity, plan: Plan, images: NDArray) -> dict[str, NodeToggles]:
    """Simulate input integers (N, *shape) and count the toggles of each node.

    Raises CheckFailed where the outputs are not the golden model's.
    """
    manifest = design.manifest
    with tempfile.TemporaryDirectory(prefix="hwgen-") as name:
        files = Saif(Path(name, "start.saif"), Path(name, "run.saif"), manifest.settled_cycles)
        run = simulate(
            design.verilog,
            manifest,
            images,
            engine="library",
            nodes="output",
            saif=files,
        )
        toggles = read_toggles(files)
    output = plan.graph.output.name
    expected = fast.run(plan.graph, images, {output})[output]
    if not np.array_equal(run.arrays[manifest.output.node], expected):
        raise CheckFailed(
            f"The simulated {output} is not the golden model's; run 'hwgen verify' first."
        )
    return count_toggles(design.nets, toggles, manifest)


@dataclass(frozen=True)
class _Run:
    """What was measured on one set of images."""

    toggles: dict[str, NodeToggles]
    zeros: dict[str, float]


def _zeros(plan: Plan, images: NDArray) -> dict[str, float]:
    """Unit -> share of zeros in what enters it."""
    values = fast.run(plan.graph, images)
    found = {}
    for unit in plan.units:
        inputs = [values[name] for name in unit.sources]
        found[unit.name] = sum(int((x == 0).sum()) for x in inputs) / sum(x.size for x in inputs)
    return found


def _document(plan: Plan, runs: list[_Run], profile: Profile, images: int) -> dict[str, Any]:
    priced = [estimate_energy(toggle_actions(run.toggles), profile) for run in runs]
    clock = estimate_energy(clock_actions(runs[0].toggles, plan.interval), profile)
    kinds = {unit.name: unit.node.kind for unit in plan.units}
    rows = {
        name: _about(name, kinds, runs)
        | _row(name, [run.toggles[name] for run in runs], priced, clock, images)
        for name in runs[0].toggles
    }
    design = rows.pop(DESIGN)
    return {
        "images": images,
        "cycles": plan.interval,
        "nodes": list(rows.values()),
        "design": design,
        "total": _total([*rows.values(), design]),
        "profile": profile.title,
        "profile_source": profile.source,
        "source": {"toggles": "measured", "cycles": "measured", "energy_pj": "measured"},
        "not_modelled": [*NOT_MODELLED, *clock.not_modelled],
    }


def _about(name: str, kinds: Mapping[str, str], runs: list[_Run]) -> dict[str, Any]:
    zeros, random_zeros = (run.zeros.get(name) for run in runs)
    return {
        "name": name,
        "kind": kinds.get(name, ""),
        "zeros": zeros,
        "random_zeros": random_zeros,
    }


def _row(
    name: str,
    toggles: list[NodeToggles],
    priced: list[EnergyReport],
    clock: EnergyReport,
    images: int,
) -> dict[str, Any]:
    real, random = toggles
    mine, other = (report.node_totals[name].times(1 / images) for report in priced)
    return {
        "bits": dict(real.bits),
        "flip_flops": real.flip_flops,
        "toggles": {kind: n / images for kind, n in real.toggles.items()},
        "random_toggles": {kind: n / images for kind, n in random.toggles.items()},
        "energy_pj": asdict(mine),
        "random_energy_pj": asdict(other),
        "clock_pj": asdict(clock.node_totals[name]),
    }


def _total(rows: list[dict[str, Any]]) -> dict[str, Any]:
    sums: dict[str, Any] = {"flip_flops": sum(row["flip_flops"] for row in rows)}
    for name in ("toggles", "random_toggles"):
        kinds = {kind for row in rows for kind in row[name]}
        sums[name] = {kind: sum(row[name].get(kind, 0) for row in rows) for kind in sorted(kinds)}
    for name in ("energy_pj", "random_energy_pj", "clock_pj"):
        parts = (Energy(**row[name]) for row in rows)
        sums[name] = asdict(sum(parts, Energy()))
    return sums
