"""Runs one tool in its own process, with its output in a log file."""

import importlib.metadata
import importlib.util
import subprocess
from collections.abc import Sequence
from pathlib import Path

from hwgen.errors import ToolFailed, ToolMissing

__all__ = ["require_package", "run_logged", "tool_version"]

_TAIL_LINES = 12


def require_package(module: str, distribution: str) -> None:
    """Raise ToolMissing with the command that installs the package, unless it can be imported."""
    if importlib.util.find_spec(module) is None:
        raise ToolMissing(
            f"The package {distribution!r} is not installed; "
            f"run 'pip install {distribution}' or 'pip install \"hwgen[fpga]\"'."
        )


def tool_version(distribution: str) -> str:
    """Installed version of a package."""
    return importlib.metadata.version(distribution)


def run_logged(tool: str, command: Sequence[str], folder: Path, log: Path) -> None:
    """Run ``command`` in ``folder``; raises ToolFailed with the last error lines of ``log``."""
    with log.open("wb") as stream:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise ToolFailed(tool, _tail(log, done.returncode), log)


def _tail(log: Path, status: int) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line or "Error" in line]
    last = errors[-_TAIL_LINES:] or lines[-_TAIL_LINES:]
    # a crash leaves no line of its own
    return "\n".join(last) if errors else "\n".join([*last, f"(exit status {status})"])
