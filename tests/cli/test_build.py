"""A build appears whole or not at all, and a damaged one is refused."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hwgen.build import COMPILED, Build, open_build, staged, write_result
from hwgen.errors import BuildError

from .conftest import fill

INTERRUPTED = """
import sys, time
from pathlib import Path
from hwgen.build import staged
from hwgen.cli import command, main

@command.command("half")
def half():
    with staged(Path(sys.argv[1])) as build:
        build.graph.write_text("half")
        print("ready", flush=True)
        time.sleep(60)

main(["half"])
"""


def fail_halfway(output: Path, error: BaseException) -> None:
    with staged(output) as build:
        fill(build, "half")
        raise error


def stop_halfway(output: Path, number: signal.Signals) -> int:
    command = [sys.executable, "-c", INTERRUPTED, str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        return process.wait(timeout=30)


def dead_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


class TestStaged:
    def test_build_is_whole_and_alone(self, built: Path):
        build = open_build(built)
        assert build == Build(built)
        assert build.verilog == built / "5-rtl" / "top.v"
        assert Build.verilog == Path("5-rtl/top.v")
        assert os.listdir(built.parent) == ["build"]

    def test_hashes_are_those_of_sha256sum(self, built: Path):
        line = next(x for x in (built / "build.sha256").read_text().splitlines() if "top.v" in x)
        assert re.fullmatch(r"[0-9a-f]{64}  5-rtl/top\.v", line)

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
    def test_error_leaves_nothing(self, tmp_path: Path, error: type[BaseException]):
        with pytest.raises(error):
            fail_halfway(tmp_path / "build", error())
        assert os.listdir(tmp_path) == []

    def test_error_keeps_the_old_build(self, built: Path):
        with pytest.raises(ValueError, match="half"):
            fail_halfway(built, ValueError("half"))
        assert "first" in open_build(built).graph.read_text()
        assert os.listdir(built.parent) == ["build"]

    def test_replaces_a_build(self, built: Path):
        (built / "6-verify.json").write_text("{}")
        with staged(built) as build:
            fill(build, "second")
            assert "first" in open_build(built).graph.read_text()
        assert "second" in open_build(built).graph.read_text()
        assert not (built / "6-verify.json").exists()
        assert os.listdir(built.parent) == ["build"]

    @pytest.mark.parametrize(
        ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
    )
    def test_signal_leaves_no_build(self, tmp_path: Path, number: signal.Signals, code: int):
        output = tmp_path / "build"
        assert stop_halfway(output, number) == code
        assert not output.exists()
        with staged(output) as build:
            fill(build, "next")
        assert os.listdir(tmp_path) == ["build"]

    def test_killed_process_keeps_the_old_build(self, built: Path):
        stop_halfway(built, signal.SIGKILL)
        assert "first" in open_build(built).graph.read_text()
        assert os.listdir(built.parent) == ["build"]

    def test_killed_between_renames_gives_the_old_build_back(self, built: Path):
        built.rename(built.parent / f".build.replaced-{dead_process()}-0123abcd")
        assert "first" in open_build(built).graph.read_text()

    def test_leaves_folders_of_living_processes(self, built: Path):
        partial = built.parent / f".build.partial-{os.getppid()}-0123abcd"
        partial.mkdir()
        open_build(built)
        assert partial.exists()

    def test_refuses_a_folder_that_is_not_a_build(self, tmp_path: Path):
        (tmp_path / "notes.txt").write_text("mine")
        with pytest.raises(BuildError, match=r"is not a hwgen build; choose another"):
            staged(tmp_path).__enter__()
        assert (tmp_path / "notes.txt").read_text() == "mine"

    def test_refuses_a_file(self, tmp_path: Path):
        (tmp_path / "build").write_text("mine")
        with pytest.raises(BuildError, match=r"build is a file; choose a folder"):
            staged(tmp_path / "build").__enter__()

    def test_refuses_a_place_below_a_file(self, tmp_path: Path):
        (tmp_path / "file").touch()
        with pytest.raises(BuildError, match=r"cannot hold a build \(.+\); choose another with -o"):
            staged(tmp_path / "file" / "build").__enter__()

    def test_accepts_an_empty_folder(self, tmp_path: Path):
        with staged(tmp_path) as build:
            fill(build, "first")
        open_build(tmp_path)

    def test_a_forgotten_file_is_a_bug(self, tmp_path: Path):
        with pytest.raises(RuntimeError, match=r"compile left out 1-graph\.json"):
            with staged(tmp_path / "build"):
                pass
        assert os.listdir(tmp_path) == []


class TestOpenBuild:
    @pytest.mark.parametrize("name", COMPILED, ids=str)
    def test_refuses_a_changed_file(self, built: Path, name: Path):
        with (built / name).open("a") as stream:
            stream.write(" ")
        with pytest.raises(BuildError, match=rf"{name} was changed after .* 'hwgen compile' again"):
            open_build(built)

    @pytest.mark.parametrize("name", COMPILED, ids=str)
    def test_refuses_a_missing_file(self, built: Path, name: Path):
        (built / name).unlink()
        with pytest.raises(BuildError, match=rf"{name} is missing; run 'hwgen compile' again"):
            open_build(built)

    def test_refuses_a_missing_seal(self, built: Path):
        (built / "build.sha256").unlink()
        with pytest.raises(BuildError, match=r"is not a whole build \(build\.sha256 is missing\)"):
            open_build(built)

    @pytest.mark.parametrize("text", ["", "nonsense\n", "0123  1-graph.json\n", "\x00\xff"])
    def test_refuses_a_damaged_seal(self, built: Path, text: str):
        (built / "build.sha256").write_text(text)
        with pytest.raises(BuildError, match=r"build\.sha256 is corrupted; run 'hwgen compile"):
            open_build(built)

    def test_refuses_what_is_not_there(self, tmp_path: Path):
        with pytest.raises(BuildError, match=r"absent is not a folder; make it with"):
            open_build(tmp_path / "absent")


class TestWriteResult:
    def test_replaces_the_file_and_keeps_the_build_valid(self, built: Path):
        build = open_build(built)
        write_result(build, "6-verify.json", {"status": "failed"})
        path = write_result(build, "6-verify.json", {"status": "passed"})
        assert json.loads(path.read_text()) == {"status": "passed"}
        assert open_build(built).verify == path

    def test_unwritable_document_leaves_the_old_one(self, built: Path):
        build = open_build(built)
        path = write_result(build, "7-estimate.json", {"total": 1})
        before = set(os.listdir(built))
        with pytest.raises(TypeError, match="not JSON serializable"):
            write_result(build, "7-estimate.json", {"total": object()})
        assert json.loads(path.read_text()) == {"total": 1}
        assert set(os.listdir(built)) == before

    def test_refuses_compiled_files(self, built: Path):
        with pytest.raises(ValueError, match=r"result file must be one of 6-verify\.json, .*, not"):
            write_result(open_build(built), "manifest.json", {})
