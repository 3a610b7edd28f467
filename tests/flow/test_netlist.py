"""The netlist after synthesis computes what the golden model computes; a wrong one is caught."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.emit.manifest import Manifest, Stream
from hwgen.errors import InputError
from hwgen_boards.devices import load_device
from hwgen_boards.synth import synthesize
from hwgen_rtl.numerics import IntType
from hwgen_sim import golden
from hwgen_sim.compare import Comparison, compare
from hwgen_sim.cosim import SimResult, simulate
from hwgen_sim.netlist import netlist_verilog, observable
from hwgen_sim.netlist.cells import cell_models
from models import accuracy, common
from tests.flow.conftest import Finished, Project
from tests.flow.designs import Design, classifier, design_of, features, minima, residual

Json = dict[str, Any]


def netlist_of(design: Design, device: str, folder: Path) -> Path:
    """Yosys JSON of a design."""
    verilog = folder / "top.v"
    verilog.write_text(design.verilog)
    nodes = {stream.node: stream.instance for stream in design.manifest.nodes if stream.instance}
    return synthesize(verilog, nodes, load_device(device), folder).netlist


def run(
    design: Design, netlist: Path, device: str, stalls: int = 0
) -> tuple[SimResult, Comparison]:
    """Simulate a netlist of the design and compare every node with the golden model."""
    manifest = observable(design.manifest, netlist)
    verilog = netlist_verilog(netlist, load_device(device).family)
    result = simulate(verilog, manifest, design.images, engine="library", stalls=stalls)
    return result, compare(golden.run(design.graph, design.images), result.arrays, manifest)


def changed(netlist: Path, change: Callable[[Json], None]) -> Path:
    """The netlist again, with other contents in its cells."""
    document = json.loads(netlist.read_text())
    change(document["modules"])
    netlist.write_text(json.dumps(document))
    return netlist


def flip(parameters: dict[str, str], name: str, bit: int) -> None:
    """Invert one bit of a parameter, which is written from the most significant bit on."""
    digits = list(parameters[name])
    digits[-1 - bit] = "10"[int(digits[-1 - bit])]
    parameters[name] = "".join(digits)


def flip_table(modules: Json, node: str) -> None:
    """Invert entry 0, which is read first, in one LUT that is a table of a node's weights."""
    cells = modules[node]["cells"]
    flops = {c["connections"]["Q"][0] for c in cells.values() if c["type"] == "TRELLIS_FF"}
    tables = (
        cell
        for name, cell in sorted(cells.items())
        if cell["type"] == "LUT4" and ".weights" in name
        if all(cell["connections"][pin][0] in flops for pin in "ABCD")
    )
    flip(next(tables)["parameters"], "INIT", 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("design", "device", "cells"),
    [
        (classifier, "lfe5u-25f", {"DP16KD", "MULT18X18D", "TRELLIS_DPR16X4"}),
        (residual, "ice40hx8k", {"SB_RAM40_4K"}),
        (classifier, "gw1nr-9", {"SPX9", "MULT9X9", "MULT18X18", "RAM16SDP4"}),
        (features, "xc7a100t", {"DSP48E1", "RAM32M"}),
        (minima, "xc7a100t", {"LUT6_2", "CARRY4"}),
    ],
)
def test_every_node_and_the_cycles_are_right(design, device, cells, tmp_path: Path):
    netlist = netlist_of(design(), device, tmp_path)
    modules = json.loads(netlist.read_text())["modules"].values()
    assert cells <= {cell["type"] for module in modules for cell in module["cells"].values()}
    result, comparison = run(design(), netlist, device)
    names = {stream.node for stream in design().manifest.nodes if stream.instance}
    assert set(comparison.nodes_checked) == names
    assert comparison.total == 0, comparison.first
    manifest = design().manifest
    first = result.transfers[manifest.input.node][0, 0]
    span = result.transfers[manifest.output.node][-1, -1] - first
    assert span == design().plan.cycles(len(design().images))


@pytest.mark.slow
def test_stalls_change_nothing(tmp_path: Path):
    _, comparison = run(residual(), netlist_of(residual(), "lfe5u-25f", tmp_path), "lfe5u-25f", 7)
    assert comparison.total == 0, comparison.first


