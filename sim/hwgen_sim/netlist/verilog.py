"""A netlist as Verilog that a simulator can run."""

import json
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hwgen_sim.cosim.cache import cached, log_path
from hwgen_sim.cosim.tools import run_tool
from hwgen_sim.netlist.cells import cell_models

__all__ = ["netlist_verilog"]

_READ = "read_json netlist.json; delete */t:$scopeinfo"
_INNER = "c:* top/c:* %d"
_SHORT = f"rename -hide w:* {_INNER} %u; rename -enumerate -pattern n% w:*"
_SHORT += f"; rename -enumerate -pattern c% {_INNER}"
_WRITE = "write_verilog -noattr netlist.v"
_UNTRACED = "/*verilator tracing_off*/"
"""What is inside a cell is no net of the design."""
_JOB = "from pyosys import libyosys; libyosys.run_pass('script job.ys')"


def netlist_verilog(netlist: Path, family: str, short: bool = False) -> Path:
    """Verilog of a netlist (Yosys JSON) and of its cells, kept by content.

    Instances, cells and the contents of memories stay as they are. Beside it are its two halves,
    ``netlist.v`` and ``cells.v``. With ``short``, nets inside of modules are called n0, n1, and
    so on, and cells below the top c0, c1: Verilator 5.048 cannot trace names that are very long.
    Raises InputError for a cell without a model, ToolFailed, ToolMissing.
    """
    data = netlist.read_bytes()
    used = set(_cells(json.loads(data)["modules"], "top"))
    models = f"{_UNTRACED}\n{cell_models(family, used)}"
    script = "\n".join([_READ, *([_SHORT] if short else []), _WRITE])
    parts = (data, models, script, version("pyosys"))
    return cached("netlist", parts, lambda at: _write(at, data, models, script)) / "top.v"


def _cells(modules: Mapping[str, Any], name: str) -> Iterator[str]:
    """Types of the cells in a module and below it, as far as they are the family's."""
    for cell in modules[name]["cells"].values():
        kind = cell["type"]
        if kind == "$scopeinfo":
            continue
        if _is_design(modules.get(kind)):
            yield from _cells(modules, kind)
        else:
            yield kind


def _is_design(module: Mapping[str, Any] | None) -> bool:
    return module is not None and not {"blackbox", "whitebox"} & module["attributes"].keys()


def _write(folder: Path, data: bytes, models: str, script: str) -> None:
    (folder / "netlist.json").write_bytes(data)
    (folder / "job.ys").write_text(script)
    product = folder / "netlist.v"
    command = (sys.executable, "-c", _JOB)
    run_tool("Yosys", command, log_path(folder.name), cwd=folder, product=product)
    (folder / "cells.v").write_text(models)
    (folder / "top.v").write_text(f"{product.read_text()}\n{models}")
