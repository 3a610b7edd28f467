"""Build a bench with Verilator: one set of objects, linked into a library and for cocotb.

The objects are compiled here and not by Verilator's makefiles: those name the compiler and the
archiver of the machine the package was made on, and lose the precompiled header of large models.
"""

import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from hwgen_sim.cosim.cache import cached, log_path
from hwgen_sim.cosim.harness import HARNESS, SYMBOLS
from hwgen_sim.cosim.tools import Verilator, compiler, find_verilator, run_tool

__all__ = ["Model", "build_model"]

# A burst is one evaluation for Verilator, which takes more rounds than this for a broken loop.
_CONVERGE_LIMIT = 1_000_000_000
_VERILATE = (
    *("--cc", "--vpi", "--prefix", "Vtop", "--top-module", "bench", "-O3"),
    *("--x-assign", "fast", "--converge-limit", str(_CONVERGE_LIMIT)),
    # Warnings would judge generated text; errors still end the run, and $fatal of a cell's model.
    *("-Wno-fatal", "-Wno-lint", "-Wno-style", "-Werror-USERFATAL"),
)
_TRACES = {
    "vcd": ("--trace-vcd",),
    # nets of any width and name, but no contents of memories
    "saif": (
        *("--trace-saif", "--trace-underscore"),
        *("--trace-max-width", "0", "--trace-max-array", "1"),
    ),
}
_COMPILE = ("-fPIC", "-fno-semantic-interposition", "-w")
_LEVEL = "-O1"
"""Of code that runs while cycles run: as fast as with -O2, and compiled in a third of the time."""
_JOBS = 2
_FAST_UNIT, _SLOW_UNIT = 1 << 20, 1 << 22
"""Bytes of C++ that are compiled at once, unless one source is larger."""


