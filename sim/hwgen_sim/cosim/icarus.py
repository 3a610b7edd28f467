"""Build a bench with Icarus Verilog, the second and slower simulator."""

from pathlib import Path

from hwgen_sim.cosim.cache import cached, log_path
from hwgen_sim.cosim.tools import find_icarus, run_tool

__all__ = ["icarus_command"]


def icarus_command(verilog: Path, bench: str) -> tuple[str | Path, ...]:
    """Compile the bench, or take it from the cache; returns the command that runs it."""
    tool = find_icarus()

    def build(folder: Path) -> None:
        (folder / "bench.sv").write_text(bench)
        output = ("-s", "bench", "-o", folder / "bench.vvp")
        command = (tool.iverilog, "-g2012", *output, folder / "bench.sv", verilog.resolve())
        run_tool("Icarus Verilog", command, log_path(folder.name))

    parts = (verilog.read_bytes(), bench, tool.version)
    program = cached("icarus", parts, build) / "bench.vvp"
    return (tool.vvp, "-m", _cocotb_library(), program)


def _cocotb_library() -> str:
    import cocotb_tools.config

    return cocotb_tools.config.lib_entry("vpi", "icarus")
