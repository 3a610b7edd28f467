"""One table per layer from everything a build knows: plan, verification, estimate, synthesis."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.build import Build, open_build
from hwgen.emit.manifest import load_manifest
from hwgen_sim.estimate import estimate_build

__all__ = ["LAYER_COLUMNS", "BuildReport", "report_build"]

LAYER_COLUMNS = (
    "layer", "operator", "bits", "pe x simd", "cycles", "lut", "ff", "bram", "dsp", "carry",
    "energy_nj", "mismatches",
)  # fmt: skip


@dataclass(frozen=True)
class BuildReport:
    """Rows for people, and sentences that sum up the whole design."""

    layers: list[dict[str, Any]]
    summary: list[str]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"layers": self.layers, "summary": self.summary}


def report_build(path: Path) -> BuildReport:
    """Collect what earlier commands found out; what did not run is shown as not run."""
    build = open_build(path)
    estimate = estimate_build(path).to_json()
    verified = _document(build.verify)
    synthesized = _document(build.synth)
    mismatches = (verified or {}).get("nodes", {})
    layers = [_layer(node, mismatches) for node in estimate["nodes"]]
    layers.append(_layer({"name": "total", "kind": "", "bits": ""} | estimate["total"], {}))
    layers[-1]["mismatches"] = verified["mismatches"] if verified else "not run"
    summary = [
        _energy_line(estimate),
        _verified_line(verified),
        *_accuracy_lines(verified),
        _speed_line(build, synthesized),
        f"Verilog: {path / Build.verilog}",
    ]
    return BuildReport(layers, summary)


def _document(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path.is_file() else None


def _layer(node: dict[str, Any], mismatches: dict[str, int]) -> dict[str, Any]:
    folding = f"{node['pe']} x {node['simd']}" if "pe" in node else ""
    return {
        "layer": node["name"],
        "operator": node["kind"],
        "bits": node["bits"],
        "pe x simd": folding,
        "cycles": node["cycles"],
        **{name: node[name] for name in ("lut", "ff", "bram", "dsp", "carry")},
        "energy_nj": sum(node["energy_pj"].values()) / 1000,
        "mismatches": mismatches.get(node["name"], "not run"),
    }


def _energy_line(estimate: dict[str, Any]) -> str:
    cells = estimate["total"]["source"]["cells"]
    left_out = ", ".join(sentence.split(":")[0] for sentence in estimate["not_modelled"])
    rest = sum(estimate["design"]["energy_pj"].values()) / 1000
    return (
        f"Cycles predicted; cells {cells}; energy per image predicted, profile"
        f" {estimate['profile']}, without {left_out}; {rest:,.4g} nJ of the total belong to no"
        " layer (image, result, clock)."
    )


def _verified_line(verified: dict[str, Any] | None) -> str:
    if verified is None:
        return "Verilog against golden model: not run."
    return (
        f"Verilog against golden model: {verified['status']}; {verified['samples']} images,"
        f" {verified['values_compared']:,} integers of {verified['nodes_checked']} nodes,"
        f" {verified['mismatches']} mismatches;"
        f" cycles predicted {_number(verified['cycles_predicted'])},"
        f" measured {_number(verified['cycles_measured'])}."
    )


def _accuracy_lines(verified: dict[str, Any] | None) -> list[str]:
    if not verified or not verified.get("accuracy"):
        return []
    shares = ", ".join(f"{name} {100 * v:.1f} %" for name, v in verified["accuracy"].items())
    return [f"Accuracy: {shares}."]


def _speed_line(build: Build, synthesized: dict[str, Any] | None) -> str:
    manifest = load_manifest(build.manifest)
    clock, source = _clock(build, synthesized)
    if clock is None:
        return (
            f"One image every {manifest.interval_cycles:,} cycles, latency"
            f" {manifest.latency_cycles:,} cycles; the clock is {source}."
        )
    rate = clock * 1e6 / manifest.interval_cycles
    latency = manifest.latency_cycles / clock
    return (
        f"One image every {manifest.interval_cycles:,} cycles: {rate:,.0f} images per second at"
        f" {clock:.1f} MHz ({source}); latency {manifest.latency_cycles:,} cycles,"
        f" {latency:,.0f} us."
    )


def _clock(build: Build, synthesized: dict[str, Any] | None) -> tuple[float | None, str]:
    """MHz, and where they are from."""
    if synthesized and synthesized["clock_mhz"]:
        return synthesized["clock_mhz"], "routed"
    predicted = json.loads(build.plan.read_text()).get("clock")
    if predicted is None:
        return None, "not predicted for this family; 'hwgen synth --route' finds it"
    return predicted["mhz"], f"predicted; a long path: {predicted['limited_by']}"


def _number(value: int | None) -> str:
    return "not run" if value is None else f"{value:,}"
