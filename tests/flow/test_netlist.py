"""The netlist after synthesis computes what the golden model computes; a wrong one is caught."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from hwgen.emit.manifest import Manifest, Stream
from hwgen.errors import InputError, ToolFailed
from hwgen_boards.devices import load_device
from hwgen_boards.families import FAMILIES
from hwgen_boards.resources import uncounted_cells
from hwgen_boards.synth import synthesize
from hwgen_rtl.numerics import IntType
from hwgen_sim import golden
from hwgen_sim.compare import Comparison, compare
from hwgen_sim.cosim import SimResult, simulate
from hwgen_sim.netlist import netlist_verilog, observable
from hwgen_sim.netlist.cells import cell_models
from models import accuracy, common
from tests.flow.conftest import Finished, Project
from tests.flow.designs import Design, design_of, features, memories, minima, residual

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
    text = parameters[name]
    if text.startswith("0x"):  # Nexus: a string of hexadecimal digits
        parameters[name] = f"0x{int(text, 16) ^ (1 << bit):0{len(text) - 2}x}"
    else:
        digits = list(text)
        digits[-1 - bit] = "10"[int(digits[-1 - bit])]
        parameters[name] = "".join(digits)


def bit_of(parameters: dict[str, str], name: str, bit: int) -> int:
    """One bit of a parameter, 0 where it is undefined."""
    text = parameters[name]
    return int(text, 16) >> bit & 1 if text.startswith("0x") else int(text[-1 - bit] == "1")


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


@dataclass(frozen=True)
class Memory:
    """Where a cell keeps its contents, as its vendor documents it.

    Parameters:
        parameter : name of one with contents, from its number
        rows      : that it holds
        place     : number of a row among them, and of a bit in it -> the parameter's bit
    """

    cell: str
    parameter: str
    rows: int
    place: Callable[[int, int], int]

    def find(self, modules: Json, node: str, row: int, bit: int) -> tuple[Json, str, int]:
        """Parameters of the only such cell of a node, the name of one, and its bit."""
        cells = modules[node]["cells"].values()
        (ram,) = (cell for cell in cells if cell["type"] == self.cell)
        number, place = divmod(row, self.rows)
        return ram["parameters"], self.parameter.format(number), self.place(place, bit)

    def flip(self, modules: Json, node: str, row: int, bit: int) -> None:
        """Invert one bit."""
        flip(*self.find(modules, node, row, bit))

    def byte(self, modules: Json, node: str, row: int) -> int:
        """The lowest 8 bits of a row, as a signed number."""
        bits = sum(bit_of(*self.find(modules, node, row, bit)) << bit for bit in range(8))
        return bits - 256 if bits & 128 else bits


XILINX = ("INIT_{:02X}", 32, lambda row, bit: 8 * row + bit)
MEMORIES = {
    # Lattice FPGA-TN-02204: 20 bits for 2 bytes of 9
    "lfe5u-25f": Memory(
        "DP16KD",
        "INITVAL_{:02X}",
        32,
        lambda row, bit: 20 * (row // 2) + 9 * (row % 2) + bit,
    ),
    # Lattice TN1250: words of 16 bits; as 512 of 8 bits, two take turns bit by bit. Yosys connects
    # the 8 bits in another order
    "ice40hx8k": Memory(
        "SB_RAM40_4K",
        "INIT_{:X}",
        32,
        lambda row, bit: 16 * (row // 2) + row % 2 + 2 * (0, 4, 2, 6, 1, 5, 3, 7)[bit],
    ),
    # Gowin UG285: bytes of 9 bits
    "gw1nr-9": Memory("SPX9", "INIT_RAM_{:02X}", 32, lambda row, bit: 9 * row + bit),
    # as nextpnr reads it: 10 bits for a byte of 9
    "lifcl-40": Memory("PDPSC16K", "INITVAL_{:02X}", 32, lambda row, bit: 10 * row + bit),
    # AMD UG473 and UG573: bytes of 8 bits, the ninth ones apart
    "xc7a100t": Memory("RAMB18E1", *XILINX),
    "xczu3eg": Memory("RAMB18E2", *XILINX),
}
OTHERS = {
    "lfe5u-25f": {"MULT18X18D", "TRELLIS_DPR16X4", "CCU2C"},
    "ice40hx8k": {"SB_CARRY"},
    "gw1nr-9": {"MULT9X9", "RAM16SDP4", "ALU"},
    "lifcl-40": {"MULT18X18", "DPR16X4", "WIDEFN9"},
    "xc7a100t": {"DSP48E1", "RAM32M", "CARRY4"},
    "xczu3eg": {"DSP48E2", "RAM32M16", "CARRY4"},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "device", "expected"),
    [(memories, device, {MEMORIES[device].cell, *OTHERS[device]}) for device in MEMORIES]
    + [(minima, "xc7a100t", {"LUT6_2", "CARRY4"})],
)
def test_every_node_and_the_cycles_are_right(
    make: Callable[[], Design], device: str, expected: set[str], tmp_path: Path
):
    design = make()
    netlist = netlist_of(design, device, tmp_path)
    modules = json.loads(netlist.read_text())["modules"]
    kinds = {cell["type"] for module in modules.values() for cell in module["cells"].values()}
    kinds = {kind for kind in kinds if not kind.startswith("$")}  # in Yosys' models
    assert expected <= kinds
    cells = dict.fromkeys(kinds - {stream.instance for stream in design.manifest.nodes}, 1)
    assert uncounted_cells(cells, load_device(device).family) == ()
    result, comparison = run(design, netlist, device)
    names = {stream.node for stream in design.manifest.nodes if stream.instance}
    assert set(comparison.nodes_checked) == names
    assert comparison.total == 0, comparison.first
    manifest = design.manifest
    first = result.transfers[manifest.input.node][0, 0]
    span = result.transfers[manifest.output.node][-1, -1] - first
    assert span == design.plan.cycles(len(design.images))


@pytest.mark.slow
def test_stalls_change_nothing(tmp_path: Path):
    _, comparison = run(residual(), netlist_of(residual(), "lfe5u-25f", tmp_path), "lfe5u-25f", 7)
    assert comparison.total == 0, comparison.first


class TestMemoryImage:
    """One bit of one weight, flipped where the device keeps it."""

    @pytest.mark.slow
    @pytest.mark.parametrize("device", MEMORIES)
    def test_holds_the_weights(self, device: str, tmp_path: Path):
        """All of ``fc``, in the order in which its input arrives: channels run fastest."""
        netlist = netlist_of(memories(), device, tmp_path)
        modules = json.loads(netlist.read_text())["modules"]
        weights = memories().graph.tensors["fc.weight"].reshape(12, 2, 4).swapaxes(1, 2)
        found = [MEMORIES[device].byte(modules, "fc", row) for row in range(weights.size)]
        assert found == weights.ravel().tolist()

    @pytest.mark.slow
    @pytest.mark.parametrize("device", MEMORIES)
    def test_in_block_ram(self, device: str, tmp_path: Path):
        """Bit 6 of output 2's last weight, which is the last one in the stream's order too."""
        channel, tap, bit = 2, 7, 6
        design = memories()
        unit = next(unit for unit in design.plan.units if unit.name == "fc")
        array = next(stage for stage in unit.stages if stage.name == "array").params.datapath
        assert (array.pe, array.simd) == (1, 1)
        row = channel * array.beats + tap
        corrupt = partial(MEMORIES[device].flip, node="fc", row=row, bit=bit)
        netlist = changed(netlist_of(design, device, tmp_path), corrupt)
        result, comparison = run(design, netlist, device)
        expected = golden.run(design.graph, design.images)
        weight = design.graph.tensors["fc.weight"][channel, tap]
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


RAMS = """
module top(clk, rst, i__payload, i__valid, i__ready, o__payload, o__valid, o__ready);
  input clk, rst, i__valid, o__ready;
  input [{inputs}-1:0] i__payload;
  output i__ready;
  output reg o__valid = 0;
  output [{outputs}-1:0] o__payload;
  assign i__ready = !o__valid || o__ready;
  wire step = i__valid && i__ready;
  always @(posedge clk) if (rst) o__valid <= 0; else if (i__ready) o__valid <= i__valid;
{rams}
endmodule