class TestMemoryImage:
    """One bit of one weight, flipped where the device keeps it."""

    @pytest.mark.slow
    def test_in_block_ram(self, tmp_path: Path):
        """Bit 6 of weight 5 of output 2 of ``fc``: a row is 9 bits, and 32 rows fill a slice."""
        channel, tap, bit = 2, 5, 6
        unit = next(unit for unit in classifier().plan.units if unit.name == "fc")
        array = next(stage for stage in unit.stages if stage.name == "array").params.datapath
        assert (array.pe, array.simd) == (1, 1)
        row = channel * array.beats + tap
        part, place = divmod(row // 2, 16)

        def corrupt(modules: Json) -> None:
            cells = modules["fc"]["cells"].values()
            (ram,) = (cell for cell in cells if cell["type"] == "DP16KD")
            slot = 20 * place + 9 * (row % 2) + bit
            flip(ram["parameters"], f"INITVAL_{part:02X}", slot)

        netlist = changed(netlist_of(classifier(), "lfe5u-25f", tmp_path), corrupt)
        result, comparison = run(classifier(), netlist, "lfe5u-25f")
        expected = golden.run(classifier().graph, classifier().images)
        weight = classifier().graph.tensors["fc.weight"][channel, tap]
        sign = -1 if weight & (1 << bit) else 1
        wrong = expected["fc"].copy()
        wrong[:, channel] += sign * (1 << bit) * expected["conv1_q"].reshape(len(wrong), -1)[:, tap]
        np.testing.assert_array_equal(result.arrays["fc"], wrong)
        first = comparison.first
        assert first is not None
        assert (first.node, first.index[0]) == ("fc", channel)
        assert first.expected == expected["fc"][first.image, channel]
        assert first.got == wrong[first.image, channel]

    @pytest.mark.slow
    def test_in_luts(self, tmp_path: Path):
        """Entry 0 of a table of ``conv1``, which is read first."""
        netlist = changed(
            netlist_of(features(), "lfe5u-25f", tmp_path), partial(flip_table, node="conv1")
        )
        _, comparison = run(features(), netlist, "lfe5u-25f")
        assert comparison.first is not None
        assert comparison.first.node == "conv1"


RAM = """
module top(clk, rst, i__payload, i__valid, i__ready, o__payload, o__valid, o__ready);
  input clk, rst, i__valid, o__ready;
  input [{inputs}-1:0] i__payload;
  output i__ready;
  output reg o__valid = 0;
  output [{width}-1:0] o__payload;
  (* ram_style = "block", no_rw_check *) reg [{width}-1:0] memory [0:{depth}-1];
  integer k;
  initial for (k = 0; k < {depth}; k = k + 1) memory[k] = k * {factor};
  reg [{width}-1:0] q = 0;
  wire [{bits}-1:0] from, to;
  wire [{width}-1:0] value;
  wire write;
  assign {{write, value, to, from}} = i__payload;
  assign o__payload = q;
  assign i__ready = !o__valid || o__ready;
  wire step = i__valid && i__ready;
  always @(posedge clk) begin
    if (rst) o__valid <= 0;
    else if (i__ready) o__valid <= i__valid;
    if (step) q <= memory[from];
    if (step && write) memory[to] <= value;
  end
endmodule
"""


class TestBlockRam:
    """Our models of block RAM beside a memory in Python, at every width with a model."""

    FACTOR = 40503
    STEPS = 600

    def stream(self, node: str, lanes: int) -> Stream:
        bit = IntType(1, signed=False)
        shape = (lanes, 1, self.STEPS)
        return Stream(
            node=node, kind="", shape=shape, type=bit, scale=(1.0,), lanes=lanes, instance=""
        )

    def manifest(self, inputs: int, outputs: int) -> Manifest:
        own = replace(classifier().manifest, nodes=(), joins=())
        return replace(own, input=self.stream("i", inputs), output=self.stream("o", outputs))

    def steps(self, width: int, bits: int) -> tuple[np.ndarray, np.ndarray]:
        """Bits of random commands, and those of what is read; no address is read and written."""
        rng = np.random.default_rng(width)
        memory = [k * self.FACTOR % (1 << width) for k in range(1 << bits)]
        used = rng.integers(0, 1 << bits, 40)
        commands, results = [], []
        for _ in range(self.STEPS):
            read, to = (int(a) for a in rng.choice(used, 2))
            write, value = int(read != to), int(rng.integers(0, 1 << min(width, 62)))
            results.append(memory[read])
            commands.append(((write << width | value) << bits | to) << bits | read)
            if write:
                memory[to] = value
        lanes = 1 + width + 2 * bits
        return self.lanes(commands, lanes), self.lanes(results, width)

    def lanes(self, words: list[int], count: int) -> np.ndarray:
        values = [[word >> lane & 1 for word in words] for lane in range(count)]
        return np.array(values).reshape(1, count, 1, -1)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("device", "cell", "width", "bits"),
        [
            ("lfe5u-25f", "DP16KD", 36, 9),
            ("lfe5u-25f", "DP16KD", 18, 10),
            ("lfe5u-25f", "DP16KD", 9, 11),
            ("lfe5u-25f", "DP16KD", 4, 12),
            ("lfe5u-25f", "DP16KD", 2, 13),
            ("lfe5u-25f", "DP16KD", 1, 14),
            ("gw1nr-9", "SDPX9B", 36, 9),
        ],
    )
    def test_reads_what_was_written(self, device, cell, width, bits, tmp_path: Path):
        inputs, outputs = self.steps(width, bits)
        text = RAM.format(
            width=width, bits=bits, depth=1 << bits, factor=self.FACTOR, inputs=inputs.shape[1]
        )
        (tmp_path / "top.v").write_text(text)
        target = load_device(device)
        netlist = synthesize(tmp_path / "top.v", {}, target, tmp_path).netlist
        kinds = [
            c["type"] for c in json.loads(netlist.read_text())["modules"]["top"]["cells"].values()
        ]
        assert kinds.count(cell) == 1
        manifest = self.manifest(inputs.shape[1], width)
        verilog = netlist_verilog(netlist, target.family)
        result = simulate(verilog, manifest, inputs, engine="library", nodes="output", stalls=3)
        np.testing.assert_array_equal(result.arrays["o"], outputs)


