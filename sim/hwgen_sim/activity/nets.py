"""What drives each net of a design: every bit once, in the module that drives it.

A SAIF file lists a net in every instance whose port it passes. Here Yosys says where it is driven,
and by what; aliases and ports are not driven, so nothing is counted twice.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hwgen_sim.cosim.cache import cached, log_path
from hwgen_sim.cosim.tools import run_tool

__all__ = ["KINDS", "Net", "Nets", "netlist_nets", "rtl_nets"]

KINDS = ("register", "memory", "logic", "inner")
"""Flip-flops; registers behind a memory's read port, and its read data in a netlist; operators or
LUTs; and those of them that end in data inputs of flip-flops alone, so that they stay in a cell."""

_RTL = """
read_verilog top.v
hierarchy -top top
proc
opt_dff
opt_clean
opt_dff
opt_clean
write_json nets.json
"""
# Enables and resets become inputs of the flip-flops, as they are in hardware: the first opt_dff
# finds resets, the second the enables behind them.
_NETLIST = """
read_verilog -lib cells.v
read_verilog netlist.v
hierarchy -top top
write_json nets.json
"""
_JOB = "from pyosys import libyosys; libyosys.run_pass('script job.ys')"

# What memories hold does not matter here, and Yosys takes minutes to read it.
_CONTENT = re.compile(r"^ +\S+ ?\[\d+\] = \d+'s?[hdb][0-9a-fx]+;\n", re.MULTILINE)

_REGISTER = re.compile(r"\$\w*dff\w*|TRELLIS_FF|SB_DFF\w*|DFF\w*|FD1P3\w*|FD[RSCP]E(_1)?")
_MEMORY = re.compile(
    r"\$mem\w*|TRELLIS_DPR\w*|\w*DP16K\w*|PDP\w*|SB_RAM\w*|RAM\w*|R?SDP\w*|DPR?\w*"
)
_CARRY = {"CCU2C": "COUT", "SB_CARRY": "CO", "ALU": "COUT", "CCU2": "COUT"}
_CARRY |= {"CARRY4": "CO", "CARRY8": "CO"}


@dataclass(frozen=True, slots=True)
class Net:
    """One bit that a module drives; ``kind`` is one of ``KINDS``."""

    kind: str
    name: str
    bit: int


@dataclass(frozen=True)
class Nets:
    """Of each module, the bits that it drives itself, and the modules of its instances."""

    driven: Mapping[str, tuple[Net, ...]]
    instances: Mapping[str, Mapping[str, str]]

    def placed(self, module: str = "top", path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        """Paths of all instances from ``module`` down, its own first."""
        yield path
        for name, kind in self.instances[module].items():
            yield from self.placed(kind, (*path, name))

    def module_at(self, path: tuple[str, ...]) -> str:
        """Module of the instance at ``path`` below the top."""
        module = "top"
        for name in path:
            module = self.instances[module][name]
        return module


def rtl_nets(verilog: Path) -> Nets:
    """Nets of what ``hwgen compile`` wrote: registers, and operators that have a name."""
    text = _CONTENT.sub("", verilog.read_text())
    return _nets(_RTL, {"top.v": text})


def netlist_nets(folder: Path) -> Nets:
    """Nets of a netlist, of which ``netlist_verilog`` left the parts in ``folder``."""
    names = ("netlist.v", "cells.v")
    return _nets(_NETLIST, {name: (folder / name).read_text() for name in names})


def _nets(script: str, sources: Mapping[str, str]) -> Nets:
    def build(folder: Path) -> None:
        for name, text in sources.items():
            (folder / name).write_text(text)
        (folder / "job.ys").write_text(script)
        product = folder / "nets.json"
        command = (sys.executable, "-c", _JOB)
        run_tool("Yosys", command, log_path(folder.name), cwd=folder, product=product)

    folder = cached("nets", (script, *sources.values(), version("pyosys")), build)
    modules = json.loads((folder / "nets.json").read_bytes())["modules"]
    inner = {name: module for name, module in modules.items() if not _is_cell(name, modules)}
    return Nets(
        driven={name: tuple(_driven(module, modules)) for name, module in inner.items()},
        instances={
            name: {
                _plain(cell): found["type"]
                for cell, found in module["cells"].items()
                if not _is_cell(found["type"], modules)
            }
            for name, module in inner.items()
        },
    )


def _is_cell(kind: str, modules: Mapping[str, Any]) -> bool:
    return kind not in modules or "blackbox" in modules[kind]["attributes"]


def _plain(name: str) -> str:
    """A name as a simulator has it; Yosys marks public names that start with a dollar sign."""
    return name.removeprefix("\\")


def _driven(module: Mapping[str, Any], modules: Mapping[str, Any]) -> Iterator[Net]:
    """The named bits that cells of a module drive; a nameless one is inside an expression."""
    names = _names(module)
    cells = [cell for cell in module["cells"].values() if _is_cell(cell["type"], modules)]
    read = {bit for cell in cells if cell["type"] == "$memrd" for bit in _bits(cell, "output")}
    inner = _inner(module, cells)
    for cell in cells:
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] != "output" or _CARRY.get(cell["type"]) == port:
                continue
            for place, bit in enumerate(bits):
                if bit in names:
                    yield Net(_kind(cell, place, bit, read, inner), *names[bit])


def _kind(cell: Mapping[str, Any], place: int, bit: int, read: set[int], inner: set[int]) -> str:
    if _REGISTER.fullmatch(cell["type"]):
        data = cell["connections"].get("D", ())
        return "memory" if place < len(data) and data[place] in read else "register"
    if _MEMORY.fullmatch(cell["type"]):
        return "memory"
    return "inner" if bit in inner else "logic"


def _names(module: Mapping[str, Any]) -> dict[int, tuple[str, int]]:
    """Bit -> the first of its names, and its place in that; constants are none."""
    found: dict[int, tuple[str, int]] = {}
    for name, net in module["netnames"].items():
        if not net["hide_name"]:
            for place, bit in enumerate(net["bits"]):
                found.setdefault(bit, (_plain(name), place))
    return found


def _inner(module: Mapping[str, Any], cells: list[Any]) -> set[int]:
    """Bits that one flip-flop's data input reads and nothing else."""
    readers: Counter[Any] = Counter()
    data: Counter[Any] = Counter()
    for cell in module["cells"].values():
        readers.update(_bits(cell, "input"))
    for port in module["ports"].values():
        if port["direction"] == "output":
            readers.update(port["bits"])
    for cell in cells:
        if _REGISTER.fullmatch(cell["type"]):
            data.update(bit for name in ("D", "DI") for bit in cell["connections"].get(name, ()))
    return {bit for bit, count in data.items() if count == readers[bit] == 1}


def _bits(cell: Mapping[str, Any], direction: str) -> Iterator[Any]:
    for port, bits in cell["connections"].items():
        if cell["port_directions"][port] == direction:
            yield from bits