module simple #(parameter WIDTH = 9, BITS = 9) (
  input clk, step, input [WIDTH+2*BITS:0] command, output reg [WIDTH-1:0] q = 0
);
  (* ram_style = "block", no_rw_check *) reg [WIDTH-1:0] memory [0:(1<<BITS)-1];
  integer k;
  initial for (k = 0; k < 40; k = k + 1)
    memory[(k * 1021 + 7) % (1 << BITS)] = (k + 1) * 72'd{factor};
  wire [BITS-1:0] from, to;
  wire [WIDTH-1:0] value;
  wire write;
  assign {{write, value, to, from}} = command;
  always @(posedge clk) if (step) begin
    q <= memory[from];
    if (write) memory[to] <= value;
  end
endmodule

module single #(parameter WIDTH = 9, BITS = 9) (
  input clk, step, input [WIDTH+2*BITS:0] command, output reg [WIDTH-1:0] q = 0
);
  (* ram_style = "block" *) reg [WIDTH-1:0] memory [0:(1<<BITS)-1];
  integer k;
  initial for (k = 0; k < 40; k = k + 1)
    memory[(k * 1021 + 7) % (1 << BITS)] = (k + 1) * 72'd{factor};
  wire [BITS-1:0] from, to;
  wire [WIDTH-1:0] value;
  wire write;
  assign {{write, value, to, from}} = command;
  always @(posedge clk) if (step)
    if (write) memory[to] <= value; else q <= memory[to];
