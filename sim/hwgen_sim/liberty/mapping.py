"""Components as netlists of standard cells, by Yosys; kept by content."""

import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]  (no stub)
from amaranth.lib.wiring import Component

from hwgen_sim.cosim.cache import cached, log_path
from hwgen_sim.cosim.tools import run_tool
from hwgen_sim.liberty.library import Cell, Library
from hwgen_sim.liberty.netlist import Netlist, read_netlist

__all__ = ["FLOWS", "map_component"]

_EXTRACT = "extract_fa -fa; techmap -map adders.v; techmap; opt -fast -purge"
_GATES = "synth -flatten -top top -run begin:fine; opt -undriven -fine; techmap; opt"
FLOWS = {
    "plain": _GATES,
    "adders": f"{_GATES}; {_EXTRACT}",
    "minimized": "synth -flatten -top top",
    "late adders": f"synth -flatten -top top; {_EXTRACT}",
    "booth": f"synth -booth -flatten -top top; {_EXTRACT}",
}
"""Ways from a component to gates, before ABC: as they come; with full adders found among them; both
again after a general minimization; and with Booth multipliers, then as the fourth."""

_JOB = "from pyosys import libyosys; libyosys.run_pass('script job.ys')"
_MAJORITY, _PARITY, _AND, _XOR = 0xE8, 0x96, 0x8, 0x6


def map_component(component: Component, library: Library) -> dict[str, Netlist]:
    """Netlists of a component's logic, one for each flow; flip-flops' reset becomes logic.

    Booth multipliers where there is something to multiply. Raises InputError, ToolFailed.
    """
    text = rtlil.convert(component, name="top", emit_src=False)
    adders = _adder_models(library)
    flows = [flow for flow in FLOWS if flow != "booth" or "cell $mul" in text]
    script = _script(flows, adders)
    parts = (text, library.digest, script, adders, version("pyosys"))
    folder = cached("cells", parts, lambda at: _run(at, text, library, script, adders))
    return {
        flow: read_netlist(json.loads((folder / _product(flow)).read_text()), library)
        for flow in flows
    }


def _product(flow: str) -> str:
    return f"{flow.replace(' ', '_')}.json"


def _script(flows: Sequence[str], adders: str) -> str:
    steps = ["read_rtlil design.il", "design -save start"]
    for flow in flows:
        # a library without full adders has none to be extracted
        synthesis = FLOWS[flow] if adders else FLOWS[flow].removesuffix(f"; {_EXTRACT}")
        steps += ["design -load start", *synthesis.split("; ")]
        steps += ["dfflibmap -liberty cells.lib", "opt", "abc -liberty cells.lib"]
        steps += ["opt_clean -purge", f"write_json {_product(flow)}"]
    return "\n".join(steps)


def _run(folder: Path, text: str, library: Library, script: str, adders: str) -> None:
    (folder / "design.il").write_text(text)
    # ABC finds the library by a path relative to its working folder only, where Yosys is sandboxed
    (folder / "cells.lib").write_text(library.text)
    (folder / "adders.v").write_text(adders)
    (folder / "job.ys").write_text(script)
    command = (sys.executable, "-c", _JOB)
    run_tool("Yosys", command, log_path(folder.name), cwd=folder)
    (folder / "cells.lib").unlink()


def _adder_models(library: Library) -> str:
    """Techmap rules from Yosys' $fa to the library's adders; "" where it has no full adder."""
    full = _adder(library, 3, _MAJORITY, _PARITY)
    half = _adder(library, 2, _AND, _XOR)
    if full is None:
        return ""
    whole = _instance(full, ("A[i]", "B[i]", "C[i]"))
    pairs = {"A": ("B[i]", "C[i]"), "B": ("A[i]", "C[i]"), "C": ("A[i]", "B[i]")}
    parts = "".join(
        f"if (_TECHMAP_CONSTVAL_{name}_[i] === 1'b0) {_instance(half, pins)} else\n"
        for name, pins in pairs.items()
        if half is not None
    )
    constants = "".join(
        f"parameter _TECHMAP_CONSTVAL_{name}_ = {{WIDTH{{1'bx}}}};\n" for name in pairs
    )
    return f"""(* techmap_celltype = "$fa" *)
module _adders (A, B, C, X, Y);
parameter WIDTH = 1;
{constants}(* force_downto *) input [WIDTH-1:0] A, B, C;
(* force_downto *) output [WIDTH-1:0] X, Y;
genvar i;
generate for (i = 0; i < WIDTH; i = i + 1)
{parts}{whole}
endgenerate
endmodule
"""


def _adder(library: Library, inputs: int, carry: int, total: int) -> Cell | None:
    """The smallest cell with these two functions of all its inputs."""
    fitting = [
        cell
        for cell in library.cells.values()
        if len(cell.inputs) == inputs
        and sorted(output.function for output in cell.outputs.values()) == sorted((carry, total))
    ]
    return min(fitting, key=lambda cell: (cell.area, cell.name), default=None)


def _instance(cell: Cell, signals: Sequence[str]) -> str:
    """A full or half adder whose carry is X[i] and whose sum is Y[i]."""
    pins = [f".{pin}({signal})" for pin, signal in zip(cell.inputs, signals, strict=True)]
    for pin, output in cell.outputs.items():
        pins.append(f".{pin}({'X' if output.function in (_MAJORITY, _AND) else 'Y'}[i])")
    return f"begin : cell_of_bit {cell.name} adder ({', '.join(pins)}); end"
