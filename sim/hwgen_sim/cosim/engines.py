"""The ways to run a built bench to its end; each returns the seconds spent in the simulator."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hwgen.errors import ToolMissing
from hwgen_sim.cosim.bench_library import BenchLibrary
from hwgen_sim.cosim.cache import log_path
from hwgen_sim.cosim.saif import Saif
from hwgen_sim.cosim.tools import run_tool
from hwgen_sim.cosim.waves import Waves

__all__ = ["BURST", "cocotb_environment", "libpython", "run_cocotb", "run_library"]

BURST = 100_000
"""Clock edges per call: Python wakes a few times per second, and Ctrl-C still works."""


def run_library(
    library: Path, plusargs: Sequence[str], record: Waves | Saif | None = None
) -> float:
    """Run the bench inside this process, through ctypes."""
    bench = BenchLibrary(library, plusargs)
    start = time.perf_counter()
    try:
        if isinstance(record, Saif):
            _count(bench, record)
            return time.perf_counter() - start
        if record:
            _trace(bench, record)
        while not bench.run(BURST):
            pass
        return time.perf_counter() - start
    finally:
        bench.close()


def run_cocotb(command: Sequence[str | Path], plusargs: Sequence[str], folder: Path) -> float:
    """Run the bench in a simulator process with cocotb in it."""
    seconds = folder / "seconds.txt"
    env = {
        **cocotb_environment("hwgen_sim.cosim.cocotb_entry"),
        "HWGEN_BURST": str(BURST),
        "HWGEN_SECONDS": str(seconds),
        "COCOTB_RESULTS_FILE": str(folder / "results.xml"),
    }
    log = log_path(f"cocotb-{folder.name}")
    # The program ends with 0 also where Python in it raised.
    run_tool("The simulation", (*command, *plusargs), log, cwd=folder, env=env, product=seconds)
    return float(seconds.read_text())


def _trace(bench: BenchLibrary, waves: Waves) -> None:
    while bench.cycle < waves.first:
        if bench.run(min(BURST, 2 * (waves.first - bench.cycle))):
            return
    bench.trace(waves.path, 2 * (waves.last - waves.first + 1))


def _count(bench: BenchLibrary, saif: Saif) -> None:
    while bench.cycle < saif.first:
        bench.run(min(BURST, 2 * (saif.first - bench.cycle)))
    bench.saif(saif.start, saif.run)


def libpython() -> str | None:
    """The shared Python library that cocotb loads into the simulator, or None."""
    import find_libpython

    return find_libpython.find_libpython()


def cocotb_environment(tests: str) -> dict[str, str]:
    """Environment of a simulator that runs the cocotb tests of the Python module ``tests``."""
    import cocotb_tools.config

    library = libpython()
    if library is None:
        raise ToolMissing(
            "The Python library is not installed; run: apt-get install libpython3-dev"
        )
    return {
        **os.environ,
        "GPI_USERS": f"{library};{cocotb_tools.config.pygpi_entry_point()}",
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "COCOTB_TEST_MODULES": tests,
        "COCOTB_TOPLEVEL": "bench",
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "TOPLEVEL_LANG": "verilog",
        "COCOTB_LOG_LEVEL": "WARNING",
    }
