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

_SCRIPT = """
read_json netlist.json
delete */t:$scopeinfo
write_verilog -noattr netlist.v
"""
_JOB = "from pyosys import libyosys; libyosys.run_pass('script job.ys')"


def netlist_verilog(netlist: Path, family: str) -> Path:
    """Verilog of a netlist (Yosys JSON) and of its cells, kept by content.

    Instances, cells and the contents of memories stay as they are. Raises InputError for a cell
    without a model, ToolFailed, ToolMissing.
    """
    data = netlist.read_bytes()
    models = cell_models(family, set(_cells(json.loads(data)["modules"], "top")))
    parts = (data, models, _SCRIPT, version("pyosys"))
    return cached("netlist", parts, lambda folder: _write(folder, data, models)) / "top.v"


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


def _write(folder: Path, data: bytes, models: str) -> None:
    (folder / "netlist.json").write_bytes(data)
    (folder / "job.ys").write_text(_SCRIPT)
    product = folder / "netlist.v"
    command = (sys.executable, "-c", _JOB)
    run_tool("Yosys", command, log_path(folder.name), cwd=folder, product=product)
    (folder / "top.v").write_text(f"{product.read_text()}\n{models}")
