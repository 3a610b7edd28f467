"""Ways to run the command line, and a small build."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hwgen.build import COMPILED, Build, staged
from hwgen.cli import main

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def hwgen() -> Run:
    """Run hwgen in a process of its own."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        code = "from hwgen.cli import main; main()"
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    return run


@pytest.fixture
def exit_code():
    """Run hwgen in this process and return its exit code."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> object:
        with pytest.raises(SystemExit) as caught:
            main(list(arguments))
        return caught.value.code

    yield run
    signal.signal(signal.SIGTERM, before)


def fill(build: Build, text: str) -> None:
    """Write all files that a build must have."""
    for name in COMPILED:
        (build.root / name).write_text(f"{name} {text}\n")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A whole build, with placeholders for contents."""
    path = tmp_path / "build"
    with staged(path) as build:
        fill(build, "first")
    return path
