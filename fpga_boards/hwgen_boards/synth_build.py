"""Synthesis of a build folder: ``8-synth.json``."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hwgen.build import open_build, write_result
from hwgen.emit.manifest import Manifest, load_manifest
from hwgen_boards.critical_path import delay_by_instance
from hwgen_boards.devices import Device, load_device
from hwgen_boards.fit import overflows
from hwgen_boards.route import Routing, require_router, route
from hwgen_boards.synth import Synthesis, synthesize

__all__ = ["SynthReport", "node_instances", "synth_build"]


@dataclass(frozen=True, kw_only=True)
class SynthReport:
    """What a build costs on a device and, once routed, how fast it runs."""

    device: Device
    synthesis: Synthesis
    routing: Routing | None
    kinds: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """The document ``8-synth.json``."""
        synthesis = self.synthesis
        nodes = [
            {"name": name, "kind": self.kinds[name], **asdict(resources), "source": "synthesized"}
            for name, resources in synthesis.nodes.items()
        ]
        return {
            "device": self.device.name,
            "device_source": self.device.source,
            "level": self.routing.level if self.routing else synthesis.level,
            "nodes": nodes,
            "glue": {**asdict(synthesis.glue), "source": "synthesized"},
            "total": {**asdict(synthesis.total), "source": "synthesized"},
            "overflows": [str(one) for one in overflows(synthesis.total, self.device)],
            "uncounted": list(synthesis.uncounted),
            "seconds": synthesis.seconds,
            "clock_mhz": None,
            "versions": dict(synthesis.versions),
        } | (_routed(synthesis, self.routing) if self.routing else {})


def synth_build(build: Path, device: str, with_route: bool = False) -> SynthReport:
    """Synthesize a build's Verilog, route it if asked, and write ``8-synth.json``.

    The synthesized figures are written before routing starts, so that a design which does not fit
    still shows what it needs. Raises HwgenError.
    """
    target = load_device(device)
    if with_route:
        require_router(target)
    opened = open_build(build)
    manifest = load_manifest(opened.manifest)
    folder = opened.root / "8-synth"
    report = SynthReport(
        device=target,
        synthesis=synthesize(opened.verilog, node_instances(manifest), target, folder),
        routing=None,
        kinds={stream.node: stream.kind for stream in manifest.nodes},
    )
    write_result(opened, "8-synth.json", report.to_json())
    if with_route:
        report = _with_routing(report, folder)
        write_result(opened, "8-synth.json", report.to_json())
    return report


def _with_routing(report: SynthReport, folder: Path) -> SynthReport:
    synthesis = report.synthesis
    routing = route(synthesis.netlist, report.device, folder, resources=synthesis.total)
    return SynthReport(
        device=report.device, synthesis=synthesis, routing=routing, kinds=report.kinds
    )


def node_instances(manifest: Manifest) -> dict[str, str]:
    """Node -> instance below the top; of nodes in one instance, the first stands for all."""
    found: dict[str, str] = {}
    for stream in manifest.nodes:
        instance = stream.instance.split(".", 1)[0]
        if instance and instance not in found.values():
            found[stream.node] = instance
    return found


def _routed(synthesis: Synthesis, routing: Routing) -> dict[str, Any]:
    return {
        "clock_mhz": routing.clock_mhz,
        "target_mhz": routing.target_mhz,
        "seed": routing.seed,
        "critical_path_ns": delay_by_instance(routing.critical_path),
        "utilization": {cell: asdict(use) for cell, use in routing.utilization.items()},
        "versions": {**synthesis.versions, **routing.versions},
    }
