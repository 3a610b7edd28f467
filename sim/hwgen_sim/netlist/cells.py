"""Simulation models of FPGA cells: those that come with Yosys, and ours where it has none."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hwgen.errors import InputError, ToolMissing

__all__ = ["FAMILIES", "cell_models"]


@dataclass(frozen=True)
class _Sources:
    """Files with a family's models.

    Parameters:
        ours  : in the folder ``cells``; what they model, they model in place of Yosys
        yosys : below its folder ``share``
    """

    ours: tuple[str, ...]
    yosys: tuple[str, ...]


_XILINX = _Sources(("block_ram.v", "xilinx.v"), ("xilinx/cells_sim.v",))

FAMILIES: Mapping[str, _Sources] = {
    # not cells_sim.v itself, whose other files model pins as tri-state wires
    "ecp5": _Sources(("block_ram.v", "ecp5.v"), ("ecp5/common_sim.vh", "ecp5/ccu2c_sim.vh")),
    "ice40": _Sources((), ("ice40/cells_sim.v",)),
    "gowin": _Sources(("block_ram.v", "gowin.v"), ("gowin/cells_sim.v",)),
    "nexus": _Sources(("block_ram.v", "nexus.v"), ("nexus/cells_sim.v",)),
    "xc7": _XILINX,
    "xcup": _XILINX,
}

_OURS = Path(__file__).with_name("cells")

_UNWANTED = tuple(
    re.compile(pattern, re.DOTALL | re.MULTILINE)
    for pattern in (
        r"//[^\n]*|/\*.*?\*/",
        r"\(\*(?!\)).*?\*\)",  # attributes, not @(*)
        r"^`include \"cells_.*?$",  # further models
    )
)
_INCLUDE = re.compile(r"^`include \"(.*?)\"", re.MULTILINE)
_DELAYS = re.compile(r"\bspecify\b.*?\bendspecify\b", re.DOTALL)
_MODULE = re.compile(r"\bmodule\s+\\?([^\s#(;]+).*?\bendmodule\b", re.DOTALL)
_BEHAVIOUR = re.compile(r"\b(assign|always|MUX2)\b|\.\w+\s*\(")  # or an instance of a model


def cell_models(family: str, used: Collection[str]) -> str:
    """Verilog with a model of every cell in ``used``; raises InputError where one is missing."""
    if family not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise InputError(f"Netlists of {family} cannot be simulated; choose a device of {known}.")
    sources = FAMILIES[family]
    paths = [_OURS / name for name in sources.ours] + [_share() / name for name in sources.yosys]
    texts = [_plain(path) for path in paths]
    models: dict[str, str] = {}
    for text in texts:
        models |= {m[1]: m[0] for m in _MODULE.finditer(text) if m[1] not in models}
    absent = sorted(set(used) - models.keys())
    if absent:
        raise InputError(
            f"The netlist holds {', '.join(absent)}, of which there is no simulation model; choose"
            " a device of another family."
        )
    return "\n".join([*(_MODULE.sub("", text) for text in texts), *_needed(models, used)])


def _needed(models: Mapping[str, str], used: Collection[str]) -> list[str]:
    """The models of ``used`` and of what they consist of."""
    found: set[str] = set()
    waiting = set(used)
    while waiting:
        found |= waiting
        words = {word for name in waiting for word in re.findall(r"\w+", models[name])}
        waiting = words & models.keys() - found
    return [models[name] for name in sorted(found)]


def _share() -> Path:
    spec = find_spec("pyosys")
    if spec is None or spec.origin is None:
        raise ToolMissing("pyosys is not installed; run: pip install pyosys")
    return Path(spec.origin).parent / "share"


def _plain(path: Path) -> str:
    """A file without comments, attributes, and cells that only have ports and delays."""
    text = path.read_text()
    for unwanted in _UNWANTED:
        text = unwanted.sub("", text)
    text = _INCLUDE.sub(lambda include: path.with_name(include[1]).read_text(), text)
    return _MODULE.sub(lambda module: module[0] if _behaves(module[0]) else "", text)


def _behaves(module: str) -> bool:
    return _BEHAVIOUR.search(_DELAYS.sub("", module)) is not None