class Model:
    """A Verilated bench, compiled; the two ways to run it are linked when first asked for."""

    def __init__(self, folder: Path, tool: Verilator, trace: str):
        self._folder = folder
        self._tool = tool
        self._trace = trace
        self._runtime = _runtime(folder, tool)

    @property
    def library(self) -> Path:
        """Shared library with the functions of ``harness``."""
        parts = (self._folder.name, HARNESS, SYMBOLS)
        return cached("library", parts, self._link_library) / "bench.so"

    @property
    def executable(self) -> Path:
        """Program in which cocotb starts Python."""
        parts = (self._folder.name, version("cocotb"), str(_cocotb_libraries()))
        return cached("cocotb", parts, self._link_executable) / "bench"

    def _link_library(self, folder: Path) -> None:
        (folder / "harness.cpp").write_text(HARNESS)
        (folder / "symbols.map").write_text(SYMBOLS)
        self._link(
            folder / "harness.cpp",
            folder / "bench.so",
            ("-shared", f"-Wl,--version-script={folder / 'symbols.map'}"),
        )

    def _link_executable(self, folder: Path) -> None:
        import cocotb_tools.config

        libraries = _cocotb_libraries()
        main = Path(cocotb_tools.config.share_dir) / "lib" / "verilator" / "verilator.cpp"
        # cocotb's library finds the simulator's VPI functions in the program itself.
        cocotb = (f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-lcocotbvpi_verilator")
        self._link(main, folder / "bench", ("-Wl,--export-dynamic", *cocotb))

    def _link(self, source: Path, product: Path, options: tuple[str, ...]) -> None:
        objects = [*sorted(self._folder.glob("*.o")), *self._runtime]
        flags = (*_COMPILE, "-O2", *_defines(self._trace), *_includes(self._tool, self._folder))
        command = (compiler()[0], *flags, source, *objects, *options, "-lpthread", "-o", product)
        run_tool("The C++ linker", command, log_path(f"link-{product.name}-{os.getpid()}"))


def build_model(verilog: Path, bench: str, *, trace: str = "") -> Model:
    """Verilate and compile ``verilog`` with the text of its bench, or take it from the cache.

    ``trace`` is the kind of file that the model can write: "vcd", "saif" or none.
    """
    tool = find_verilator()
    options = (*_VERILATE, *_TRACES.get(trace, ()))
    parts = (verilog.read_bytes(), bench, _LEVEL, *options, *_flags(tool))

    def build(folder: Path) -> None:
        (folder / "bench.sv").write_text(bench)
        sources = (folder / "bench.sv", verilog.resolve())
        command = (tool.program, *options, "--Mdir", folder, *sources)
        run_tool("Verilator", command, log_path(folder.name), env=tool.environment)
        _compile_model(folder, tool, trace)

    return Model(cached("model", parts, build), tool, trace)


def _runtime(model: Path, tool: Verilator) -> list[Path]:
    """Objects of Verilator's own library; the same for every design, so they are built once."""
    include = tool.root / "include"
    listed = re.findall(r"\b(verilated\w*)\b", (model / "Vtop_classes.mk").read_text())
    names = {name for name in listed if (include / f"{name}.cpp").is_file()}
    sources = [include / f"{name}.cpp" for name in sorted(names)]
    with ThreadPoolExecutor(_JOBS) as pool:
        return list(pool.map(lambda source: _runtime_object(source, tool), sources))


def _runtime_object(source: Path, tool: Verilator) -> Path:
    # Only the first has code that runs while cycles run; the others are large and rarely called.
    level = _LEVEL if source.stem == "verilated" else "-O0"
    parts = (source.read_bytes(), level, *_flags(tool))
    folder = cached("runtime", parts, lambda folder: _compile(source, folder, tool, "", level))
    return folder / f"{source.stem}.o"


def _compile_model(folder: Path, tool: Verilator, trace: str) -> None:
    slow = set(folder.glob("*Slow.cpp"))
    fast = set(folder.glob("*.cpp")) - slow
    units = [(unit, _LEVEL) for unit in _units(fast, folder / "fast", _FAST_UNIT)]
    # Code that runs once (constructors, initial values) is large: compile it fast.
    units += [(unit, "-O0") for unit in _units(slow, folder / "slow", _SLOW_UNIT)]
    with ThreadPoolExecutor(_JOBS) as pool:
        list(pool.map(lambda unit: _compile(unit[0], folder, tool, trace, unit[1]), units))


def _units(sources: Iterable[Path], name: Path, size: int) -> list[Path]:
    """Files that include the sources, largest first; each unit reads Verilator's headers again."""
    units, room = [], 0
    for source in sorted(sources, key=lambda path: -path.stat().st_size):
        if room < source.stat().st_size or not units:
            units.append(name.with_name(f"{name.name}_{len(units)}.cpp"))
            units[-1].touch()
            room = size
        room -= source.stat().st_size
        with units[-1].open("a") as file:
            file.write(f'#include "{source.name}"\n')
    return units


def _compile(source: Path, folder: Path, tool: Verilator, trace: str, level: str) -> None:
    flags = (*_COMPILE, level, *_defines(trace), *_includes(tool, folder))
    command = (compiler()[0], *flags, "-c", source, "-o", folder / f"{source.stem}.o")
    run_tool("The C++ compiler", command, log_path(f"{folder.name}-{source.stem}"))


def _flags(tool: Verilator) -> tuple[str, ...]:
    return (tool.version, str(tool.root), *compiler(), *_COMPILE)


def _defines(trace: str) -> tuple[str, ...]:
    on = {"VM_TRACE": bool(trace)}
    on |= {f"VM_TRACE_{kind.upper()}": kind == trace for kind in ("vcd", "saif", "fst")}
    on |= dict.fromkeys(("VM_COVERAGE", "VM_SC", "VM_TIMING"), False)
    return ("-DVERILATOR=1", *(f"-D{name}={int(value)}" for name, value in on.items()))


def _includes(tool: Verilator, folder: Path) -> tuple[str, ...]:
    include = tool.root / "include"
    return (f"-I{folder}", f"-I{include}", f"-I{include / 'vltstd'}")


def _cocotb_libraries() -> Path:
    import cocotb_tools.config

    return Path(cocotb_tools.config.libs_dir)
