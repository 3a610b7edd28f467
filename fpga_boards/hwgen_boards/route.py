"""Place and route with nextpnr: the clock a design reaches on a device."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import InputError, ToolFailed
from hwgen_boards.cache import cached, file_digest, key_of
from hwgen_boards.critical_path import PathStep, read_critical_path
from hwgen_boards.devices import Device
from hwgen_boards.families import FAMILIES, Router
from hwgen_boards.fit import require_fit
from hwgen_boards.resources import Resources
from hwgen_boards.subprocesses import run_logged, tool_version
from hwgen_boards.utilization import Utilization, overfull_in_log, read_utilization

__all__ = ["Routing", "require_router", "route"]


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
        placed        : what the packer takes, where the pins were given
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
    placed: Path | None = None
    level: str = "routed"


def require_router(device: Device) -> Router:
    """The device's nextpnr; raises InputError where there is none and ToolMissing."""
    router = FAMILIES[device.family].router
    if router is None:
        raise InputError(
            f"There is no open place and route for {device.name}; leave out --route, or choose "
            "a device of another family."
        )
    router.tool.require()
    return router


def route(
    netlist: Path,
    device: Device,
    workdir: Path,
    *,
    seed: int = 1,
    target_mhz: float = 100.0,
    resources: Resources | None = None,
    constraints: Path | None = None,
) -> Routing:
    """Place and route a synthesized netlist.

    Parameters:
        workdir     : receives ``route.log`` and ``route-report.json``
        resources   : the synthesized total; with it a design that cannot fit is refused at once.
                      For LFE5U-12F only this refuses, since nextpnr would use its whole 25F die
        constraints : pins and their clocks; without them the tool chooses the pins
    """
    router = require_router(device)
    if not netlist.is_file():
        raise InputError(f"{netlist} is missing; run 'hwgen synth' again.")
    if resources is not None:
        require_fit(resources, device)
    workdir.mkdir(parents=True, exist_ok=True)
    log, report = workdir / "route.log", workdir / "route-report.json"
    pins = constraints or _any_pins(router, device, netlist, workdir)
    job = _Job(router, device, netlist, pins, seed, target_mhz)
    entry, found = cached("route", job.key(), lambda folder: job.run(folder, log))
    shutil.copyfile(entry / "route.log", log)
    shutil.copyfile(entry / "report.json", report)
    placed = entry / router.placed[1] if constraints else None
    return _routing(job, log, report, placed, found)


def _any_pins(router: Router, device: Device, netlist: Path, workdir: Path) -> Path | None:
    """A constraint file with the first pins that are free; None where the tool chooses them."""
    if not router.pin_line:
        return None
    ports = _port_bits(json.loads(netlist.read_text()))
    if len(ports) > len(device.pins):
        raise InputError(
            f"{device.name} is routed here with at most {len(device.pins)} pins and the design has "
            f"{len(ports)}; use 'hwgen bitstream', whose serial port needs two."
        )
    pairs = zip(ports, device.pins, strict=False)
    lines = [router.pin_line.format(port=port, pin=pin) + "\n" for port, pin in pairs]
    path = workdir / f"any-pins.{router.suffix}"
    path.write_text("".join(lines))
    return path


def _port_bits(netlist: Mapping[str, Any]) -> list[str]:
    """Names of the top module's port bits, the clock first, as it needs a pin that can be one."""
    top = next(m for m in netlist["modules"].values() if "top" in m["attributes"])
    widths = {name: len(port["bits"]) for name, port in top["ports"].items()}
    names = sorted(widths, key=lambda name: name != "clk")
    return [
        f"{name}[{bit}]" if widths[name] > 1 else name
        for name in names
        for bit in range(widths[name])
    ]


@dataclass(frozen=True)
class _Job:
    router: Router
    device: Device
    netlist: Path
    constraints: Path | None
    seed: int
    target_mhz: float

    def versions(self) -> dict[str, str]:
        package = self.router.tool.distribution
        return {package: tool_version(package)}

    def key(self) -> str:
        files = filter(None, (self.netlist, self.constraints))
        hashes = [file_digest(path) for path in files]
        parts = {"files": hashes, "arguments": self.arguments(), "versions": self.versions()}
        return key_of(parts)

    def run(self, folder: Path, log: Path) -> None:
        # relative names: the WebAssembly sandbox replaces the system's temporary folder by its own
        shutil.copyfile(self.netlist, folder / "netlist.json")
        if self.constraints:
            shutil.copyfile(self.constraints, folder / self._pins())
        try:
            run_logged("nextpnr", self.router.tool.command(self.arguments()), folder, log)
        except ToolFailed as error:
            raise _refusal(self.device, log, error) from error
        (folder / "netlist.json").unlink()
        shutil.copyfile(log, folder / "route.log")

    def arguments(self) -> list[str]:
        router = self.router
        return [
            *self.device.nextpnr,
            *("--json", "netlist.json", "--report", "report.json"),
            *("--seed", str(self.seed), "--freq", f"{self.target_mhz:g}"),
            *router.options,
            # a missed target is a result here, not an error
            "--timing-allow-fail",
            *(self._placed() if self.constraints else router.free_pins),
        ]

    def _placed(self) -> tuple[str, ...]:
        return (*self.router.constrain(self._pins()), *self.router.placed)

    def _pins(self) -> str:
        return f"pins.{self.router.suffix}"


def _routing(job: _Job, log: Path, report: Path, placed: Path | None, found: bool) -> Routing:
    figures = json.loads(report.read_text())
    return Routing(
        device=job.device.name,
        clock_mhz=_slowest_clock(figures),
        target_mhz=job.target_mhz,
        utilization=read_utilization(figures),
        critical_path=read_critical_path(figures),
        seed=job.seed,
        versions=job.versions(),
        cached=found,
        log=log,
        report=report,
        placed=placed,
    )


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
