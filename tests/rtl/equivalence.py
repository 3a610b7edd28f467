"""Proof that synthesis kept what a component does, by the solver ABC that Yosys brings."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib import wiring

from hwgen_boards.devices import load_device
from hwgen_boards.synth import synthesize
from hwgen_sim.netlist import netlist_verilog
from tests.rtl.synthesis import VERILOG

__all__ = ["equivalent", "netlist_of", "run_yosys"]

_JOB = "from pyosys import libyosys; libyosys.run_pass('script job.ys')"

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

read_verilog -defer {gate}
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


def netlist_of(component: wiring.Component, device: str, folder: Path) -> Path:
    """Verilog of what ``hwgen synth`` makes of a component, and of its cells.

    ``folder`` receives the component as ``top.v``.
    """
    (folder / "top.il").write_text(rtlil.convert(component, name="top", emit_src=False))
    run_yosys(VERILOG, folder).check_returncode()
    target = load_device(device)
    synthesis = synthesize(folder / "top.v", {}, target, folder / "synth")
    text = netlist_verilog(synthesis.netlist, target.family).read_text()
    # an initial value must be a constant for Yosys' front end, not a wire that carries one
    product = folder / "netlist.v"
    product.write_text(text.replace("initial Q = srval", 'initial Q = REGSET == "SET"'))
    return product


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