endmodule

module dual #(parameter WIDTH = 9, BITS = 9) (
  input clk, step, input [WIDTH+2*BITS:0] command, output [WIDTH-1:0] q
);
  (* ram_style = "block", no_rw_check *) reg [WIDTH-1:0] memory [0:(1<<BITS)-1];
  integer k;
  initial for (k = 0; k < 40; k = k + 1)
    memory[(k * 1021 + 7) % (1 << BITS)] = (k + 1) * 72'd{factor};
  wire [BITS-1:0] from, to;
  wire [WIDTH-1:0] value;
  wire write;
  assign {{write, value, to, from}} = command;
  reg [WIDTH-1:0] q_a = 0, q_b = 0;
  always @(posedge clk) if (step)
    if (write) memory[to] <= value; else q_a <= memory[to];
  always @(posedge clk) if (step)
    if (write & value[0]) memory[from] <= ~value; else q_b <= memory[from];
  assign q = q_a ^ q_b;
endmodule
"""


@dataclass(frozen=True)
class Ram:
    """A memory of which 40 words are used; each step reads one of them and may write another.

    A ``single`` one has a port that reads or writes. A ``dual`` one has two of them: a step may
    write both words, and gives the XOR of what the ports read last.

    Word k is at address (1021 k + 7) mod 2^bits and begins with the low bits of (k + 1) FACTOR.
    """

    width: int
    bits: int
    kind: str = "simple"

    FACTOR: ClassVar[int] = 0x9E3779B97F4A7C15F1

    @property
    def lanes(self) -> int:
        """Bits of a command: whether to write, the value, where to, and from where to read."""
        return 1 + self.width + 2 * self.bits

    def steps(self, count: int) -> tuple[list[int], list[int]]:
        """Random commands, and what is read; no address is read and written at once."""
        rng = random.Random(f"{self.kind} {self.width}")
        used = [(1021 * k + 7) % (1 << self.bits) for k in range(40)]
        memory = {used[k]: (k + 1) * self.FACTOR % (1 << self.width) for k in range(40)}
        commands, results = [], []
        a = b = 0
        for _ in range(count):
            read, to = rng.choice(used), rng.choice(used)
            write, value = int(read != to), rng.randrange(1 << self.width)
            commands.append(((write << self.width | value) << self.bits | to) << self.bits | read)
            both = self.kind == "dual" and write & value & 1
            a = a if write else memory[to]
            b = b if both else memory[read]
            results.append({"simple": b, "single": a, "dual": a ^ b}[self.kind])
            if write:
                memory[to] = value
            if both:
                memory[read] = value ^ (1 << self.width) - 1
        return commands, results


def side_by_side(rams: Sequence[Ram], inputs: int, outputs: int) -> str:
    """Verilog of all memories; the first takes the lowest bits."""
    lines, low_i, low_o = [], 0, 0
    for k, ram in enumerate(rams):
        lines.append(
            f"  {ram.kind} #(.WIDTH({ram.width}), .BITS({ram.bits})) r{k}(clk, step, "
            f"i__payload[{low_i} +: {ram.lanes}], o__payload[{low_o} +: {ram.width}]);"
        )
        low_i, low_o = low_i + ram.lanes, low_o + ram.width
    return RAMS.format(inputs=inputs, outputs=outputs, rams="\n".join(lines), factor=Ram.FACTOR)


def bits_of(words: Sequence[Sequence[int]], widths: Sequence[int]) -> np.ndarray:
    """One image of a bit per lane, from words per memory and step."""
    lanes = [
        [word >> k & 1 for word in row] for row, width in zip(words, widths, strict=True)
        for k in range(width)
    ]  # fmt: skip
    return np.array(lanes).reshape(1, len(lanes), 1, -1)


def bits_manifest(steps: int, inputs: int, outputs: int) -> Manifest:
    """Of a module that takes and gives an image of ``steps`` beats, a bit per lane."""

    def stream(node: str, lanes: int) -> Stream:
        bit, shape = IntType(1, signed=False), (lanes, 1, steps)
        return Stream(
            node=node, kind="", shape=shape, type=bit, scale=(1.0,), lanes=lanes, instance=""
        )

    own = replace(memories().manifest, nodes=(), joins=())
    return replace(own, input=stream("i", inputs), output=stream("o", outputs))


DUAL = (Ram(9, 11, "dual"), Ram(9, 11, "single"), Ram(4, 12, "single"))
SIXTEEN = (*map(Ram, (36, 18, 9, 4, 2, 1), (9, 10, 11, 12, 13, 14)), *DUAL)
LARGE = (*map(Ram, (72, 36, 18, 9, 4, 2, 1), (9, 9, 10, 12, 12, 13, 14)), *DUAL)


class TestBlockRam:
    """Our models of block RAM beside memories in Python, at every width."""

    STEPS = 300

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("device", "rams", "cells"),
        [
            ("lfe5u-25f", SIXTEEN, {"DP16KD"}),
            ("gw1nr-9", SIXTEEN, {"SDPX9B", "DPB", "DPX9B", "SP", "SPX9"}),
            ("lifcl-40", SIXTEEN, {"PDPSC16K", "DP16K"}),
            ("xc7a100t", LARGE, {"RAMB18E1", "RAMB36E1"}),
            ("xczu3eg", LARGE, {"RAMB18E2", "RAMB36E2"}),
        ],
    )
    def test_reads_what_was_written(self, device, rams, cells, tmp_path: Path):
        steps = [ram.steps(self.STEPS) for ram in rams]
        inputs = bits_of([commands for commands, _ in steps], [ram.lanes for ram in rams])
        outputs = bits_of([results for _, results in steps], [ram.width for ram in rams])
        lanes = inputs.shape[1], outputs.shape[1]
        (tmp_path / "top.v").write_text(side_by_side(rams, *lanes))
        target = load_device(device)
        netlist = synthesize(tmp_path / "top.v", {}, target, tmp_path).netlist
        used = json.loads(netlist.read_text())["modules"]["top"]["cells"].values()
        assert {cell["type"] for cell in used if len(cell["parameters"]) > 60} == cells
        result = simulate(
            netlist_verilog(netlist, target.family),
            bits_manifest(self.STEPS, *lanes),
            inputs,
            engine="library",
            nodes="output",
            stalls=3,
        )
        np.testing.assert_array_equal(result.arrays["o"], outputs)

    @pytest.mark.slow
    def test_other_modes_end_the_run(self, tmp_path: Path):
        def registered(modules: Json) -> None:
            (ram,) = (c for c in modules["fc"]["cells"].values() if c["type"] == "RAMB18E1")
            ram["parameters"]["DOA_REG"] = "1"

        netlist = changed(netlist_of(memories(), "xc7a100t", tmp_path), registered)
        with pytest.raises(ToolFailed, match="modelled without output registers"):
            run(memories(), netlist, "xc7a100t")


LUT = """
module top(clk, rst, i__payload, i__valid, i__ready, o__payload, o__valid, o__ready);
  input clk, rst, i__valid, o__ready;
  input [5:0] i__payload;
  output i__ready, o__valid;
  output [1:0] o__payload;
  assign o__valid = i__valid, i__ready = o__ready;
  LUT6_2 #(.INIT(64'd{init})) lut (
    .I0(i__payload[0]), .I1(i__payload[1]), .I2(i__payload[2]), .I3(i__payload[3]),
    .I4(i__payload[4]), .I5(i__payload[5]), .O5(o__payload[0]), .O6(o__payload[1]));
