"""Boards: what the tables say against amaranth-boards, clocks, and the hardware around a design."""

import json
import re
from pathlib import Path

import pytest
from amaranth.hdl import ClockDomain, Fragment, Module
from amaranth.lib import io
from amaranth.sim import Simulator
from amaranth_boards import arty_a7
from click.testing import CliRunner

from hwgen.errors import InputError
from hwgen_boards.board_top import BoardTop, ClockAndReset
from hwgen_boards.boards import AxiBoard, SerialBoard, board_names, load_board
from hwgen_boards.commands import boards
from hwgen_boards.families import FAMILIES
from hwgen_boards.pll import PLLS
from hwgen_rtl.link import HostLinkParams
from hwgen_rtl.uart import UartParams

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "boards.md"
LINK = HostLinkParams(i_bits=8, o_bits=4, i_beats=784, o_beats=1, build=0x0123456789ABCDEF)


SERIAL, AXI = (
    [name for name in board_names() if isinstance(load_board(name), kind)]
    for kind in (SerialBoard, AxiBoard)
)


@pytest.mark.parametrize("name", SERIAL)
class TestEverySerialBoard:
    def test_chip_is_the_one_that_amaranth_boards_names(self, name):
        board = load_board(name)
        platform = board.create_platform()
        chip = getattr(platform, "part", None) or platform.device
        assert board.chip.split("-")[0].lower() in chip.lower().replace("lv", "")
        arguments = " ".join(board.device.nextpnr).lower()
        for figure in (getattr(platform, "speed", ""), platform.package):
            assert re.search(rf"\d*{figure[-3:].lower()}", arguments)

    def test_oscillator_is_the_one_that_amaranth_boards_names(self, name):
        board = load_board(name)
        constraint = board.create_platform().default_clk_constraint
        assert constraint.frequency == board.oscillator_mhz * 1e6

    def test_serial_port_divides_the_clock_well(self, name):
        board = load_board(name)
        divisor = round(board.clock_mhz * 1e6 / board.baud)
        made = board.clock_mhz * 1e6 / divisor
        # half of what a frame of ten bits bears when the other end is exact
        assert abs(made / board.baud - 1) < 0.02

    def test_top_becomes_rtlil_and_pins(self, name):
        board = load_board(name)
        settings = None
        if board.clock_mhz != board.oscillator_mhz:
            settings = PLLS[board.device.family].nearest(board.oscillator_mhz, board.clock_mhz)
        platform = board.create_platform()
        top = BoardTop(board, settings, UartParams(100), LINK)
        plan = platform.prepare(top, name="board", emit_src=False)
        router = FAMILIES[board.device.family].router
        assert router is not None
        pins = str(plan.files[f"board.{router.suffix}"])
        # clock and two pins, apart from those that the board's own serial port has beside them
        assert {"rx", "tx"} <= set(re.findall(r"uart_0__(\w\w)", pins))
        text = str(plan.files["board.il"])
        assert len(re.findall(r"cell \\top ", text)) == 1
        assert bool(settings) == bool(re.search(r"cell \\(EHXPLLL|SB_PLL40_PAD|rPLL) ", text))


@pytest.mark.parametrize("name", AXI)
class TestEveryAxiBoard:
    def test_part_begins_with_the_chip(self, name):
        board = load_board(name)
        assert board.part.startswith(board.chip)
        assert board.tested == "core"

    def test_names_are_documented(self, name):
        board = load_board(name)
        rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith(f"| {name} ")]
        assert any(f"| {board.part} |" in row for row in rows)


@pytest.mark.parametrize(
    ("name", "platform"),
    [("arty-a7-35t", arty_a7.ArtyA7_35Platform), ("arty-a7-100t", arty_a7.ArtyA7_100Platform)],
)
def test_oscillator_of_the_arty_is_the_one_that_amaranth_boards_names(name, platform):
    board = load_board(name)
    clock = next(r for r in platform.resources if r.name == platform.default_clk)
    assert clock.clock.frequency == board.oscillator_mhz * 1e6
    assert clock.ios[0].names == [board.oscillator_pin]
    assert clock.attrs["IOSTANDARD"] == board.oscillator_standard
    assert platform.device.removesuffix("i") == board.chip
    assert platform.package in board.part


class _Oscillator:
    """As much of a platform as a clock needs: one pin, which a test drives."""

    default_clk = "clk"

    def __init__(self):
        self.port = io.SimulationPort("i", 1)

    def request(self, name, **options):
        return self.port


