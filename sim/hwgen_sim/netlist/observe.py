"""Which streams of a design a netlist still has."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from hwgen.emit.manifest import Manifest, Stream

__all__ = ["observable"]


def observable(manifest: Manifest, netlist: Path) -> Manifest:
    """``manifest`` with the streams that ``netlist`` (Yosys JSON) still carries whole.

    Synthesis keeps each node's module; blocks inside it are gone, and so are bits of its output
    that no other node needs.
    """
    modules = json.loads(netlist.read_bytes())["modules"]
    nodes = tuple(stream for stream in manifest.nodes if _carried(stream, modules))
    return replace(manifest, nodes=nodes, joins=())


def _carried(stream: Stream, modules: dict[str, Any]) -> bool:
    cell = modules["top"]["cells"].get(stream.instance)
    if cell is None:
        return False
    ports = modules[cell["type"]]["ports"]
    driven = _driven(modules[cell["type"]])
    return all(
        bit in driven for name in ("payload", "valid") for bit in ports[f"o__{name}"]["bits"]
    )


def _driven(module: dict[str, Any]) -> set[Any]:
    """Bits that a constant, an input or a cell's output drives; "x" is none of them."""
    inputs = (port["bits"] for port in module["ports"].values() if port["direction"] == "input")
    outputs = (
        bits
        for cell in module["cells"].values()
        for name, bits in cell["connections"].items()
        if cell["port_directions"][name] == "output"
    )
    return {"0", "1", *(bit for bits in (*inputs, *outputs) for bit in bits)}
