"""Every node's integers and the cycles of the Verilog against golden model and cycle model."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.build import Build, open_build, write_result
from hwgen.emit.manifest import Manifest, load_manifest
from hwgen.errors import CheckFailed, InputError
from hwgen.flow import load_plan
from hwgen.inputs import Images, load_images, to_real
from hwgen.ir.evaluate import evaluate
from hwgen.ir.graph import Graph
from hwgen.ir.serialize import load_graph
from hwgen.schedule.plan import Plan
from hwgen_sim import fast, golden
from hwgen_sim.compare import Comparison, compare
from hwgen_sim.cosim import SimResult, Waves, simulate
from hwgen_sim.cosim.engines import libpython
from hwgen_sim.explain import explain
from hwgen_sim.netlist import find_netlist, netlist_verilog, observable
from hwgen_sim.units import simulate_units

__all__ = ["VerifyReport", "verify_build"]

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class VerifyReport:
    """The document ``6-verify.json``, or ``6-verify-netlist.json``."""

    document: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return self.document


@dataclass(frozen=True)
class _Task:
    """What is verified: a build, its plan, and images as integers.

    Parameters:
        verilog  : text to simulate, whose observable streams ``manifest`` lists
        document : name of the result file
        device   : whose netlist ``verilog`` is; None for what ``compile`` wrote
        family   : of that device
    """

    build: Build
    manifest: Manifest
    plan: Plan
    inputs: Path
    images: Images
    integers: NDArray
    verilog: Path
    document: str = Build.verify.name
    device: str | None = None
    family: str | None = None

    @property
    def graph(self) -> Graph:
        return self.plan.graph


def verify_build(
    path: Path,
    inputs: Path,
    *,
    count: int | None = None,
    simulator: str = "verilator",
    stalls: int | None = None,
    waves: Path | None = None,
    netlist: str | None = None,
    progress: Progress = lambda stage, fraction: None,
) -> VerifyReport:
    """Simulate the first ``count`` images and write ``6-verify.json``.

    Passes when every integer of every node equals the golden model's and, without stalls, the run
    takes exactly the predicted cycles. ``amaranth`` simulates each node's component on its own,
    fed with golden integers; the other simulators run the Verilog of the whole design.
    ``waves`` names a VCD file for the cycles around the first mismatch, written in a second run.
    ``netlist`` names a device: instead of the Verilog, what synthesis made of it for that device is
    simulated, from models of its cells, and the document is ``6-verify-netlist.json``.
    Raises CheckFailed, also after it wrote the file, where the design lost, repeated or held back
    beats.
    """
    _check_simulator(simulator, waves, netlist)
    task = _open(path, inputs, count)
    if netlist:
        progress(f"synthesize for {netlist}", 0.0)
        task = _synthesized(task, netlist)
    progress("golden model", 0.0)
    expected = fast.run(task.graph, task.integers)
    progress(f"build and simulate {len(task.integers)} images in {simulator}", 0.0)
    try:
        if simulator == "amaranth":
            document = _verify_units(task, expected, stalls or 0)
        else:
            document = _verify_verilog(task, expected, simulator, stalls or 0, waves)
    except CheckFailed as failure:
        write_result(task.build, task.document, _stopped(task, simulator, stalls, failure))
        raise
    document |= {"accuracy": _accuracy(task, expected, document.pop("classes", None))}
    write_result(task.build, task.document, document)
    return VerifyReport(document)


def _check_simulator(simulator: str, waves: Path | None, netlist: str | None) -> None:
    if waves and simulator != "verilator":
        raise InputError(f"{simulator} writes no waves; leave out --simulator or --waves.")
    if netlist and simulator != "verilator":
        raise InputError(f"{simulator} runs no netlists; leave out --simulator or --netlist.")


def _open(path: Path, inputs: Path, count: int | None) -> _Task:
    build = open_build(path)
    plan = load_plan(build)
    images = load_images(inputs, count)
    integers = golden.prepare(plan.graph, images.images)
    manifest = load_manifest(build.manifest)
    return _Task(build, manifest, plan, inputs, images, integers, build.verilog)


def _synthesized(task: _Task, device: str) -> _Task:
    """The same task for the netlist of ``device``."""
    netlist, family = find_netlist(task.build.root, device, task.build.root / "6-netlist")
    return replace(
        task,
        manifest=observable(task.manifest, netlist),
        verilog=netlist_verilog(netlist, family),
        document=Build.verify_netlist.name,
        device=device,
        family=family,
    )


def _verify_verilog(
    task: _Task,
    expected: dict[str, NDArray],
    simulator: str,
    stalls: int,
    waves: Path | None,
) -> dict[str, Any]:
    result = simulate(
        task.verilog,
        task.manifest,
        task.integers,
        simulator=simulator,
        engine=_engine(simulator),
        stalls=stalls,
    )
    comparison = compare(expected, result.arrays, task.manifest)
    first = _explained(task, comparison, result, stalls, waves) if comparison.first else None
    target = f"{task.family} netlist" if task.family else None
    names = ", ".join(filter(None, (result.simulator, target)))
    cycles = _cycles(task, result, stalls)
    document = _document(task, comparison, names, stalls, first) | cycles
    if cycles["cycles_predicted"] not in (None, cycles["cycles_measured"]):
        document["status"] = "failed"
    return document | {"classes": result.arrays[task.graph.output.name]}


def _cycles(task: _Task, result: SimResult, stalls: int) -> dict[str, Any]:
    return {
        "cycles_predicted": None if stalls else task.plan.cycles(len(task.integers)),
        "cycles_measured": _span(result, task.manifest),
        "latency_cycles": result.latency_cycles,
        "interval_cycles": result.interval_cycles,
    }


def _explained(
    task: _Task, comparison: Comparison, result: SimResult, stalls: int, waves: Path | None
) -> dict[str, Any]:
    """The first mismatch, its cycle, the command that shows it again and, if asked for, waves."""
    assert comparison.first is not None
    about = explain(
        comparison.first,
        result,
        task.manifest,
        build=task.build.root,
        inputs=task.inputs,
        netlist=task.device,
    )
    first = _first(comparison) | {"cycle": about.cycle, "reproduce": about.command}
    if waves:
        _write_waves(task, comparison.first.image + 1, about.waves(waves), stalls)
        first["waves"] = str(waves)
    return first


def _write_waves(task: _Task, images: int, waves: Waves, stalls: int) -> None:
    integers = task.integers[:images]
    simulate(
        task.verilog,
        task.manifest,
        integers,
        engine="library",
        stalls=stalls,
        waves=waves,
    )


def _verify_units(task: _Task, expected: dict[str, NDArray], stalls: int) -> dict[str, Any]:
    """The golden model is exact on whole images, so nodes can be checked one by one."""
    arrays = simulate_units(task.plan, expected, stalls)
    comparison = compare(expected, arrays, task.manifest)
    first = _first(comparison) if comparison.first else None
    document = _document(task, comparison, "amaranth, node by node", stalls, first)
    return document | {"cycles_predicted": None, "cycles_measured": None}


def _stopped(
    task: _Task, simulator: str, stalls: int | None, failure: CheckFailed
) -> dict[str, Any]:
    """The document of a run without integers to compare, so that no older one seems to hold."""
    document = _document(task, Comparison((), 0, {}, None), simulator, stalls or 0, None)
    cycles = {"cycles_predicted": None, "cycles_measured": None}
    return document | {"status": "failed", "failure": str(failure), **cycles, "accuracy": None}


def _engine(simulator: str) -> str:
    """cocotb; without a shared Python library, which few systems lack, the same bench without it.

    The report names the engine that ran.
    """
    return "cocotb" if simulator == "icarus" or libpython() else "library"


def _span(result: SimResult, manifest: Manifest) -> int:
    """Cycles from the first input beat of all to the last output beat of all."""
    start = result.transfers[manifest.input.node][0, 0]
    return int(result.transfers[manifest.output.node][-1, -1] - start)


def _document(
    task: _Task, comparison: Comparison, simulator: str, stalls: int, first: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "status": "failed" if comparison.total else "passed",
        "samples": len(task.integers),
        "nodes_checked": len(comparison.nodes_checked),
        "values_compared": comparison.values_compared,
        "mismatches": comparison.total,
        "simulator": simulator,
        "seed": stalls,
        "first_mismatch": first,
        "nodes": dict(comparison.mismatches),
    }


def _first(comparison: Comparison) -> dict[str, Any]:
    first = comparison.first
    assert first is not None
    names = ("channel", "row", "column")
    place = dict(zip(names, (*first.index, 0, 0), strict=False))
    return {
        "node": first.node,
        "image": first.image,
        **place,
        "expected": first.expected,
        "got": first.got,
        "sentence": str(first),
    }


def _accuracy(
    task: _Task, expected: dict[str, NDArray], classes: NDArray | None
) -> dict[str, float] | None:
    """Share of right classes in float, integers and hardware; None without labels or classes."""
    labels = task.images.labels
    if labels is None or task.graph.output.kind != "argmax":
        return None
    shares = {
        "float": _float_classes(task),
        "integer": expected[task.graph.output.name][:, 0],
    }
    if classes is not None:
        shares["rtl"] = classes[:, 0]
    return {name: float(np.mean(found == labels)) for name, found in shares.items()}


def _float_classes(task: _Task) -> NDArray:
    graph = load_graph(task.build.graph, task.build.tensors)
    real = to_real(task.images.images, graph.input.mean, graph.input.std)
    return evaluate(graph, real)[graph.output.name].argmax(axis=1)
