"""Plan to the files of a build folder: Verilog, plan and manifest."""

import hashlib
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from hwgen import __version__
from hwgen.emit.manifest import JoinInput, Manifest, Stream, save_manifest
from hwgen.emit.verilog import to_verilog
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AnyNode
from hwgen.lower.top import lower
from hwgen.schedule.document import plan_document
from hwgen.schedule.plan import Plan, Unit
from hwgen.schedule.streams import QUEUE

__all__ = ["describe", "emit"]


def emit(plan: Plan, verilog: Path, plan_file: Path, manifest_file: Path) -> Manifest:
    """Write the three files; the same plan gives the same bytes."""
    text = to_verilog(lower(plan))
    document = json.dumps(plan_document(plan), indent=1) + "\n"
    manifest = describe(plan, text, document)
    verilog.write_text(text)
    plan_file.write_text(document)
    save_manifest(manifest, manifest_file)
    return manifest


def describe(plan: Plan, verilog: str, document: str) -> Manifest:
    """The manifest of a plan and its Verilog."""
    graph = plan.graph
    streams = tuple(_stream(unit.node, unit.lanes, unit.name) for unit in plan.units)
    last = plan.units[-1]
    return Manifest(
        name=graph.name,
        hwgen=__version__,
        config_hash=_hash(graph, document),
        verilog_sha256=hashlib.sha256(verilog.encode()).hexdigest(),
        input=_stream(graph.input, plan.input_lanes, ""),
        output=_stream(last.node, last.lanes, ""),
        nodes=streams,
        aliases=plan.aliases,
        mean=graph.input.mean,
        std=graph.input.std,
        settled_cycles=plan.settled,
        latency_cycles=plan.latency,
        interval_cycles=plan.interval,
        versions={name: version(name) for name in ("amaranth", "pyosys")},
        joins=tuple(branch for unit in plan.units for branch in _branches(unit)),
    )


def _branches(unit: Unit) -> Iterator[JoinInput]:
    if len(unit.sources) == 1:
        return
    for port, (source, row) in enumerate(zip(unit.sources, unit.inputs, strict=True)):
        yield JoinInput(
            node=unit.name,
            port=port,
            source=source,
            depth=next((stage.params.depth for stage in row if stage.name == QUEUE), 0),
            block=f"{unit.name}.{unit.stages[0].name}",
        )


def _stream(node: AnyNode, lanes: int, instance: str) -> Stream:
    assert node.type is not None
    assert node.scale is not None
    return Stream(
        node=node.name,
        kind=node.kind,
        shape=node.shape,
        type=node.type,
        scale=node.scale,
        lanes=lanes,
        instance=instance,
    )


def _hash(graph: Graph, document: str) -> str:
    """Identifies what the hardware computes and how: plan, nodes and every constant."""
    digest = hashlib.sha256(document.encode())
    for node in graph.nodes:
        digest.update(repr(node).encode())
    for name in sorted(graph.tensors):
        digest.update(name.encode() + graph.tensors[name].tobytes())
    return digest.hexdigest()
