"""Runs one tool in its own process, with its output in a log file."""

import importlib.metadata
import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen.errors import ToolFailed, ToolMissing

__all__ = ["Tool", "require_package", "run_logged", "tool_version"]

_TAIL_LINES = 12

_RUN_SCRIPT = """\
import sys
from importlib.metadata import distribution
package, script = sys.argv[1:3]
sys.argv[:3] = [script]
sys.exit(distribution(package).entry_points[script].load()())
"""


@dataclass(frozen=True)
class Tool:
    """A program that the Python package ``distribution`` installs as ``script``."""

    distribution: str
    script: str

    def require(self) -> None:
        """Raise ToolMissing with the command that installs it, unless it is there."""
        try:
            tool_version(self.distribution)
        except importlib.metadata.PackageNotFoundError:
            raise ToolMissing(_missing(self.distribution)) from None

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Command that runs it with ``arguments``, also where scripts are not on the path."""
        return [sys.executable, "-c", _RUN_SCRIPT, self.distribution, self.script, *arguments]


def require_package(module: str, distribution: str) -> None:
    """Raise ToolMissing with the command that installs the package, unless it can be imported."""
    if importlib.util.find_spec(module) is None:
        raise ToolMissing(_missing(distribution))


def _missing(distribution: str) -> str:
    return (
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
