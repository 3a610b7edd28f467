"""Proof that synthesis kept what a component does, by the solver ABC that Yosys brings."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib import wiring

from hwgen_boards.families import FAMILIES
from hwgen_sim.netlist.cells import cell_models
from tests.rtl.synthesis import VERILOG

__all__ = ["equivalent", "netlist_of", "run_yosys"]

_JOB = "from pyosys import libyosys; libyosys.run_pass('script job.ys')"

# as hwgen_boards.synth does it
_SYNTHESIS = """
read_verilog top.v
hierarchy -check -top top
proc -latches error
flatten
opt_clean
opt_expr
opt_clean
{synth} -top top
delete */t:$scopeinfo
write_verilog -noattr netlist.v
"""

# One circuit of both, on the same inputs, with an output that is 1 where their outputs differ. Its
# flip-flops start as configuration leaves them.
_MITER = """
read_verilog {gold}
hierarchy -check -top top
proc
flatten
memory -nomap
memory_map
rename top gold
design -stash gold

read_verilog {gate}
read_verilog cells.v
hierarchy -check -top top
proc
flatten
memory -nomap
memory_map
rename top gate
design -stash gate

design -copy-from gold gold
design -copy-from gate gate
miter -equiv -flatten gold gate miter
hierarchy -top miter
opt -full
techmap
opt -full
dffunmap
opt_clean
aigmap
delete */t:$scopeinfo
write_aiger -zinit miter.aig
"""


def netlist_of(component: wiring.Component, folder: Path) -> Path:
    """Synthesize ``component`` for an ECP5; ``folder`` receives ``top.v``, ``cells.v`` and it."""
    (folder / "top.il").write_text(rtlil.convert(component, name="top", emit_src=False))
    for script in (VERILOG, _SYNTHESIS.format(synth=FAMILIES["ecp5"].synth)):
        run_yosys(script, folder).check_returncode()
    # the initial value must be a constant for Yosys' front end, not a wire that carries one
    models = cell_models("ecp5", ()).replace("initial Q = srval", 'initial Q = REGSET == "SET"')
    (folder / "cells.v").write_text(models)
    return folder / "netlist.v"


def equivalent(folder: Path, gold: str = "top.v", gate: str = "netlist.v") -> bool:
    """Whether two files in ``folder`` give the same outputs, for every input and all time.

    ABC decides it by signal correspondence: pairs of signals that are equal at first and, where all
    pairs are equal in one cycle, in the next one too, until the outputs are among them.
    """
    run_yosys(_MITER.format(gold=gold, gate=gate), folder).check_returncode()
    program = Path(_origin("pyosys")).with_name("yosys-abc")
    command = [program, "-c", "read_aiger miter.aig; dprove; print_status"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    (status,) = re.findall(r"^Status = (-?\d)", done.stdout, flags=re.MULTILINE)
    assert status in "01", done.stdout  # -1: undecided
    return status == "1"


def _origin(package: str) -> str:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return spec.origin


def run_yosys(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in ``folder``."""
    (folder / "job.ys").write_text(script)
    command = [sys.executable, "-c", _JOB]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
