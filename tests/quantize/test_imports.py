"""The integer side runs where torch and Amaranth are not installed."""

import subprocess
import sys

MODULES = "hwgen.inputs, hwgen.quantize, hwgen.ir.evaluate, hwgen_sim.golden, hwgen_sim.fast"


def test_no_torch_and_no_amaranth():
    code = f"import sys, {MODULES}; sys.exit(any(m in sys.modules for m in ('torch', 'amaranth')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
