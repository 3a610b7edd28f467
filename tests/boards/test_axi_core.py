# amaranth: UnusedElaboratable=no
"""The AXI core of a build: against AXI peers in Verilator, and its files against its Verilog."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

from hwgen.emit.manifest import load_manifest
from hwgen.errors import InputError
from hwgen_boards import commands
from hwgen_boards.axi_files import core_files
from hwgen_boards.axi_top import AxiCore
from hwgen_boards.bitstream import build_bitstream
from hwgen_boards.board_fit import require_board_fit
from hwgen_boards.boards import AxiBoard, load_board
from hwgen_boards.resources import Resources
from hwgen_rtl.axi_registers import REGISTERS
from hwgen_rtl.link_protocol import Identity
from hwgen_rtl.numerics import IntType
from hwgen_sim import golden
from tests.boards.axi_cosim import Cosim, ports_of, table_of_registers
from tests.boards.next_build import NEXT, PORT, next_build
from tests.flow.designs import features

HASH = "0123456789abcdef" * 4
TESTS = (
    "gives_the_golden_integers",
    "says_what_it_is",
    "counts_what_happens",
    "reports_a_tlast_inside_an_image",
    "refuses_what_is_no_register",
    "honours_byte_strobes",
    "takes_address_and_data_in_any_order",
    "begins_anew_after_a_reset_of_the_design",
    "keeps_what_it_offered_during_a_reset_of_the_design",
    "begins_anew_after_a_reset_of_everything",
)


@pytest.fixture(scope="module")
def cosim(tmp_path_factory) -> Cosim:
    design = features()
    manifest = replace(design.manifest, config_hash=HASH)
    expected = golden.run(design.graph, design.images)[design.graph.output.name]
    folder = tmp_path_factory.mktemp("axi")
    return Cosim.of(design.verilog, manifest, np.asarray(design.images), expected, folder)


def test_every_scenario_is_started():
    source = (Path(__file__).parent / "axi_bench.py").read_text()
    assert tuple(re.findall(r"@scenario\nasync def (\w+)", source)) == TESTS


@pytest.mark.slow
class TestAgainstPeers:
    @pytest.mark.parametrize("test", TESTS)
    def test_it(self, cosim, test, tmp_path):
        cosim.run(test, tmp_path)


class TestRegisters:
    def test_are_those_of_the_document(self):
        found = {
            f"{register.offset:#04x}": (register.name, register.access, register.holds)
            for register in REGISTERS
        }
        assert found == table_of_registers()
        assert len(found) == 21


IPXACT = {"s": "http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009"}
# Arm IHI 0051 and IHI 0022: the signals of a bus, as IP-XACT names them
AXIS = {"TDATA", "TVALID", "TREADY", "TLAST"}
AXI_LITE = {"AWADDR", "AWPROT", "AWVALID", "AWREADY", "WDATA", "WSTRB", "WVALID", "WREADY"}
AXI_LITE |= {"BRESP", "BVALID", "BREADY", "ARADDR", "ARPROT", "ARVALID", "ARREADY"}
AXI_LITE |= {"RDATA", "RRESP", "RVALID", "RREADY"}
BUSES = {
    "S_AXIS": ("axis", "slave", AXIS),
    "M_AXIS": ("axis", "master", AXIS),
    "S_AXI_LITE": ("aximm", "slave", AXI_LITE),
    "ACLK": ("clock", "slave", {"CLK"}),
    "ARESETN": ("reset", "slave", {"RST"}),
}
READ = """
from pyosys import libyosys
for command in ("read_verilog hwgen_axi.v top.v", "hierarchy -check -top hwgen_axi",
                "proc", "write_json ports.json"):
    libyosys.run_pass(command)
