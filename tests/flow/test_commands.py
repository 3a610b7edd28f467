"""The command line from a model file to results, on a tiny network of both layer kinds."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hwgen.build import COMPILED, Build
from hwgen.errors import CheckFailed
from hwgen.lower import top
from tests.flow.conftest import Finished, Project

CYCLES = ("--target-cycles", "200")
NODES = ("conv", "bn1", "pool", "adder", "bn2", "fc", "argmax")
SIZES = {"conv": 144, "bn1": 144, "pool": 36, "adder": 16, "bn2": 16, "fc": 5, "argmax": 1}
VERIFY_FIELDS = {
    "status",
    "samples",
    "nodes_checked",
    "values_compared",
    "mismatches",
    "cycles_predicted",
    "cycles_measured",
    "simulator",
    "seed",
    "first_mismatch",
}
NODE_FIELDS = {
    "name",
    "kind",
    "bits",
    "pe",
    "simd",
    "cycles",
    "operations",
    "lut",
    "ff",
    "carry",
    "bram",
    "dsp",
    "energy_pj",
    "source",
}
CELLS = ("lut", "ff", "carry", "bram", "dsp")

Command = Callable[..., Finished]


@pytest.fixture(scope="module")
def built(hwgen: Command, project: Project) -> Path:
    """A build of the tiny network."""
    output = project.folder / "build"
    done = hwgen(*project.compile_words(output, *CYCLES))
    assert done.code == 0, done.err
    assert str(output) in done.out.splitlines()[-1]
    return output


def verified(hwgen: Command, build: Path, project: Project, *more: object) -> dict:
    """The printed document of a verification that passes; it equals the written one."""
    done = hwgen("verify", build, "--inputs", project.images, "--json", *more)
    document = json.loads(done.out)
    assert document == json.loads((build / "6-verify.json").read_text())
    assert (done.code, document["status"]) == (0, "passed")
    assert document.keys() >= VERIFY_FIELDS
    assert (document["mismatches"], document["first_mismatch"]) == (0, None)
    return document


class TestCompile:
    def test_build_holds_exactly_the_promised_files(self, built: Path):
        files = {p.relative_to(built) for p in built.rglob("*") if p.is_file()}
        results = {Path(f"{n}.json") for n in ("6-verify", "7-estimate", "8-synth")}
        assert files - results == {*COMPILED, Path("build.sha256")}

    def test_verilog_has_one_module_per_node(self, built: Path):
        text = (built / Build.verilog).read_text()
        for name in NODES:
            assert f"\nmodule {name}(" in f"\n{text}"
        assert "`include" not in text

    def test_two_compiles_are_byte_identical(self, project: Project, built: Path, tmp_path: Path):
        code = "from hwgen.cli import main; main()"
        words = project.compile_words(tmp_path / "again", *CYCLES)
        environment = os.environ | {"PYTHONHASHSEED": "12345"}
        subprocess.run(
            [sys.executable, "-c", code, *words], env=environment, check=True, capture_output=True
        )
        for name in (*COMPILED, Path("build.sha256")):
            again = tmp_path / "again" / name
            assert again.read_bytes() == (built / name).read_bytes(), name

    def test_graph_of_a_build_compiles_again(
        self, hwgen: Command, project: Project, built: Path, tmp_path: Path
    ):
        graph, calibration = built / "1-graph.json", str(project.images)
        done = hwgen("compile", graph, "--calib", calibration, "-o", tmp_path / "b", *CYCLES)
        assert done.code == 0
        verilog = (tmp_path / "b" / Build.verilog).read_bytes()
        assert verilog == (built / Build.verilog).read_bytes()


class TestVerify:
    def test_without_libpython_the_library_runs_and_is_named(
        self, hwgen: Command, project: Project, built: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("hwgen_sim.verify.libpython", lambda: None)
        document = verified(hwgen, built, project, "--count", 2)
        assert document["simulator"] == "verilator through library"

    def test_verilator_checks_every_integer_and_every_cycle(
        self, hwgen: Command, project: Project, built: Path
    ):
        document = verified(hwgen, built, project)
        assert document["samples"] == 12
        assert document["nodes_checked"] == len(NODES)
        assert document["values_compared"] == 12 * sum(SIZES.values())
        assert document["nodes"] == dict.fromkeys(NODES, 0)
        assert document["cycles_measured"] == document["cycles_predicted"] > 12 * 100
        assert document["simulator"].startswith("verilator")
        assert document["seed"] == 0
        assert document["accuracy"]["rtl"] == document["accuracy"]["integer"]

    def test_stalls_change_no_integer(self, hwgen: Command, project: Project, built: Path):
        document = verified(hwgen, built, project, "--stalls", 3)
        assert document["seed"] == 3
        assert document["cycles_predicted"] is None
        assert document["cycles_measured"] > 12 * 100

    def test_amaranth_checks_every_node(self, hwgen: Command, project: Project, built: Path):
        document = verified(hwgen, built, project, "--simulator", "amaranth", "--count", 2)
        assert (document["samples"], document["nodes_checked"]) == (2, len(NODES))
        assert document["values_compared"] == 2 * sum(SIZES.values())
        assert document["cycles_measured"] is None
        assert "rtl" not in document["accuracy"]

    def test_table_is_for_people(self, hwgen: Command, project: Project, built: Path):
        words = ("--simulator", "amaranth", "--count", 1)
        done = hwgen("verify", built, "--inputs", project.images, *words)
        rows = dict(line.rsplit(maxsplit=1) for line in done.out.splitlines()[1:] if line.strip())
        assert done.code == 0
        assert (rows["status"], rows["mismatches"]) == ("passed", "0")
        assert rows["nodes checked"] == str(len(NODES))

    @pytest.mark.slow
    def test_broken_hardware_exits_1_and_names_the_place(
        self, hwgen: Command, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        constants = top.array_constants

        def swapped(graph, unit):
            weights, bias = constants(graph, unit)
            if unit.name == "adder":
                weights = weights[[1, 0, 2, 3]]
            return weights, bias

        build = tmp_path / "broken"
        with monkeypatch.context() as patch:
            patch.setattr(top, "array_constants", swapped)
            assert hwgen(*project.compile_words(build, *CYCLES)).code == 0
        done = hwgen("verify", build, "--inputs", project.images, "--count", 2)
        assert done.code == 1
        document = json.loads((build / "6-verify.json").read_text())
        first = document["first_mismatch"]
        place = [first[key] for key in ("node", "image", "channel", "row", "column")]
        assert document["status"] == "failed"
        assert place == ["adder", 0, 0, 0, 0]
        assert document["nodes"]["conv"] == document["nodes"]["pool"] == 0
        assert 0 < first["cycle"] <= document["cycles_measured"] + 100
        assert "First mismatch:" in done.out
        assert f"  sentence: {first['sentence']}" in done.out
        again = hwgen(*shlex.split(first["reproduce"])[1:], "--json")
        repeated = json.loads(again.out)
        assert (again.code, repeated["samples"]) == (1, 1)
        assert repeated["first_mismatch"]["sentence"] == first["sentence"]

    def test_design_that_stops_leaves_no_passed_result(
        self, hwgen: Command, project: Project, built: Path, monkeypatch: pytest.MonkeyPatch
    ):
        def stops(*_, **__):
            raise CheckFailed("The design stopped: no beat moved any more before cycle 9.")

        verified(hwgen, built, project, "--simulator", "amaranth", "--count", 1)
        monkeypatch.setattr("hwgen_sim.verify.simulate", stops)
        done = hwgen("verify", built, "--inputs", project.images)
        document = json.loads((built / "6-verify.json").read_text())
        assert (done.code, done.out) == (1, "")
        assert "error: The design stopped: no beat moved any more before cycle 9." in done.err
        assert (document["status"], document["values_compared"]) == ("failed", 0)
        assert document["failure"].startswith("The design stopped")
        assert document.keys() >= VERIFY_FIELDS


class TestRun:
    def outputs(self, hwgen: Command, project: Project, built: Path, engine: str) -> dict:
        path = project.folder / f"{engine}.npz"
        words = ("--engine", engine, "--nodes", "all", "-o", path)
        done = hwgen("run", built, "--inputs", project.images, *words)
        assert (done.code, done.out) == (0, f"{path}\n")
        with np.load(path) as file:
            return dict(file)

    def test_all_engines_give_the_same_integers(
        self, hwgen: Command, project: Project, built: Path
    ):
        golden = self.outputs(hwgen, project, built, "golden")
        assert golden["outputs"].shape == (12, 1)
        assert len(np.unique(golden["outputs"])) > 1
        assert golden["scale"].shape == (1,)
        for engine in ("torch", "fast", "rtl"):
            others = self.outputs(hwgen, project, built, engine)
            for name in ("outputs", "scale", "flatten", *NODES[:-1]):
                np.testing.assert_array_equal(others[name], golden[name], f"{engine} {name}")

    def test_output_alone_by_default(
        self, hwgen: Command, project: Project, built: Path, tmp_path: Path
    ):
        words = ("--engine", "fast", "-o", tmp_path / "y.npz")
        assert hwgen("run", built, "--inputs", project.images, *words).code == 0
        with np.load(tmp_path / "y.npz") as file:
            assert set(file) == {"outputs", "scale"}


class TestEstimate:
    def document(self, hwgen: Command, built: Path) -> dict:
        done = hwgen("estimate", built, "--json")
        document = json.loads(done.out)
        assert done.code == 0
        assert document == json.loads((built / "7-estimate.json").read_text())
        return document

    def test_fields(self, hwgen: Command, built: Path):
        document = self.document(hwgen, built)
        assert document.keys() >= {"nodes", "total", "profile", "not_modelled"}
        assert tuple(node["name"] for node in document["nodes"]) == NODES
        for node in document["nodes"]:
            assert node.keys() >= NODE_FIELDS
            assert all(value > 0 for value in node["energy_pj"].values())
            assert node["source"].keys() >= {"cycles", "cells", "energy_pj"}
            assert {*node["source"].values()} == {"predicted"}
        assert len(document["not_modelled"]) > 0

    def test_totals_are_sums_and_operations_are_those_of_the_layers(
        self, hwgen: Command, built: Path
    ):
        document = self.document(hwgen, built)
        for cell in CELLS:
            total = sum(node[cell] for node in document["nodes"])
            assert document["total"][cell] == total, cell
        operations = {node["name"]: node["operations"] for node in document["nodes"]}
        assert operations["conv"] == 36 * 4 * 9
        assert operations["adder"] == 4 * 4 * 16
        assert operations["fc"] == 16 * 5
        # 36 pixels of 8 bits and 5 scores of what the last layer's sums take, in words of 64
        assert document["design"]["actions"]["dram_read"] == 5
        assert document["design"]["actions"]["clock"] == document["total"]["cycles"]
        parts = [*document["nodes"], document["design"]]
        nodes = sum(sum(part["energy_pj"].values()) for part in parts)
        assert sum(document["total"]["energy_pj"].values()) == pytest.approx(nodes)
        assert document["energy_range_pj"]["nominal"] == pytest.approx(nodes)

    def test_cycles_are_those_that_verify_measures(
        self, hwgen: Command, project: Project, built: Path
    ):
        total = self.document(hwgen, built)["total"]
        measured = verified(hwgen, built, project)["cycles_measured"]
        assert measured == total["latency_cycles"] + 11 * total["cycles"]

    @pytest.mark.slow
    def test_synthesized_cells_replace_predicted_ones(
        self, hwgen: Command, project: Project, tmp_path: Path
    ):
        build = tmp_path / "build"
        assert hwgen(*project.compile_words(build, *CYCLES)).code == 0
        done = hwgen("synth", build, "--device", "lfe5u-25f", "--json")
        document = json.loads(done.out)
        assert done.code == 0
        assert document == json.loads((build / "8-synth.json").read_text())
        assert (document["device"], document["level"]) == ("lfe5u-25f", "synthesized")
        assert document.keys() >= {"nodes", "total", "clock_mhz", "versions"}
        synthesized = {node["name"]: node for node in document["nodes"]}
        for node in self.document(hwgen, build)["nodes"]:
            assert node["source"]["cells"] == "synthesized"
            assert [node[cell] for cell in CELLS] == [
                synthesized[node["name"]][cell] for cell in CELLS
            ]
