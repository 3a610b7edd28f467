"""``hwgen estimate`` of graphs and builds: tables, JSON, charts, two side by side, refusals."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hwgen_sim import liberty
from hwgen_sim.energy_charts import draw_energy, draw_roofline
from tests.flow.conftest import Finished, Project

Command = Callable[..., Finished]
LAYERS = ("conv", "adder", "fc")
MEMORY = """
name = "small"
[array]
outputs = 4
taps = 8
[[level]]
name = "global"
bytes = 65536
"""


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("memory") / "small.toml"
    path.write_text(MEMORY)
    return path


@pytest.fixture(scope="module")
def built(hwgen: Command, project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("estimate") / "tiny"
    assert hwgen(*project.compile_words(path, "--target-cycles", "200")).code == 0
    return path


def document(hwgen: Command, *words: object) -> dict:
    done = hwgen("estimate", *words, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def refusal(hwgen: Command, *words: object) -> str:
    done = hwgen("estimate", *words)
    assert done.code == 2
    assert done.out == ""
    return done.err.strip().removeprefix("error: ")


def test_a_network_by_name_is_estimated_without_torch_or_amaranth(
    hwgen: Command, memory: Path, monkeypatch: pytest.MonkeyPatch
):
    for heavy in ("torch", "amaranth", "numba", "matplotlib"):
        monkeypatch.setitem(sys.modules, heavy, None)
    found = document(hwgen, "resnet18-adder", "--memory", memory)
    assert found["network"] == "resnet18-adder"
    assert found["total"]["operations"] == 1_814_073_344
    parts = found["total"]["energy_pj"]
    assert sum(parts.values()) == pytest.approx(found["energy_range_pj"]["nominal"])
    nodes = sum(sum(node["energy_pj"].values()) for node in found["nodes"])
    assert nodes == pytest.approx(sum(parts.values()))
    assert {"off-chip", "global", "lanes"} <= parts.keys()
    assert {*found["total"]["source"].values()} == {"predicted"}


def test_table_is_for_people(hwgen: Command):
    done = hwgen("estimate", "resnet20-adder@4")
    assert done.code == 0
    for said in (
        "component",
        "predicted, profile horowitz-45nm.",
        "Source of energies: Computing's Energy Problem",
        "memories: no hierarchy was given (--memory FILE.toml)",
        "a graph has no plan; compile it for those",
    ):
        assert said in done.out


def test_a_figure_that_is_too_low_says_so(hwgen: Command):
    done = hwgen("estimate", "resnet20-shift")
    assert "That is without shift, for which the table has no figure: it is too low." in done.out
    assert document(hwgen, "resnet20-shift")["energy_without"] == ["shift"]
    priced = document(hwgen, "resnet20-shift", "--energy-profile", "shiftadd-45nm")
    assert priced["energy_without"] == []


def test_two_are_shown_side_by_side(hwgen: Command):
    words = ("resnet20@fp32", "resnet20-adder@fp32", "--energy-profile", "addernet-fp32")
    found = document(hwgen, *words)
    total = next(row for row in found["components"] if row["component"] == "total")
    assert total["ratio"] == pytest.approx(total["second_nj"] / total["first_nj"])
    lanes = next(row for row in found["components"] if row["component"] == "lanes")
    ends = 442_368 + 640
    expected = (0.9 * (40_813_184 - ends) + 3.7 * ends) / (3.7 * 40_813_184)
    assert lanes["ratio"] == pytest.approx(expected)
    done = hwgen("estimate", *words)
    assert "First: resnet20@fp32. Second: resnet20-adder@fp32." in done.out
    assert "ratio" in done.out


def test_a_build_and_its_graph(hwgen: Command, built: Path):
    mine = document(hwgen, built)
    graph = document(hwgen, built / "1-graph.json")
    expected = {"conv": 36 * 4 * 9, "adder": 4 * 4 * 16, "fc": 16 * 5}
    for name, operations in expected.items():
        for found in (mine, graph):
            node = next(node for node in found["nodes"] if node["name"] == name)
            assert node["operations"] == operations
    both = document(hwgen, built, built / "1-graph.json")
    assert both["first"] == mine
    assert both["second"] == graph
    for row in both["totals"]:
        assert row["ratio"] == (
            pytest.approx(row["second"] / row["first"]) if row["first"] else None
        )


def test_a_torch_model_is_the_graph_of_its_build(hwgen: Command, project: Project, built: Path):
    found = document(hwgen, project.model, "--input", "1,6,6")
    graph = document(hwgen, built / "1-graph.json")
    assert found["total"]["actions"] == graph["total"]["actions"]


def test_another_node_and_table_of_memories_are_named(hwgen: Command, memory: Path):
    scaled = document(hwgen, "resnet20", "--scale", "stillmaker-baas:45->7")
    assert scaled["profile"] == "horowitz-45nm, scaled stillmaker-baas:45->7"
    words = ("--memory", memory, "--memory-profile", "cacti-45nm")
    assert document(hwgen, "resnet20", *words)["profile"] == "horowitz-45nm, memories cacti-45nm"


def test_charts_are_written(hwgen: Command, memory: Path, tmp_path: Path):
    bars, roof = tmp_path / "bars.svg", tmp_path / "roof.png"
    words = ("resnet20", "resnet20-adder", "--memory", memory)
    assert hwgen("estimate", *words, "--picture", bars, "--roofline", roof).code == 0
    assert "<svg" in bars.read_text()
    assert roof.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_bars_are_the_figures_of_the_nodes(hwgen: Command, memory: Path):
    found = document(hwgen, "resnet20-adder", "--memory", memory)
    (axes,) = draw_energy([found]).axes
    tops: dict[float, float] = {}
    for bar in axes.patches:
        place = bar.get_x() + bar.get_width() / 2
        tops[place] = max(tops.get(place, 0.0), bar.get_y() + bar.get_height())
    expected = [sum(node["energy_pj"].values()) / 1000 for node in found["nodes"]]
    assert [tops[place] for place in sorted(tops)] == pytest.approx(expected)
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        node["name"] for node in found["nodes"]
    ]


def test_no_layer_is_above_the_roof(hwgen: Command, memory: Path):
    found = document(hwgen, "resnet20-adder", "--memory", memory)
    (axes,) = draw_roofline([found]).axes
    points, _ = axes.lines
    layers = [n for n in found["nodes"] if n["operations"]]
    assert len(points.get_xdata()) == len(layers)
    for reuse, reached in points.get_xydata():
        assert reached == pytest.approx(min(4 * 8, reuse * 8))


def test_a_build_reaches_less_than_its_arrays_and_pins_allow(hwgen: Command, built: Path):
    found = document(hwgen, built)
    taps = 36 * 4 * 9 + 4 * 4 * 16 + 16 * 5  # of conv, adder and fc
    assert found["total"]["taps"] == taps
    words = -(-36 * 8 // 64) + 1  # an image of 6x6 pixels, a class
    assert found["total"]["off_chip_bits"] == 64 * words
    lanes = sum(node["pe"] * node["simd"] for node in found["nodes"] if node["name"] in LAYERS)
    assert found["limits"] == {"lanes": lanes, "external_bits_per_cycle": 64}
    (axes,) = draw_roofline([found]).axes
    points, roof = axes.lines
    ((reuse, reached),) = points.get_xydata()
    assert reuse == pytest.approx(taps / (8 * words))
    assert reached == pytest.approx(taps / found["total"]["cycles"])
    assert reached < min(lanes, reuse * 8)
    assert max(roof.get_ydata()) == pytest.approx(lanes)


def test_bad_input_is_one_sentence(hwgen: Command, built: Path, memory: Path, tmp_path: Path):
    told = refusal(hwgen, "resnet18", "--device", "lfe5u-85f")
    assert told == "resnet18 is a graph without device; leave out --device."
    told = refusal(hwgen, built, "--bits", "4")
    assert told == f"{built} has its own bits; leave out --bits."
    told = refusal(hwgen, "net.py:net")
    assert told == "net.py:net does not say how large its images are; give --input C,H,W."
    told = refusal(hwgen, tmp_path / "absent.json")
    assert told == f"The graph {tmp_path / 'absent.json'} does not exist."
    told = refusal(hwgen, built / "1-graph.json", "--input", "1,2,3")
    assert told.endswith("has its own input; leave out --input.")
    (tmp_path / "list.json").write_text("[]")
    assert "must be the 1-graph.json of a build" in refusal(hwgen, tmp_path / "list.json")
    told = refusal(hwgen, "resnet18", "--picture", tmp_path / "x.jpg")
    assert told.startswith("A chart is written as PNG or SVG; give NAME.png or NAME.svg")
    told = refusal(hwgen, "resnet18", "--picture", tmp_path / "no" / "x.png")
    assert told.startswith(f"{tmp_path / 'no'} is not a folder")
    told = refusal(hwgen, "resnet18", "--roofline", tmp_path / "x.png")
    assert told.startswith("A roofline needs the array and the memories of resnet18;")
    told = refusal(hwgen, built, "--clock", "0")
    assert told == "--clock must be above 0 MHz, not 0."
    told = refusal(hwgen, "resnet18", "--memory", tmp_path / "no.toml")
    assert told == f"The memory hierarchy {tmp_path / 'no.toml'} does not exist."
    assert "'3,4' is not C,H,W" in refusal(hwgen, "resnet18", "--input", "3,4")
    told = refusal(hwgen, "resnet18", "--memory", memory, "--energy-profile", "shiftadd-45nm")
    assert told.endswith("the kind under not_modelled.")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("resnet18",), "OTHER, not resnet18"),
        (("--bits", "4"), "--bits, not 4"),
        (("--device", "lfe5u-85f"), "--device, not lfe5u-85f"),
        (("--energy-profile", "shiftadd-45nm"), "--energy-profile, not shiftadd-45nm"),
        (("--picture", "x.png"), "--picture, not x.png"),
    ],
    ids=lambda part: part[0] if isinstance(part, tuple) else "",
)
def test_standard_cells_take_nothing_of_the_other_levels(
    hwgen: Command, built: Path, words: tuple[str, ...], name: str
):
    told = refusal(hwgen, built, *words, "--liberty", "nangate45")
    assert told == f"--liberty takes no {name}; leave one of them out."


def test_standard_cells_are_told_the_clock(
    hwgen: Command, built: Path, monkeypatch: pytest.MonkeyPatch
):
    given = []
    row = dict.fromkeys(liberty.cell_columns(50.0), 1.5)
    document = {"library": "cells", "voltage": 1.1, "taps": "uniform", "not_modelled": []}

    def estimated(*words):
        given.append(words)
        return document | {"nodes": [row], "total": row}

    monkeypatch.setattr(liberty, "estimate_cells", estimated)
    done = hwgen("estimate", built, "--liberty", "x.lib", "--clock", "50")
    assert given == [(built, Path("x.lib"), None, 50.0)]
    assert "leakage pj" in done.out
    assert "Cells of cells at 1.1 V, 50.0 MHz, synthesized; energies per image" in done.out
    done = hwgen("estimate", built, "--liberty", "x.lib")
    assert given[1][-1] is None
    assert "leakage pj" not in done.out


def test_toggles_of_a_build_on_real_and_random_images(
    hwgen: Command, project: Project, built: Path
):
    words = (built, "--activity", "--inputs", project.images, "--images", "2")
    found = document(hwgen, *words)
    assert found["images"] == 2
    assert [node["name"] for node in found["nodes"]][:2] == ["conv", "bn1"]
    rows = [*found["nodes"], found["design"]]
    for name in ("toggles", "random_toggles"):
        for kind, count in found["total"][name].items():
            assert count == pytest.approx(sum(row[name].get(kind, 0) for row in rows))
    for row in rows:
        toggles = sum(n for kind, n in row["toggles"].items() if kind != "inner")
        assert row["energy_pj"]["nominal"] == pytest.approx(0.23 * toggles)  # an ECP5's cell
        assert row["energy_pj"]["high"] == pytest.approx(0.251 * toggles)
    assert {*found["source"].values()} == {"measured"}
    other = document(hwgen, *words, "--energy-profile", "xcup")
    first = other["nodes"][0]
    assert first["toggles"] == found["nodes"][0]["toggles"]
    cycles = found["cycles"]
    assert first["clock_pj"]["nominal"] == pytest.approx(0.0206 * first["flip_flops"] * cycles)
    assert found["nodes"][0]["clock_pj"]["nominal"] == 0


def test_toggles_are_told_to_people(hwgen: Command, project: Project, built: Path):
    done = hwgen("estimate", built, "--activity", "--inputs", project.images, "--images", "2")
    assert done.code == 0
    for said in (
        "random toggles",
        "measured on 2 images and as many random ones in the Verilog",
        "profile ecp5.",
        "glitches: ",
        "the source subtracts power in reset, in which the clock goes on",
    ):
        assert said in done.out


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("resnet20",), "OTHER, not resnet20"),
        (("--liberty", "nangate45"), "--liberty, not nangate45"),
        (("--clock", "100"), "--clock, not 100.0"),
        (("--memory-profile", "cacti-45nm"), "--memory-profile, not cacti-45nm"),
        (("--scale", "stillmaker-baas:45->7"), "--scale, not stillmaker-baas:45->7"),
        (("--bits", "4"), "--bits, not 4"),
        (("--input", "1,6,6"), "--input, not (1, 6, 6)"),
        (("--memory", "x.toml"), "--memory, not x.toml"),
        (("--picture", "x.svg"), "--picture, not x.svg"),
        (("--roofline", "x.svg"), "--roofline, not x.svg"),
    ],
)
def test_toggles_take_nothing_of_the_other_levels(
    hwgen: Command, project: Project, built: Path, words: tuple[str, ...], name: str
):
    told = refusal(hwgen, built, *words, "--activity", "--inputs", project.images)
    assert told == f"--activity takes no {name}; leave one of them out."


def test_toggles_need_images_and_images_need_a_level(hwgen: Command, project: Project, built: Path):
    told = refusal(hwgen, built, "--activity")
    assert told == "--activity must come with --inputs X.npz, images to simulate; add them."
    told = refusal(hwgen, built, "--images", "2")
    assert told == "--images must come with --activity, not alone with 2; add it."
    told = refusal(hwgen, built, "--inputs", project.images)
    images = project.images
    assert told == (
        f"--inputs must come with --liberty or --activity, not alone with {images}; add one."
    )


def test_toggles_are_priced_by_a_table_that_has_them(hwgen: Command, project: Project, built: Path):
    words = ("--activity", "--inputs", project.images, "--energy-profile", "horowitz-45nm")
    told = refusal(hwgen, built, *words)
    profiles = "ecp5, ice40up, xc7, xcup"
    assert told == (
        f"The energy profile horowitz-45nm has no figure for a toggle; choose {profiles}."
    )