@pytest.fixture(scope="module")
def build(project: Project, hwgen, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("netlist") / "build"
    assert hwgen(*project.compile_words(output, "--target-cycles", "200")).code == 0
    return output


class TestCommand:
    """``hwgen verify --netlist``."""

    def verify(self, hwgen, build: Path, project: Project, *more: str) -> Finished:
        words = ("verify", build, "--inputs", project.images, "--count", "2", *more)
        return hwgen(*words)

    @pytest.mark.slow
    def test_passes_beside_an_earlier_verification(self, hwgen, build, project):
        (build / "6-verify.json").write_text("{}\n")
        done = self.verify(hwgen, build, project, "--netlist", "lfe5u-25f", "--json")
        assert done.code == 0, done.err
        document = json.loads((build / "6-verify-netlist.json").read_text())
        assert json.loads(done.out) == document
        assert document["status"] == "passed"
        assert document["simulator"].endswith(", ecp5 netlist")
        assert document["cycles_measured"] == document["cycles_predicted"] > 0
        assert (build / "6-verify.json").read_text() == "{}\n"

    @pytest.mark.slow
    def test_fails_where_a_weight_is_wrong(self, hwgen, build, project, monkeypatch):
        from hwgen_sim.netlist import find_netlist

        def corrupted(*where: Any) -> tuple[Path, str]:
            netlist, family = find_netlist(*where)

            return changed(netlist, partial(flip_table, node="fc")), family

        monkeypatch.setattr("hwgen_sim.verify.find_netlist", corrupted)
        done = self.verify(hwgen, build, project, "--netlist", "lfe5u-25f")
        assert done.code == 1
        document = json.loads((build / "6-verify-netlist.json").read_text())
        assert document["status"] == "failed"
        first = document["first_mismatch"]
        assert first["node"] == "fc"
        assert first["sentence"] in done.out
        assert first["expected"] != first["got"]
        assert first["reproduce"].endswith("--simulator verilator --netlist lfe5u-25f")

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            (("--netlist", "lfe5u-1f"), "lfe5u-1f"),
            (
                ("--netlist", "lfe5u-25f", "--simulator", "icarus"),
                "icarus runs no netlists; leave out --simulator or --netlist.",
            ),
        ],
    )
    def test_refusals(self, options, sentence, hwgen, build, project):
        before = sorted(build.iterdir())
        done = self.verify(hwgen, build, project, *options)
        assert done.code == 2
        assert sentence in done.err
        assert sorted(build.iterdir()) == before


def test_families_without_models_are_refused():
    with pytest.raises(
        InputError, match=r"^Netlists of nexus cannot be simulated; choose a device"
    ):
        cell_models("nexus", ())


@pytest.mark.parametrize(
    ("family", "cell"), [("ecp5", "ALU54B"), ("xc7", "RAMB18E1"), ("gowin", "DPX9")]
)
def test_cells_without_a_model_are_named(family, cell):
    """Also those that Yosys knows the ports of alone."""
    with pytest.raises(InputError, match=rf"^The netlist holds {cell}, of which there is no sim"):
        cell_models(family, {cell})


@pytest.mark.slow
def test_trained_network(tmp_path: Path):
    """``models/digits_xnor`` on two held-out digits."""
    recipe = common.load_recipe(accuracy.ROOT / "digits_xnor")
    images = common.load_data(recipe)
    graph = accuracy.quantized(accuracy.imported("digits_xnor"), images, recipe)
    design = design_of(graph, golden.prepare(graph, images.held_out.images[:2]), 30_000)
    _, comparison = run(design, netlist_of(design, "lfe5u-25f", tmp_path), "lfe5u-25f")
    assert comparison.total == 0, comparison.first
    assert comparison.values_compared > 1000
