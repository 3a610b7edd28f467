"""The table of ``hwgen compare``: the same network with every kernel, and what that shows."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hwgen.build import Build, open_build
from hwgen.errors import InputError
from hwgen.flow import load_plan
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import Layer
from hwgen.schedule.geometry import kernel_of
from hwgen.schedule.plan import Plan
from hwgen_sim.compare_kernels.figures import Figures, folded, in_luts, unrolled
from hwgen_sim.compare_kernels.foldings import like, unit_lanes
from hwgen_sim.compare_kernels.variants import KERNELS, SEED, Variant, inner_layers, variant
from hwgen_sim.compare_kernels.verdict import (
    ADDER,
    CONSTANT_ADDER,
    CONSTANT_MULTIPLIER,
    MULTIPLIER,
    NO_DSP,
    verdict,
)
from hwgen_sim.energy import EnergyReport, Profile, estimate_energy, load_prices
from hwgen_sim.estimate import CELLS

__all__ = ["COLUMNS", "KernelComparison", "compare_build", "compare_plan"]

COLUMNS = ("kernel", "layers", "lanes", "lut", "carry", "ff", "bram", "dsp", "cycles")
COLUMNS += ("lut_per_lane", "energy_nj", "energy_without", "accuracy")
LABELS = {
    "multiply": MULTIPLIER,
    "adder": ADDER,
    "winograd": "Winograd adder",
    "xnor": "XNOR",
    "shift": "shift",
}
UNROLLED = {"multiply": CONSTANT_MULTIPLIER, "adder": CONSTANT_ADDER}

NOT_MODELLED = (
    "frequency: kernels are compared by the cycle, not at the clock that each reaches",
    "bubbles: cycles are those of the slowest unit; branches have the queues of the build's plan",
    "sharing: constant multipliers share no digits between weights; tools that do take fewer LUTs",
)


@dataclass(frozen=True)
class KernelComparison:
    """Rows, notes and the closing sentence, as plain data."""

    document: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return self.document


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One row: its name, the variant, and its figures; None where no layer can have the kernel."""

    kernel: str
    variant: Variant
    figures: Figures | None
    energy: EnergyReport | None

    @property
    def own(self) -> bool:
        """Whether all weights are the build's, so that it computes the same integers."""
        return self.figures is not None and not self.variant.drawn


def compare_build(
    path: Path, node: str | None = None, profile: str | None = None
) -> KernelComparison:
    """Compare kernels in all inner layers of a build, or in the layer ``node`` alone.

    Raises InputError where ``node`` is no layer. Accuracy is that of an earlier ``hwgen verify``.
    """
    build = open_build(path)
    prices, _ = load_prices(profile)
    return compare_plan(load_plan(build), node, prices, _verified(build))


def compare_plan(
    plan: Plan,
    node: str | None,
    profile: Profile,
    verified: Mapping[str, Any] | None = None,
) -> KernelComparison:
    """The same for a plan; ``verified`` is the document ``6-verify.json``, if there is one."""
    layers = (_layer(plan.graph, node),) if node else _inner(plan.graph)
    cases = [case for kernel in KERNELS for case in _cases(plan, layers, kernel, node, profile)]
    rows = [_row(case, verified) for case in cases]
    planned = {unit.name: unit_lanes(unit) for unit in plan.units if unit.name in layers}
    return KernelComparison(
        {
            "network": plan.graph.name,
            "node": node,
            "layers": list(layers),
            "profile": profile.name,
            "level": "predicted",
            "seed": SEED,
            "rows": rows,
            "notes": _notes(cases, rows, planned, verified),
            "not_modelled": [*NOT_MODELLED, *_unpriced(cases)],
            "summary": verdict({row["kernel"]: row for row in rows if row["lanes"]}),
        }
    )


def _verified(build: Build) -> dict[str, Any] | None:
    return json.loads(build.verify.read_text()) if build.verify.is_file() else None


def _layer(graph: Graph, name: str) -> str:
    nodes = {node.name: node for node in graph.nodes}
    layers = [node.name for node in graph.nodes if isinstance(node, Layer)]
    if name not in nodes:
        near = get_close_matches(name, nodes, n=3, cutoff=0.4) or layers
        raise InputError(f"There is no node {name!r}; the nearest names are {', '.join(near)}.")
    if name not in layers:
        raise InputError(
            f"{name} ({nodes[name].kind}) has no weights; the layers are {', '.join(layers)}."
        )
    return name


def _inner(graph: Graph) -> tuple[str, ...]:
    if layers := inner_layers(graph):
        return layers
    raise InputError(
        f"{graph.name} has no layer between its first and its last one, which multiply in every"
        " row; choose one with --node."
    )


def _cases(
    plan: Plan, layers: tuple[str, ...], kernel: str, node: str | None, profile: Profile
) -> Iterable[_Case]:
    """The rows of one kernel: as folded as the build, and for some in two more ways."""
    found = variant(plan.graph, layers, kernel)
    fitting = [name for name in layers if name not in found.refused]
    changed = like(plan, found.graph) if fitting else plan

    def case(label: str, figures: Figures | None) -> _Case:
        if figures is None:
            return _Case(kernel=label, variant=found, figures=None, energy=None)
        figures = figures.only(node) if node else figures
        energy = estimate_energy(figures.actions, profile)
        return _Case(kernel=label, variant=found, figures=figures, energy=energy)

    yield case(LABELS[kernel], folded(changed, layers) if fitting else None)
    if kernel == "multiply":
        yield case(NO_DSP, in_luts(changed, layers) if fitting else None)
    if kernel in UNROLLED:
        chosen = dict.fromkeys(fitting, kernel)
        yield case(UNROLLED[kernel], unrolled(changed, chosen) if fitting else None)


