# amaranth: UnusedElaboratable=no
"""Structures of primitives are proven equal to their portable forms, and synthesis takes them."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from amaranth.back import rtlil

from hwgen.emit.verilog import to_verilog
from hwgen.lower.top import Chain, Design, Port, Wire
from hwgen_boards import families
from hwgen_boards.devices import load_device
from hwgen_boards.structures import structured
from hwgen_boards.synth import Synthesis, synthesize
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.drain import DrainParams
from hwgen_rtl.finish import FinishParams
from hwgen_rtl.numerics import IntType
from hwgen_rtl.primitives import Minimum, MinimumPair, Primitive, TernaryAdder
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_sim.netlist.cells import cell_models
from tests.rtl.equivalence import equivalent, run_yosys
from tests.rtl.synthesis import VERILOG

CELLS = ("CARRY4", "FDRE", "LUT2", "LUT6_2")
XILINX = Path(families.__file__).with_name("primitives") / "xilinx.v"

PRIMITIVES = [
    *(TernaryAdder((n, n, n), n + 2) for n in (1, 3, 8)),
    TernaryAdder((1, 4, 3), 5),
    TernaryAdder((5, 5, 2), 7),
    TernaryAdder((6, 4, 3), 6),  # an accumulator, which wraps
    TernaryAdder((12, 9, 8), 12),
    *(Minimum(n) for n in (1, 3, 8)),
    *(MinimumPair(n) for n in (1, 3, 8)),
]


def structure(primitive: Primitive, folder: Path, library: str) -> None:
    """``top.v``, the portable form, and ``gate.v``, the structure with its ports and its cells."""
    (folder / "top.il").write_text(rtlil.convert(primitive, name="top", emit_src=False))
    run_yosys(VERILOG, folder).check_returncode()
    portable = (folder / "top.v").read_text()
    ports = re.findall(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", portable, re.MULTILINE)
    widths = {name.upper(): int(top or 0) + 1 for _, top, name in ports}
    module = f"hwgen_{primitive.KIND}"
    (header,) = re.findall(rf"module {module} #\((.*?)\)", library)
    sizes = ", ".join(f".{n}_WIDTH({widths[n]})" for n in re.findall(r"(\w+)_WIDTH", header))
    declared = ", ".join(f"{way} [{top or 0}:0] {name}" for way, top, name in ports)
    connected = ", ".join(f".{name}({name})" for *_, name in ports)
    text = f"module top({declared}); {module} #({sizes}) s({connected}); endmodule\n"
    (folder / "gate.v").write_text(text + library + cell_models("xc7", CELLS))


@pytest.mark.parametrize("primitive", PRIMITIVES, ids=lambda p: p.module_name)
def test_structure_is_proven_equal_to_the_portable_form(primitive, tmp_path):
    """For all inputs and all time, of which no bound is assumed."""
    structure(primitive, tmp_path, XILINX.read_text())
    assert equivalent(tmp_path, gate="gate.v")


@pytest.mark.parametrize(
    ("primitive", "right", "wrong"),
    [
        (TernaryAdder((2, 2, 2), 4), "69966996_e8e8e8e8", "69966996_e8e8e8e9"),
        (MinimumPair(3), "84210000_08ce0000", "84210000_08cc0000"),
        (MinimumPair(3), "84210000_08ce0000", "84218421_08ce08ce"),  # moves without enable
        (MinimumPair(2), "11ee1e1e", "11ee1e1f"),
        (Minimum(2), "ccccaaaa", "aaaacccc"),
    ],
)
def test_another_table_is_not_proven(primitive, right, wrong, tmp_path):
    library = XILINX.read_text()
    structure(primitive, tmp_path, library.replace(right, wrong) if right in library else "")
    assert not equivalent(tmp_path, gate="gate.v")


def array(lut_inputs: int, **changes) -> ArrayParams:
    kind = IntType(8, signed=False)
    given = dict(kernel="adder", x=kind, w=kind, acc=IntType(14, signed=True), simd=4, pe=2,
                 beats=3, folds=1)  # fmt: skip
    return ArrayParams(**(given | changes), lut_inputs=lut_inputs)


def synthesized(params: ArrayParams, device: str, folder: Path) -> Synthesis:
    """A layer of one pixel, whose window is the whole image."""
    weights = np.random.default_rng(0).integers(0, 4, (params.pe, params.beats * params.simd))
    window = WindowParams(
        height=1, width=1, words=params.beats, lanes=params.simd, kind=params.x, kernel=(1, 1)
    )
    blocks = {
        "array": WindowedParams(window=window, datapath=params).create(weights),
        "drain": DrainParams(array=params, lanes=1).create(),
        "finish": FinishParams(array=params, lanes=1).create(weights, np.zeros(params.pe, int)),
    }
    wires = (Wire(Port(""), Port("unit")), Wire(Port("unit"), Port("")))
    (folder / "top.v").write_text(to_verilog(Design({"unit": Chain([*blocks.items()])}, wires)))
    return synthesize(folder / "top.v", {}, load_device(device), folder)


def cells(netlist: Path) -> Counter[str]:
    """Cells of a netlist by type."""
    modules = json.loads(netlist.read_text())["modules"].values()
    return Counter(cell["type"] for module in modules for cell in module["cells"].values())


@pytest.mark.parametrize("device", ["xc7a100t", "xczu3eg"])
def test_synthesis_takes_the_structures(device, tmp_path):
    """Two elements of 2 pairs (4 + 4 + 8) and a last adder of 13 bits; one of 8 + 14 bits."""
    six, four = ((tmp_path / str(n)) for n in (6, 4))
    six.mkdir()
    four.mkdir()
    smaller, larger = synthesized(array(6), device, six), synthesized(array(4), device, four)
    # sum of four taps and what came before: 4 operands to 2 by one adder of 9 bits, 14 in the last
    assert cells(smaller.netlist)["LUT6_2"] == 2 * (2 * 16 + 13) + 9 + 14
    assert cells(larger.netlist)["LUT6_2"] == 0
    assert smaller.uncounted == ()
    assert smaller.total.lut < 0.85 * larger.total.lut


def test_other_families_take_the_portable_form(tmp_path):
    found = synthesized(array(6, pe=1), "lfe5u-85f", tmp_path)
    assert found.uncounted == ()
    assert not [name for name in cells(found.netlist) if "hwgen" in name and "top" in name]


WITH_PRIMITIVES = """module hwgen_minimum_5(x, w, late, clk, rst, o, enable);
  input [4:0] x;
  wire [4:0] x;
  output [4:0] o;
  reg [4:0] o = 5'h00;
  input enable;
  wire enable;
endmodule

module hwgen_unknown_5(x);
  input [4:0] x;
endmodule
"""


def test_structures_take_the_place_of_portable_modules():
    text = structured(WITH_PRIMITIVES, "xc7")
    assert "  hwgen_minimum #(.X_WIDTH(5)) structure (.x(x), .o(o), .enable(enable));\n" in text
    assert "reg [4:0] o" not in text
    assert text.count("module hwgen_minimum #(parameter X_WIDTH = 1)") == 1
    assert "module hwgen_unknown_5(x);\n  input [4:0] x;\nendmodule\n" in text


def test_text_without_primitives_and_other_families_stay_as_they_are():
    plain = "module top(a);\n  input a;\nendmodule\n"
    assert structured(plain, "xc7") == plain
    assert structured(WITH_PRIMITIVES, "ecp5") == WITH_PRIMITIVES
