"""Synthesis with Yosys: what every node of a design costs on a device."""

import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import InputError, ToolFailed
from hwgen_boards.cache import cached, file_digest, key_of
from hwgen_boards.devices import Device
from hwgen_boards.families import FAMILIES
from hwgen_boards.resources import Resources, count_resources, uncounted_cells
from hwgen_boards.structures import structured
from hwgen_boards.subprocesses import require_package, run_logged, tool_version

__all__ = ["Synthesis", "synthesize"]


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """Resources of a synthesized design.

    Parameters:
        nodes     : resources of each graph node's instance, everything below it included
        glue      : what is left in the top module: streams, FIFOs and helpers between nodes
        total     : nodes and glue
        uncounted : cell types in the netlist that no figure includes
        netlist   : Yosys JSON, hierarchical, which place and route takes
        seconds   : wall time of the synthesis, also where the result came from the cache
        cached    : whether the result came from the cache
    """

    device: str
    nodes: Mapping[str, Resources]
    glue: Resources
    total: Resources
    uncounted: tuple[str, ...]
    versions: Mapping[str, str]
    seconds: float
    cached: bool
    netlist: Path
    log: Path
    level: str = "synthesized"


def synthesize(
    verilog: Path,
    node_instances: Mapping[str, str],
    device: Device,
    workdir: Path,
    *,
    top: str = "top",
    wrapper: Path | None = None,
) -> Synthesis:
    """Synthesize ``verilog`` for ``device``, or take the result of an identical earlier run.

    Parameters:
        node_instances : graph node -> name of its instance directly below the top module; no two
                         nodes share an instance
        workdir        : receives ``netlist.json`` and ``synth.log``
        wrapper        : RTLIL of a ``top`` around what ``verilog`` holds
    """
    require_package("pyosys", "pyosys")
    if not verilog.is_file():
        raise InputError(f"{verilog} is missing; run 'hwgen compile' again.")
    workdir.mkdir(parents=True, exist_ok=True)
    sources = {"top.v": _structured(verilog, device.family, workdir)}
    sources |= {"board.il": wrapper} if wrapper else {}
    instances = sorted(set(node_instances.values()))
    job = _job(top, instances, device, list(sources), whole=[*sources.values()] == [verilog])
    entry, found = _done(job, sources, workdir)
    figures = _read_figures(entry, node_instances, top, device.family)
    return Synthesis(
        device=device.name,
        nodes=figures.nodes,
        glue=figures.glue,
        total=figures.total,
        uncounted=figures.uncounted,
        versions=_versions(),
        seconds=json.loads((entry / "seconds.json").read_text()),
        cached=found,
        netlist=workdir / "netlist.json",
        log=workdir / "synth.log",
    )


def _structured(verilog: Path, family: str, workdir: Path) -> Path:
    text = verilog.read_text()
    if (replaced := structured(text, family)) == text:
        return verilog
    product = workdir / "structured.v"
    product.write_text(replaced)
    return product


def _versions() -> dict[str, str]:
    return {"pyosys": tool_version("pyosys")}


def _done(job: Mapping[str, Any], sources: Mapping[str, Path], workdir: Path) -> tuple[Path, bool]:
    """Folder of the job's result, whose netlist and log ``workdir`` gets, and if it was cached."""
    hashes = {name: file_digest(path) for name, path in sources.items()}
    key = key_of({"sources": hashes, "job": job, "versions": _versions()})
    log = workdir / "synth.log"
    entry, found = cached("synth", key, lambda folder: _run_job(folder, sources, job, log))
    shutil.copyfile(entry / "netlist.json", workdir / "netlist.json")
    if found:
        shutil.copyfile(entry / "synth.log", log)
    return entry, found


# Nodes stay modules, so that each can be counted; outputs that no neighbour reads and inputs that
# are constant would survive at their borders but for these passes.
_ACROSS_NODES = ("proc -latches error", "flatten", "opt_clean", "opt_hier", "opt_expr", "opt_clean")


_READ = {".v": "read_verilog", ".il": "read_rtlil"}


def _job(
    top: str, instances: list[str], device: Device, sources: list[str], whole: bool
) -> dict[str, Any]:
    family = FAMILIES[device.family]
    # wrappers and structures instantiate cells of the vendor, which only its synthesis knows
    check = "-check" if whole else ""
    reads = [f"{_READ[Path(name).suffix]} {name}" for name in sources]
    return {
        "instances": instances,
        "before": [*reads, f"hierarchy {check} -top {top}"],
        "after": [
            *family.before,
            *_ACROSS_NODES,
            f"{family.synth} {device.synth} -top {top}",
            *family.after,
            "tee -q -o stat.json stat -json",
            "write_json netlist.json",
        ],
    }


def _run_job(folder: Path, sources: Mapping[str, Path], job: Mapping[str, Any], log: Path) -> None:
    for name, path in sources.items():
        shutil.copyfile(path, folder / name)
    (folder / "job.json").write_text(json.dumps(job))
    start = time.monotonic()
    try:
        run_logged("Yosys", [sys.executable, "-m", "hwgen_boards.yosys_job"], folder, log)
    except ToolFailed as error:
        raise _refusal(folder, error) from error
    (folder / "seconds.json").write_text(json.dumps(round(time.monotonic() - start, 1)))
    shutil.copyfile(log, folder / "synth.log")


def _refusal(folder: Path, error: ToolFailed) -> InputError | ToolFailed:
    refused = folder / "refused.txt"
    if not refused.is_file():
        return error
    return InputError(f"The top module has no instance {refused.read_text()}.")


@dataclass(frozen=True, kw_only=True)
class _Figures:
    nodes: dict[str, Resources]
    glue: Resources
    total: Resources
    uncounted: tuple[str, ...]


def _read_figures(
    entry: Path, node_instances: Mapping[str, str], top: str, family: str
) -> _Figures:
    modules = json.loads((entry / "stat.json").read_text())["modules"]
    cells = {name: figures["num_cells_by_type"] for name, figures in modules.items()}
    module_of = json.loads((entry / "modules.json").read_text())
    parts = {node: _below(cells, module_of[name]) for node, name in node_instances.items()}
    everything = _below(cells, _module(top))
    glue = everything.copy()
    for part in parts.values():
        glue.subtract(part)
    return _Figures(
        nodes={node: count_resources(part, family) for node, part in parts.items()},
        glue=count_resources(glue, family),
        total=count_resources(everything, family),
        uncounted=uncounted_cells(everything, family),
    )


def _module(kind: str) -> str:
    # stat writes module names with Yosys' leading backslash, cell types without it
    return kind if kind.startswith(("\\", "$")) else f"\\{kind}"


def _below(cells: Mapping[str, Mapping[str, int]], module: str) -> Counter[str]:
    """Primitive cells of a module and of all modules below it; none where it was optimized away."""
    found: Counter[str] = Counter()
    for kind, count in cells.get(module, {}).items():
        inner = _below(cells, _module(kind)) if _module(kind) in cells else Counter({kind: 1})
        for name, number in inner.items():
            found[name] += number * count
    return found
