"""Simulation models of FPGA cells: those that come with Yosys, and ours where it has none."""

import re
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path

from hwgen.errors import InputError, ToolMissing

__all__ = ["FAMILIES", "cell_models"]

FAMILIES = {
    # not cells_sim.v itself, whose other files model pins as tri-state wires
    "ecp5": ("ecp5/common_sim.vh", "ecp5/ccu2c_sim.vh"),
    "ice40": ("ice40/cells_sim.v",),
    "gowin": ("gowin/cells_sim.v",),
    "xc7": ("xilinx/cells_sim.v",),
}
"""Files below Yosys' ``share`` folder with the models of each family."""

_OURS = Path(__file__).with_name("cells")

_UNWANTED = tuple(
    re.compile(pattern, re.DOTALL | re.MULTILINE)
    for pattern in (
        r"//[^\n]*|/\*.*?\*/",
        r"\(\*(?!\)).*?\*\)",  # attributes, not @(*)
        r"^`include .*?$",
    )
)
_DELAYS = re.compile(r"\bspecify\b.*?\bendspecify\b", re.DOTALL)
_MODULE = re.compile(r"\bmodule\s+\\?([^\s#(;]+).*?\bendmodule\b", re.DOTALL)
_BEHAVIOUR = re.compile(r"\b(assign|always|MUX2)\b|\.\w+\s*\(")  # or an instance of a model


def cell_models(family: str, used: Collection[str]) -> str:
    """Verilog with a model of every cell in ``used``; raises InputError where one is missing."""
    if family not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise InputError(f"Netlists of {family} cannot be simulated; choose a device of {known}.")
    ours = _OURS / f"{family}.v"
    texts = [_plain(ours.read_text())] if ours.is_file() else []
    texts += [_plain((_share() / name).read_text()) for name in FAMILIES[family]]
    models = {name for text in texts for name in _MODULE.findall(text)}
    absent = sorted(set(used) - models)
    if absent:
        raise InputError(
            f"The netlist holds {', '.join(absent)}, of which there is no simulation model; choose"
            " a device of another family."
        )
    return "\n".join(texts)


def _share() -> Path:
    spec = find_spec("pyosys")
    if spec is None or spec.origin is None:
        raise ToolMissing("pyosys is not installed; run: pip install pyosys")
    return Path(spec.origin).parent / "share"


def _plain(text: str) -> str:
    """Models alone: without comments, attributes, and cells that only have ports and delays."""
    for unwanted in _UNWANTED:
        text = unwanted.sub("", text)
    return _MODULE.sub(lambda module: module[0] if _behaves(module[0]) else "", text)


def _behaves(module: str) -> bool:
    return _BEHAVIOUR.search(_DELAYS.sub("", module)) is not None