"""


def ports_in_verilog(folder: Path, scratch: Path) -> dict[str, tuple[str, int]]:
    """Ports of the module ``hwgen_axi``, as Yosys reads the files: direction and bits."""
    for file in (folder / "hdl").iterdir():
        shutil.copyfile(file, scratch / file.name)
    subprocess.run([sys.executable, "-c", READ], cwd=scratch, check=True, capture_output=True)
    modules = json.loads((scratch / "ports.json").read_text())["modules"]
    ports = modules["hwgen_axi"]["ports"]
    return {name: (port["direction"], len(port["bits"])) for name, port in ports.items()}


def texts(root: ElementTree.Element, path: str) -> list[str]:
    return [found.text or "" for found in root.iterfind(path, IPXACT)]


def text(root: ElementTree.Element, path: str) -> str:
    (found,) = texts(root, path)
    return found


def described_ports(root: ElementTree.Element) -> dict[str, tuple[str, int]]:
    ports = {}
    for port in root.iterfind("s:model/s:ports/s:port", IPXACT):
        left = texts(port, "s:wire/s:vector/s:left") or ["0"]
        direction = {"in": "input", "out": "output"}[text(port, "s:wire/s:direction")]
        ports[text(port, "s:name")] = (direction, int(left[0]) + 1)
    return ports


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A build of the smallest design, and the document of its core for a PYNQ-Z2."""
    build = next_build(tmp_path_factory.mktemp("made") / "build")
    return build, build_bitstream(build, "pynq-z2", clock_mhz=80)


class TestCore:
    def test_document_says_what_is_there_and_what_was_not_done(self, made):
        build, document = made
        folder = build / "9-axi-core"
        assert json.loads((folder / "9-axi-core.json").read_text()) == document
        files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
        assert files == {*document["sha256"], "9-axi-core.json"}
        for name, digest in document["sha256"].items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        assert (folder / "hdl/top.v").read_bytes() == NEXT.read_bytes()
        assert (document["level"], document["placed_and_routed"]) == ("core", False)
        assert document["clock_mhz"] == {"asked": 80, "reached": None}
        assert document["synthesized"]["design"]["ff"] == 9  # a byte and its valid bit
        assert document["uncounted"] == []
        used = document["utilization"]
        assert used["lut"]["available"] == 53_200
        assert 100 < used["lut"]["used"] < 400
        assert "Not built here" in (folder / "README.md").read_text()
        assert not (build / "9-bitstream").exists()

    def test_description_has_the_ports_of_the_verilog(self, made, tmp_path):
        folder = made[0] / "9-axi-core"
        root = ElementTree.parse(folder / "component.xml").getroot()
        ports = ports_in_verilog(folder, tmp_path)
        assert described_ports(root) == ports
        manifest = load_manifest(made[0] / "manifest.json")
        assert ports == {name: (way, bits) for way, bits, name in ports_of(manifest)}

    def test_clock_is_the_one_asked_for(self, made):
        constraints = (made[0] / "9-axi-core/hwgen_axi_ooc.xdc").read_text()
        assert "create_clock -name aclk -period 12.500 [get_ports aclk]" in constraints

    def test_command_says_that_nothing_was_routed(self, made):
        arguments = [str(made[0]), "--board", "pynq-z2", "--clock", "80"]
        shown = CliRunner().invoke(commands.bitstream, arguments, standalone_mode=False)
        assert shown.exception is None
        assert (
            "core for pynq-z2 (xc7z020clg400-1): synthesized by Yosys, not placed" in shown.output
        )
        assert "53,200" in shown.output
        assert shown.output.rstrip().endswith("9-axi-core")


