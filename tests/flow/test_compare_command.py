"""``hwgen compare`` on small builds: its table, its JSON, its picture and its refusals."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flow.conftest import Finished, Project

CYCLES = ("--target-cycles", "200")
KERNELS = (
    "multiplier",
    "multiplier without DSP",
    "constant multiplier, unrolled",
    "adder",
    "constant adder, unrolled",
    "Winograd adder",
    "XNOR",
    "shift",
)
FIELDS = {
    "kernel",
    "layers",
    "layers_with_kernel",
    "weights",
    "refused",
    "lanes",
    "lut",
    "carry",
    "ff",
    "bram",
    "dsp",
    "cycles",
    "lut_per_lane",
    "energy_nj",
    "energy_without",
    "accuracy",
    "foldings",
    "source",
}
BINARY = '''
from torch import nn

from hwgen.nn import Sign, XnorConv2d


def binary():
    """A layer of bits between two that multiply."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), Sign(), XnorConv2d(4, 4, 3), nn.BatchNorm2d(4), nn.ReLU(),
        nn.Flatten(), nn.Linear(16, 5),
    ).eval()
'''

Command = Callable[..., Finished]


@pytest.fixture(scope="module")
def built(hwgen: Command, project: Project) -> Path:
    """A build of the tiny network, whose inner layer is an adder convolution of 2x2."""
    output = project.folder / "compared"
    assert hwgen(*project.compile_words(output, *CYCLES)).code == 0
    return output


@pytest.fixture(scope="module")
def binary(hwgen: Command, project: Project) -> Path:
    """A build with an XNOR layer."""
    (project.folder / "binary.py").write_text(BINARY)
    output, model = project.folder / "binary", f"{project.folder / 'binary.py'}:binary"
    done = hwgen("compile", model, "--calib", project.images, "-o", output, *CYCLES)
    assert done.code == 0, done.err
    return output


def compared(hwgen: Command, build: Path, *more: object) -> tuple[dict, dict]:
    """The document, and its rows by kernel."""
    done = hwgen("compare", build, "--json", *more)
    assert done.code == 0, done.err
    document = json.loads(done.out)
    return document, {row["kernel"]: row for row in document["rows"]}


def refusal(hwgen: Command, *words: object) -> str:
    """The one sentence of a refusal."""
    done = hwgen("compare", *words)
    assert (done.code, done.out) == (2, "")
    lines = [line for line in done.err.splitlines() if not line.endswith(" ...")]
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    return lines[0].removeprefix("error: ")


def test_json_has_a_row_a_kernel_with_all_fields(hwgen: Command, built: Path):
    document, rows = compared(hwgen, built)
    assert tuple(rows) == KERNELS
    assert document["layers"] == ["adder"]
    assert document["level"] == "predicted"
    assert document["summary"][0].startswith("In favour of multipliers:")
    for row in rows.values():
        assert row.keys() == FIELDS
        possible = row["kernel"] != "Winograd adder"
        assert (row["lanes"] is not None) == possible
        assert not possible or set(row["source"].values()) == {"predicted"}
    assert rows["Winograd adder"]["refused"] == {"adder": "its window is 2x2, not 3x3"}


def test_own_row_is_the_estimate(hwgen: Command, built: Path):
    _, rows = compared(hwgen, built)
    total = json.loads(hwgen("estimate", built, "--json").out)["total"]
    assert rows["adder"]["dsp"] == total["dsp"]
    assert rows["adder"]["bram"] == total["bram"]
    assert rows["adder"]["lut"] == pytest.approx(total["lut"], abs=7)  # rounded for each node
    energy = sum(total["energy_pj"].values()) / 1000
    assert rows["adder"]["energy_nj"] == pytest.approx(energy)
    assert rows["adder"]["cycles"] == total["cycles"]


def test_one_layer_alone(hwgen: Command, built: Path):
    document, rows = compared(hwgen, built, "--node", "adder")
    estimate = json.loads(hwgen("estimate", built, "--json").out)
    node = next(node for node in estimate["nodes"] if node["name"] == "adder")
    assert document["node"] == "adder"
    for name in ("lut", "carry", "ff", "bram", "dsp", "cycles"):
        assert rows["adder"][name] == node[name]
    assert rows["adder"]["lanes"] == node["pe"] * node["simd"]
    assert rows["constant adder, unrolled"]["lanes"] == 4 * 4 * 2 * 2


def test_accuracy_comes_from_verify(hwgen: Command, project: Project, built: Path):
    words = ("--simulator", "amaranth", "--count", 3)
    assert hwgen("verify", built, "--inputs", project.images, *words).code == 0
    verified = json.loads((built / "6-verify.json").read_text())
    _, rows = compared(hwgen, built)
    assert rows["adder"]["accuracy"] == verified["accuracy"]["integer"]
    assert rows["multiplier"]["accuracy"] is None
    (built / "6-verify.json").unlink()
    document, rows = compared(hwgen, built)
    assert rows["adder"]["accuracy"] is None
    assert any("run 'hwgen verify'" in note for note in document["notes"])


def test_table_is_for_people(hwgen: Command, built: Path):
    done = hwgen("compare", built)
    lines = done.out.splitlines()
    assert done.code == 0
    assert lines[0].split()[:4] == ["kernel", "layers", "lanes", "lut"]
    assert [line[: len(name)] for line, name in zip(lines[1:], KERNELS, strict=False)] == [*KERNELS]
    for said in (
        "are predicted",
        "seed 2020",
        "Not as Winograd adder: adder: its window is 2x2, not 3x3.",
        "Energy of XNOR is without xnor: the table has no entry",
        "Not modelled:",
        "In favour of multipliers:",
        "In favour of adders, or equal:",
    ):
        assert said in done.out


def test_picture_is_a_png(hwgen: Command, built: Path, tmp_path: Path):
    picture = tmp_path / "kernels.png"
    assert hwgen("compare", built, "--picture", picture).code == 0
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(content) > 10_000


def test_bad_input_is_one_sentence(hwgen: Command, built: Path, tmp_path: Path):
    told = refusal(hwgen, built, "--node", "addr")
    assert told.startswith("There is no node 'addr'; the nearest names are adder")
    told = refusal(hwgen, built, "--node", "pool")
    assert told == "pool (max_pool) has no weights; the layers are conv, adder, fc."
    told = refusal(hwgen, built, "--picture", tmp_path / "x.jpg")
    assert told.startswith("A picture is written as PNG")
    assert "horowitz-45nm" in refusal(hwgen, built, "--energy-profile", "horowitz-45")
    assert refusal(hwgen, tmp_path / "absent").startswith(f"{tmp_path / 'absent'} is not a folder")


def test_estimate_of_bits_says_what_has_no_price(hwgen: Command, binary: Path):
    done = hwgen("estimate", binary, "--json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert "xnor: the table has no entry for XNOR gates" in document["not_modelled"]
    assert not any(line.startswith("shift:") for line in document["not_modelled"])
    layer = next(node for node in document["nodes"] if node["kind"] == "xnor_conv2d")
    assert "lanes" not in layer["energy_pj"]


def test_a_binary_build_is_compared_at_eight_bits(hwgen: Command, binary: Path):
    _, rows = compared(hwgen, binary)
    assert rows["XNOR"]["weights"] == "own"
    assert rows["adder"]["weights"] == "drawn"
    assert rows["XNOR"]["lut_per_lane"] < rows["adder"]["lut_per_lane"]
    assert rows["multiplier"]["dsp"] > rows["XNOR"]["dsp"]
