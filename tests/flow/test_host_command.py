"""The commands ``host`` and ``simulate-board``, as somebody without a board uses them."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen_boards.host import Host
from hwgen_sim import fast
from tests.flow.conftest import Project

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-c", "from hwgen.cli import main; main()", "simulate-board")
ANNOUNCED = r"^Simulated board with build ([0-9a-f]{16}) at (/dev/\S+); Ctrl-C ends it\.$"


@contextmanager
def simulated(build: Path, *options: str) -> Iterator[tuple[str, str]]:
    """The command in another process: name of its build and of its port; Ctrl-C at the end."""
    words = (*COMMAND, str(build), *options)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as done:
        assert done.stdout is not None
        found = re.match(ANNOUNCED, done.stdout.readline())
        assert found is not None
        yield found[1], found[2]
        done.send_signal(signal.SIGINT)
        out, err = done.communicate(timeout=60)
    assert done.returncode == 0
    assert out == ""
    assert err == "build the simulation ...\n"


@pytest.fixture(scope="module")
def build(project: Project, hwgen, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("host") / "build"
    assert hwgen(*project.compile_words(output, "--target-cycles", "400")).code == 0
    return output


@pytest.fixture(scope="module")
def board(build: Path) -> Iterator[tuple[str, str]]:
    with simulated(build) as found:
        yield found


@pytest.fixture(scope="module")
def golden(build: Path, project: Project, hwgen) -> np.ndarray:
    path = build.parent / "golden.npz"
    words = ("run", build, "--inputs", project.images, "--engine", "golden", "-o", path)
    assert hwgen(*words).code == 0
    with np.load(path) as arrays:
        return arrays["outputs"]


class TestHost:
    def host(self, hwgen, build: Path, project: Project, port: str, *more: object):
        return hwgen("host", build, "--inputs", project.images, "--port", port, *more)

    def test_gives_and_writes_the_golden_integers(
        self, hwgen, build, board, golden, project, tmp_path: Path
    ):
        name, port = board
        output = tmp_path / "y.npz"
        done = self.host(hwgen, build, project, port, "-o", output)
        assert done.code == 0, done.err
        assert f"Board with build {name}. Every integer is the golden model's.\n" in done.out
        assert re.search(r"^images +12$", done.out, re.MULTILINE)
        assert done.out.endswith(f"{output}\n")
        with np.load(output) as arrays:
            np.testing.assert_array_equal(arrays["outputs"], golden)

    def test_counts(self, hwgen, build, board, golden, project):
        done = self.host(hwgen, build, project, board[1], "--count", "3", "--no-check", "--json")
        document = json.loads(done.out)
        assert done.code == 0
        assert document["status"] == "unchecked"
        assert document["build"] == board[0]
        assert document["outputs"] == golden[:3].tolist()
        counters = document["counters"]
        assert counters["images"] == 3
        assert counters["cycles"] > counters["input_stalls"] > 0
        assert counters["output_stalls"] == counters["repeated_requests"] == 0

    def test_another_integer_fails(self, hwgen, build, board, golden, project, monkeypatch):
        """What is expected is wrong here, so that no board has to be."""

        right = fast.run

        def wrong(*arguments: Any) -> dict[str, np.ndarray]:
            ((name, values),) = right(*arguments).items()
            return {name: values + (np.arange(12) == 7)[:, None]}

        monkeypatch.setattr("hwgen_sim.board.host.fast.run", wrong)
        done = self.host(hwgen, build, project, board[1])
        assert done.code == 1
        value = golden[7, 0]
        assert "1 integers are not the golden model's. The first one: Node argmax" in done.out
        assert f"image 7, feature 0: expected {value + 1}, got {value}." in done.out

    def test_another_build_is_refused(self, hwgen, build, board, project, tmp_path: Path):
        other = tmp_path / "other"
        assert hwgen(*project.compile_words(other, "--target-cycles", "200")).code == 0
        expected = json.loads((other / "manifest.json").read_text())["config_hash"][:16]
        done = self.host(hwgen, other, project, board[1])
        assert done.code == 2
        assert expected != board[0]
        assert done.err.endswith(
            f"error: The board holds build {board[0]} and the manifest of tiny describes "
            f"{expected}; program the board again.\n"
        )

    def test_a_port_that_is_not_there_is_refused(self, hwgen, build, project, tmp_path: Path):
        done = self.host(hwgen, build, project, str(tmp_path / "ttyUSB9"))
        assert done.code == 2
        assert done.err.endswith(
            "ttyUSB9 cannot be opened: No such file or directory; check its name and your rights "
            "to it.\n"
        )

    def test_too_many_images_are_refused(self, hwgen, build, project):
        done = self.host(hwgen, build, project, "/dev/null", "--count", "13")
        assert done.code == 2
        assert "holds 12 images; give --count 12 or less." in done.err

    def test_a_silent_board_is_an_error(self, hwgen, build, project, monkeypatch):
        hasty = partial(Host, patience=0.01, retries=1)
        monkeypatch.setattr("hwgen_sim.board.host.registered", lambda *_: hasty)
        master, slave = os.openpty()
        done = self.host(hwgen, build, project, os.ttyname(slave))
        os.close(slave)
        os.close(master)
        assert done.code == 1
        assert done.err.endswith(
            "error: The board did not answer IDENTIFY, sent 2 times; check the port, the baud "
            "rate and the cable.\n"
        )


class TestSimulateBoard:
    def test_noise_costs_repetitions_only(self, hwgen, build, golden, project):
        with simulated(build, "--noise", "0.002") as (_, port):
            words = ("host", build, "--inputs", project.images, "--port", port, "--json")
            done = hwgen(*words)
        document = json.loads(done.out)
        assert done.code == 0
        assert document["status"] == "passed"
        assert document["outputs"] == golden.tolist()
        assert document["counters"]["repeated_requests"] > 0

    def test_no_build_is_refused(self, hwgen, tmp_path: Path):
        done = hwgen("simulate-board", tmp_path / "none")
        assert done.code == 2
        assert done.err.endswith(f"make it with 'hwgen compile MODEL -o {tmp_path / 'none'}'.\n")