@pytest.mark.parametrize("name", ["arty-a7-35t", "arty-a7-100t", "pynq-z2", "kv260", "zcu104"])
class TestFiles:
    """Of every board, for a design with streams of 12 and of 20 bits."""

    @pytest.fixture
    def files(self, name) -> dict[str, str]:
        identity = Identity(1, 1, 12, 20, 2, 3)
        board = load_board(name)
        assert isinstance(board, AxiBoard)
        return core_files(AxiCore(identity), identity, board, "a & b", 50)

    def test_description_is_whole(self, name, files):
        root = ElementTree.fromstring(files["component.xml"])
        assert root.tag == f"{{{IPXACT['s']}}}component"
        ids = [text(root, f"s:{part}") for part in ("vendor", "library", "name", "version")]
        assert ids == ["hwgen", "user", "hwgen_axi", "1.0"]
        assert "a & b" in text(root, "s:description")
        sources = {"hdl/hwgen_axi.v", "hdl/top.v"}
        assert set(texts(root, ".//s:file/s:name")) == sources | {"hwgen_axi_ooc.xdc"}
        views = texts(root, ".//s:view/s:fileSetRef/s:localName")
        assert views == texts(root, "s:fileSets/s:fileSet/s:name") == ["synthesis", "simulation"]

    def test_buses_are_those_of_the_standard(self, name, files):
        root = ElementTree.fromstring(files["component.xml"])
        mapped = []
        for bus in root.iterfind("s:busInterfaces/s:busInterface", IPXACT):
            kind, role, signals = BUSES[text(bus, "s:name")]
            kinds = [bus.find(f"s:{part}", IPXACT) for part in ("busType", "abstractionType")]
            found = [k.get(f"{{{IPXACT['s']}}}name") for k in kinds if k is not None]
            assert found == [kind, f"{kind}_rtl"]
            assert bus.find(f"s:{role}", IPXACT) is not None
            assert set(texts(bus, ".//s:logicalPort/s:name")) == signals
            mapped += texts(bus, ".//s:physicalPort/s:name")
        assert sorted(mapped) == sorted(described_ports(root))
        ports = described_ports(root)
        assert (ports["s_axis_tdata"][1], ports["m_axis_tdata"][1]) == (16, 32)

    def test_registers_are_those_of_the_document(self, name, files):
        root = ElementTree.fromstring(files["component.xml"])
        names = {"read": "read-only", "read and write": "read-write"}
        found = {
            int(text(register, "s:addressOffset"), 16): (
                text(register, "s:name"),
                text(register, "s:access"),
            )
            for register in root.iterfind(".//s:register", IPXACT)
        }
        rows = table_of_registers().items()
        assert found == {int(at, 16): (row[0], names[row[1]]) for at, row in rows}
        assert text(root, ".//s:memoryMap/s:name") == "S_AXI_LITE"
        readme = files["README.md"]
        assert all(f"| {at} | {' | '.join(row)} |" in readme for at, row in rows)

    def test_script_names_part_and_board(self, name, files):
        board = load_board(name)
        script = files["vivado.tcl"]
        assert f"set part {board.part}\n" in script
        assert f"{board.board_part}:*" in script
        assert "never been run" in script
        for opened, closed in ("{}", "[]"):
            assert script.count(opened) == script.count(closed)
        # every pin of the core's buses, clock and reset is connected
        for pin in ("core/S_AXIS", "core/M_AXIS", "core/S_AXI_LITE", "core/aclk", "core/aresetn"):
            assert script.count(pin) == script.count(f"{pin}\n") + script.count(f"{pin} ")
            assert pin in script
        assert ("board.xdc" in script) == ("board.xdc" in files) == name.startswith("arty")


class TestRefusals:
    def test_seed_where_nothing_is_placed(self, made):
        sentence = r"^--seed must be left out for kv260, which is not placed here, not 3\.$"
        with pytest.raises(InputError, match=sentence):
            build_bitstream(made[0], "kv260", seed=3)

    def test_clock_that_is_none(self, made):
        with pytest.raises(InputError, match=r"^--clock must be above 0 MHz, not 0\.$"):
            build_bitstream(made[0], "kv260", clock_mhz=0)

    def test_beats_too_wide_for_a_dma_engine(self, tmp_path):
        wide = replace(PORT, type=IntType.parse("uint32"), shape=(33,), lanes=33)
        build = next_build(tmp_path / "build", output=wide)
        sentence = (
            r"^A beat of the output must have at most 1024 bits for kv260, not 1056; fold the "
            r"design further \(more target cycles\)\.$"
        )
        with pytest.raises(InputError, match=sentence):
            build_bitstream(build, "kv260")
        assert not (build / "9-axi-core").exists()

    def test_design_that_does_not_fit_says_by_how_much_and_what_would(self):
        sentence = (
            r"^The design with its AXI link does not fit arty-a7-35t: it needs 30000 LUT of 20800 "
            r"\(9200 too many\); use pynq-z2 or fold it further \(more target cycles\)\.$"
        )
        with pytest.raises(InputError, match=sentence):
            require_board_fit(Resources(lut=30_000), load_board("arty-a7-35t"))

    def test_part_of_a_board_name_offers_the_boards(self):
        sentence = r"^There is no board 'arty-a7'; did you mean arty-a7-35t or arty-a7-100t\?$"
        with pytest.raises(InputError, match=sentence):
            load_board("arty-a7")