def _row(case: _Case, verified: Mapping[str, Any] | None) -> dict[str, Any]:
    fitting = len(case.variant.kernels) - len(case.variant.refused)
    row: dict[str, Any] = {
        "kernel": case.kernel,
        "layers": f"{fitting} of {len(case.variant.kernels)}",
        "layers_with_kernel": fitting,
        "weights": "own" if case.own else "drawn",
        "refused": dict(case.variant.refused),
    }
    if case.figures is None or case.energy is None:
        return row | dict.fromkeys((*COLUMNS[2:], "foldings", "source"))
    figures, total = case.figures, case.figures.total
    lanes = sum(figures.lanes.values())
    return row | {
        "lanes": lanes,
        **{name: round(getattr(total, name)) for name in CELLS},
        "cycles": max(figures.intervals.values()),
        "lut_per_lane": sum(figures.resources[name].lut for name in figures.lanes) / lanes,
        "energy_nj": case.energy.total.nominal / 1000,
        "energy_without": sorted(case.energy.without),
        "accuracy": _accuracy(verified) if case.own else None,
        "foldings": {name: list(pair) for name, pair in figures.foldings.items()},
        "source": {"cells": "predicted", "cycles": "predicted", "energy_nj": "predicted"},
    }


def _accuracy(verified: Mapping[str, Any] | None) -> float | None:
    """Share of right classes of the build's integers."""
    shares = verified and verified.get("accuracy")
    return shares["integer"] if shares else None


def _notes(
    cases: list[_Case],
    rows: list[dict[str, Any]],
    planned: Mapping[str, int],
    verified: Mapping[str, Any] | None,
) -> list[str]:
    """What a reader must know of the rows, one sentence each."""
    notes = [
        "Every layer has as many lanes as in the build's plan; the unrolled rows have one a weight"
        " and are not at equal parallelism. A first and last layer that multiply stay as they are.",
        *_refusals(cases),
        *_signs(cases[0]),
        *_other_lanes(cases, planned),
    ]
    if any(case.variant.drawn for case in cases):
        notes.append(
            "Where a kernel is not the layer's own, weights are drawn over the range of its own"
            f" (seed {SEED}), evenly: trained weights lie closer to 0 and take fewer LUTs as"
            " constants."
        )
    for row in rows:
        if row["energy_without"]:
            what = " and ".join(row["energy_without"])
            notes.append(
                f"Energy of {row['kernel']} is without {what}: the table has no entry, so the"
                " figure is too low."
            )
    return [*notes, _accuracy_note(cases, verified)]


def _refusals(cases: list[_Case]) -> Iterable[str]:
    for case in cases:
        reasons: dict[str, list[str]] = {}
        for name, reason in case.variant.refused.items():
            reasons.setdefault(reason, []).append(name)
        if not reasons:
            continue
        told = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
        rest = ""
        if case.figures is not None:
            rest = " They stay as they are."
            if case.kernel == LABELS["winograd"]:
                rest = " They are direct adder layers."
        yield f"Not as {case.kernel}: {told}.{rest}"


def _signs(multiplier: _Case) -> Iterable[str]:
    graph, kernels = multiplier.variant.graph, multiplier.variant.kernels
    multiplying = (name for name, kernel in kernels.items() if kernel == "multiply")
    names = [name for name in multiplying if kernel_of(graph, graph[name]) == "sign"]
    if names:
        yield f"All weights of {', '.join(names)} are -1 or +1: sign changes, no products."


def _other_lanes(cases: list[_Case], planned: Mapping[str, int]) -> Iterable[str]:
    """Where a Winograd layer, whose lanes come in 16s, is compared with one that is none."""
    for case in cases:
        if case.figures is None or case.kernel in UNROLLED.values():
            continue
        told = [
            f"{name} {lanes} for {planned[name]}"
            for name, lanes in case.figures.lanes.items()
            if lanes != planned[name]
        ]
        if told:
            yield (
                f"Lanes of {case.kernel} nearest to those of the plan, since Winograd lanes come"
                f" in 16s: {', '.join(told)}."
            )


def _accuracy_note(cases: list[_Case], verified: Mapping[str, Any] | None) -> str:
    if not any(case.own for case in cases):
        return "No accuracy: no row has the build's own kernel in every compared layer."
    if _accuracy(verified) is None or verified is None:
        return "No accuracy: run 'hwgen verify' on images with labels first."
    return (
        f"Accuracy is that of the build's integers on the {verified['samples']} images of"
        " 6-verify.json; other rows have no trained weights."
    )


def _unpriced(cases: list[_Case]) -> list[str]:
    """Kinds of energy that no figure, or not every figure, includes."""
    reports = [case.energy for case in cases if case.energy]
    return list(dict.fromkeys(reason for report in reports for reason in report.not_modelled))