def test_reset_lasts_until_block_rams_work():
    """3 us after configuration at the slowest clock of a board, 12 MHz, are 36 cycles."""
    platform = _Oscillator()
    m = Module()
    m.domains.sync = sync = ClockDomain("sync")
    m.submodules.clock = ClockAndReset(load_board("icebreaker"), None)
    lengths = []

    async def bench(ctx):
        cycles = 0
        while ctx.get(sync.rst):
            ctx.set(platform.port.i, 1)
            await ctx.delay(1e-6)
            ctx.set(platform.port.i, 0)
            await ctx.delay(1e-6)
            cycles += 1
            assert cycles < 5000
        lengths.append(cycles)

    sim = Simulator(Fragment.get(m, platform))
    sim.add_testbench(bench)
    sim.run()
    assert 36 < lengths[0] == pytest.approx(4096, abs=5)


class TestRefusals:
    def test_unknown_board_names_the_nearest(self):
        sentence = r"^There is no board 'icebraker'; did you mean icebreaker\?$"
        with pytest.raises(InputError, match=sentence):
            load_board("icebraker")

    def test_unknown_board_without_neighbour_names_all(self):
        with pytest.raises(InputError, match=r"the boards are arty-a7-100t, arty-a7-35t, ecpix5"):
            load_board("zzz")


class TestCommand:
    def test_table_has_every_board(self):
        shown = CliRunner().invoke(boards, standalone_mode=False).output
        assert all(name in shown for name in board_names())

    def test_json_says_how_far_each_was_tested(self):
        shown = json.loads(CliRunner().invoke(boards, ["--json"], standalone_mode=False).output)
        assert {row["name"] for row in shown["boards"]} == set(board_names())
        assert {row["tested"] for row in shown["boards"]} <= {"bitstream", "core", "listed"}


def _ecp5(mhz):
    """Every EHXPLLL setting of the data sheet with the output fed back, as output frequencies."""
    for i in range(1, 129):
        for f in range(1, 81):
            out = mhz * f / i
            bands = (400 <= out * o <= 800 for o in range(1, 129))
            if 3.125 <= mhz / i <= 400 and any(bands):
                yield out


def _ice40(mhz):
    for r in range(16):
        for f in range(128):
            vco = mhz / (r + 1) * (f + 1)
            if 10 <= mhz / (r + 1) <= 133 and 533 <= vco <= 1066:
                yield from (vco / 2**q for q in range(1, 7) if 16 <= vco / 2**q <= 275)


def _gowin(mhz):
    for i in range(64):
        for f in range(64):
            out = mhz * (f + 1) / (i + 1)
            o = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)
            if 3 <= mhz / (i + 1) <= 400 and any(500 <= out * x <= 1200 for x in o):
                yield out


class TestPll:
    @pytest.mark.parametrize(
        ("family", "every", "mhz"),
        [("ecp5", _ecp5, 25), ("ecp5", _ecp5, 100), ("ice40", _ice40, 12), ("gowin", _gowin, 27)],
    )
    @pytest.mark.parametrize("wanted", [18, 33.3, 50, 61.44, 97])
    def test_no_setting_is_nearer(self, family, every, mhz, wanted):
        found = PLLS[family].nearest(mhz, wanted)
        best = min(abs(output - wanted) for output in every(mhz))
        assert abs(found.output_mhz - wanted) == pytest.approx(best, abs=1e-9)

    def test_settings_of_the_icebreaker_are_those_of_icepll(self):
        """``icepll -i 12 -o 18`` prints DIVR 0, DIVF 47, DIVQ 5 and a 576 MHz oscillator."""
        found = PLLS["ice40"].nearest(12, 18)
        assert (found.output_mhz, found.vco_mhz) == (18, 576)
        assert (found.multiplier, found.divider, found.vco_divider) == (48, 32, 32)

    def test_settings_of_the_ulx3s_are_those_of_ecppll(self):
        """``ecppll -i 25 -o 50`` prints divisors 1, 2 and 12 and a 600 MHz oscillator."""
        found = PLLS["ecp5"].nearest(25, 50)
        assert (found.divider, found.multiplier, found.vco_divider) == (1, 2, 12)
        assert found.vco_mhz == 600

    def test_clock_out_of_reach_is_refused(self):
        sentence = r"^The board's PLL cannot make 5 MHz from 12 MHz; the nearest clock is 16"
        with pytest.raises(InputError, match=sentence):
            PLLS["ice40"].nearest(12, 5)