endmodule
"""


@pytest.mark.slow
def test_two_functions_of_a_xilinx_lut(tmp_path: Path):
    """O6 is bit ``I`` of INIT and O5 the one of its lower half, for all 64 inputs (AMD UG953)."""
    init = 0x9E3779B97F4A7C15
    (tmp_path / "top.v").write_text(LUT.format(init=init) + cell_models("xc7", {"LUT6_2"}))
    inputs = bits_of([range(64)], [6])
    outputs = bits_of([[(init >> k & 1) << 1 | init >> k % 32 & 1 for k in range(64)]], [2])
    result = simulate(
        tmp_path / "top.v",
        bits_manifest(64, 6, 2),
        inputs,
        engine="library",
        nodes="output",
    )
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
        InputError, match=r"^Netlists of max10 cannot be simulated; choose a device"
    ):
        cell_models("max10", ())


def test_every_family_that_can_be_synthesized_has_models():
    assert set(FAMILIES) == {load_device(name).family for name in MEMORIES}
    for family in FAMILIES:
        cell_models(family, ())


@pytest.mark.parametrize(
    ("family", "cell"),
    [("ecp5", "ALU54B"), ("xc7", "URAM288"), ("gowin", "DPX9"), ("nexus", "DPSC512K")],
)
def test_cells_without_a_model_are_named(family, cell):
    """Also those that Yosys knows the ports of alone."""
    with pytest.raises(InputError, match=rf"^The netlist holds {cell}, of which there is no sim"):
        cell_models(family, {cell})


@pytest.mark.slow
def test_trained_network(tmp_path: Path):
    """``models/digits_ice`` on two held-out digits."""
    recipe = common.load_recipe(accuracy.ROOT / "digits_ice")
    images = common.load_data(recipe)
    graph = accuracy.quantized(accuracy.imported("digits_ice"), images, recipe)
    design = design_of(graph, golden.prepare(graph, images.held_out.images[:2]), 30_000)
    _, comparison = run(design, netlist_of(design, "lfe5u-25f", tmp_path), "lfe5u-25f")
    assert comparison.total == 0, comparison.first
    assert comparison.values_compared > 1000
