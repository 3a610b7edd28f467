"""What the tests of whole flows share."""

import contextlib
import io
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hwgen.cli import main

MODEL = '''
import torch
from torch import nn

from hwgen.nn import AdderConv2d


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(4, momentum=None)
        self.pool = nn.MaxPool2d(2)
        self.adder = AdderConv2d(4, 4, 2)
        self.bn2 = nn.BatchNorm2d(4, momentum=None)
        self.fc = nn.Linear(16, 5)

    def forward(self, x):
        x = self.pool(torch.relu(self.bn1(self.conv(x))))
        return self.fc(torch.relu(self.bn2(self.adder(x))).flatten(1))


def tiny():
    """Random weights, and batch norms that have seen random images."""
    torch.manual_seed(0)
    model = Tiny()
    with torch.no_grad():
        model.train()(torch.rand(32, 1, 6, 6))
    return model.eval()
'''


@dataclass(frozen=True)
class Finished:
    """How a command ended and what it printed."""

    code: object
    out: str
    err: str


@dataclass(frozen=True)
class Project:
    """A user's folder with a model and images."""

    folder: Path

    @property
    def model(self) -> str:
        return f"{self.folder / 'model.py'}:tiny"

    @property
    def images(self) -> Path:
        return self.folder / "images.npz"

    def compile_words(self, output: Path, *more: str) -> tuple[str, ...]:
        """Command line that compiles the model into ``output``."""
        return ("compile", self.model, "--calib", str(self.images), "-o", str(output), *more)


def run_command(*words: object) -> Finished:
    """Run hwgen in this process."""
    out, err = io.StringIO(), io.StringIO()
    before = signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main([str(word) for word in words])
    except SystemExit as end:
        return Finished(end.code, out.getvalue(), err.getvalue())
    finally:
        signal.signal(signal.SIGTERM, before)
    raise AssertionError("main must end with SystemExit")


@pytest.fixture(scope="session")
def hwgen() -> Callable[..., Finished]:
    """Run hwgen in this process."""
    return run_command


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The model file and 12 images with labels."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "model.py").write_text(MODEL)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (12, 1, 6, 6), dtype=np.uint8)
    np.savez(folder / "images.npz", images=images, labels=rng.integers(0, 5, 12))
    return Project(folder)


@pytest.fixture(scope="session", autouse=True)
def simulator_cache(tmp_path_factory: pytest.TempPathFactory):
    """One cache of built simulators for all sessions; a developer's own one where it is named."""
    with pytest.MonkeyPatch.context() as patch:
        if "HWGEN_CACHE" not in os.environ:
            folder = tmp_path_factory.getbasetemp().parent / "hwgen-cache"
            patch.setenv("HWGEN_CACHE", str(folder))
        yield
