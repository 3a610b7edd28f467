"""Synthesis of one component by itself."""

import json
import subprocess
import sys
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib import wiring

from hwgen_boards.resources import Resources, count_resources

VERILOG = """
read_rtlil top.il
proc -norom
memory_collect
opt_clean -purge
setattr -mod -unset generator -unset top *
write_verilog top.v
"""
# as hwgen_boards.synth does it
_CELLS = """
read_verilog top.v
hierarchy -check -top top
proc -latches error
flatten
opt_clean
opt_expr
opt_clean
synth_ecp5 -nowidelut -top top
tee -q -o stat.json stat -json
"""


def synthesized(component: wiring.Component, folder: Path) -> Resources:
    """Cells of ``component`` on an ECP5; ``folder`` receives the files."""
    (folder / "top.il").write_text(rtlil.convert(component, name="top", emit_src=False))
    for script in (VERILOG, _CELLS):
        (folder / "job.ys").write_text(script)
        job = "from pyosys import libyosys; libyosys.run_pass('script job.ys')"
        subprocess.run([sys.executable, "-c", job], cwd=folder, check=True, capture_output=True)
    stat = json.loads((folder / "stat.json").read_text())
    return count_resources(stat["design"]["num_cells_by_type"])
