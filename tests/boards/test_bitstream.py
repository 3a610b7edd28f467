"""Bitstreams: refusals that leave nothing behind, and two boards from Verilog to bits."""

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.build import Build
from hwgen.emit.manifest import load_manifest
from hwgen.errors import BuildError, CheckFailed, InputError, ToolMissing
from hwgen_boards import bitstream, subprocesses
from hwgen_boards.bitstream import build_bitstream
from hwgen_boards.board_fit import require_board_fit
from hwgen_boards.boards import load_board
from hwgen_boards.critical_path import PathStep, delay_by_block
from hwgen_boards.families import FAMILIES
from hwgen_boards.resources import Resources
from hwgen_boards.route import Routing
from tests.boards.next_build import next_build


@pytest.fixture
def build(tmp_path):
    return next_build(tmp_path / "build")


def _nothing_was_made(build: Path) -> bool:
    return not Build(build).bitstream.exists() and not list(build.glob(".9-*"))


class TestRefusals:
    def test_unknown_board(self, build):
        with pytest.raises(InputError, match=r"There is no board 'ulx3s'; did you mean ulx3s-"):
            build_bitstream(build, "ulx3s")
        assert _nothing_was_made(build)

    def test_verilog_that_was_changed(self, build):
        with Build(build).verilog.open("a") as stream:
            stream.write("\n")
        with pytest.raises(BuildError, match=r"was changed after it was compiled; run 'hwgen"):
            build_bitstream(build, "icebreaker")
        assert _nothing_was_made(build)

    def test_verilog_of_another_manifest(self, tmp_path):
        stale = next_build(tmp_path / "stale", verilog_sha256="0" * 64)
        with pytest.raises(BuildError, match=r"is not the Verilog that manifest\.json describes"):
            build_bitstream(stale, "icebreaker")
        assert _nothing_was_made(stale)

    def test_missing_tool_names_the_command(self, build, monkeypatch):
        router = replace(FAMILIES["ice40"].router, tool=subprocesses.Tool("no-such-tool", "x"))
        families = FAMILIES | {"ice40": replace(FAMILIES["ice40"], router=router)}
        monkeypatch.setattr("hwgen_boards.route.FAMILIES", families)
        with pytest.raises(ToolMissing, match=r"'no-such-tool' is not installed; run 'pip install"):
            build_bitstream(build, "icebreaker")
        assert _nothing_was_made(build)

    @pytest.mark.parametrize("clock", [-1.0, 0.0, math.nan, math.inf])
    def test_clock_that_is_none(self, build, clock):
        with pytest.raises(InputError, match=rf"^--clock must be above 0 MHz, not {clock:g}\.$"):
            build_bitstream(build, "icebreaker", clock)
        assert _nothing_was_made(build)

    def test_clock_out_of_reach_of_the_pll(self, build):
        with pytest.raises(InputError, match=r"PLL cannot make 900 MHz from 12 MHz; the nearest c"):
            build_bitstream(build, "icebreaker", 900)
        assert _nothing_was_made(build)

    def test_design_that_does_not_fit_says_by_how_much_and_what_would(self):
        needs = Resources(lut=6000, bram=31)
        sentence = (
            r"^The design with its host link does not fit icebreaker: it needs 6000 LUT of 5280 "
            r"\(720 too many\); 31 BRAM of 30 \(1 too many\); use tang-nano-9k or fold it further"
        )
        with pytest.raises(InputError, match=sentence):
            require_board_fit(needs, load_board("icebreaker"))

    def test_design_that_no_board_holds(self):
        with pytest.raises(InputError, match=r"no board is large enough, so fold it further"):
            require_board_fit(Resources(lut=10**6), load_board("icebreaker"))


def test_clock_that_is_not_met_names_the_blocks():
    path = [
        PathStep(kind="logic", cell=cell, instance="design", net="", delay_ns=delay)
        for cell, delay in {"design.conv2.sum": 30.0, "design.bn2.q": 5.5}.items()
    ]
    routing = Routing(
        device="ice40up5k",
        clock_mhz=28.2,
        target_mhz=30,
        utilization={},
        critical_path=tuple(path),
        seed=1,
        versions={},
        cached=False,
        log=Path("log"),
        report=Path("report"),
    )
    sentence = (
        r"^icebreaker reaches 28\.2 MHz and not the 30 MHz asked for; the longest path runs "
        r"through conv2 \(30\.0 ns\), bn2 \(5\.5 ns\): give a lower --clock"
    )
    with pytest.raises(CheckFailed, match=sentence):
        bitstream._require_clock(routing, 30, load_board("icebreaker"))
    bitstream._require_clock(routing, 28.2, load_board("icebreaker"))


def test_blocks_of_a_path_are_those_inside_the_design():
    cells = {"design.conv1.x": 1.0, "design.conv1.y.z": 0.5, "link.merge.q": 0.25, "q_LUT4_A": 0.1}
    path = [
        PathStep(kind="logic", cell=cell, instance="", net="", delay_ns=delay)
        for cell, delay in cells.items()
    ]
    assert delay_by_block(path, "design") == {"conv1": 1.5, "link": 0.25, "": 0.1}


@pytest.mark.slow
class TestWholeFlow:
    @pytest.mark.parametrize(
        ("board", "name", "cell", "magic"),
        [
            # TN1248 (iCE40) and TN1260 (ECP5): the preambles of a bitstream
            ("icebreaker", "board.bin", "ICESTORM_LC", bytes.fromhex("7eaa997e")),
            ("ulx3s-25f", "board.bit", "TRELLIS_FF", bytes.fromhex("ffffbdb3")),
        ],
    )
    def test_bits_and_figures(self, build, board, name, cell, magic):
        document = build_bitstream(build, board)
        folder = Build(build).bitstream
        bits = (folder / name).read_bytes()
        assert magic in bits[:256]
        assert json.loads((folder / "9-bitstream.json").read_text()) == document
        assert document["bitstream_sha256"] == hashlib.sha256(bits).hexdigest()
        assert document["verilog_sha256"] == load_manifest(Build(build).manifest).verilog_sha256
        assert document["clock_mhz"]["reached"] >= document["clock_mhz"]["asked"]
        assert document["clock_mhz"]["asked"] == load_board(board).clock_mhz
        assert document["synthesized"]["design"]["ff"] == 9  # a byte and its valid bit
        assert 0 < document["utilization"][cell]["used"] < 3000
        assert (folder / "route-report.json").is_file()

    def test_clock_that_is_not_met_names_the_blocks(self, build):
        with pytest.raises(CheckFailed, match=r"and not the 192 MHz asked for; the longest path r"):
            build_bitstream(build, "icebreaker", clock_mhz=192)
        assert _nothing_was_made(build)
