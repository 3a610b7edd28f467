"""The files of an AXI core besides its Verilog: description, constraints, script, README."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Shape
from amaranth.lib.wiring import In
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from hwgen_boards.axi_top import CORE, AxiCore
from hwgen_boards.boards import AxiBoard
from hwgen_rtl.axi_bus import WORD_BITS, stream_bits
from hwgen_rtl.axi_registers import ADDRESS_BITS, REGISTERS
from hwgen_rtl.link_protocol import Identity

__all__ = ["SOURCES", "core_files"]

SOURCES = (f"hdl/{CORE}.v", "hdl/top.v")
CONSTRAINTS = f"{CORE}_ooc.xdc"

_TEMPLATES = Environment(
    loader=PackageLoader("hwgen_boards"),
    autoescape=select_autoescape(["xml.j2"]),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
)
_VIVADO_FAMILIES = {"jtag": "artix7", "zynq7": "zynq", "zynqmp": "zynquplus"}


@dataclass(frozen=True, kw_only=True)
class _Port:
    """One port of the core's module; ``direction`` is "in" or "out"."""

    name: str
    direction: str
    bits: int


@dataclass(frozen=True, kw_only=True)
class _Bus:
    """Ports that belong together; ``ports`` maps the bus' names to the module's."""

    name: str
    kind: str
    role: str
    ports: dict[str, str]
    parameters: dict[str, int | str]


def core_files(
    core: AxiCore, identity: Identity, board: AxiBoard, name: str, clock_mhz: float
) -> dict[str, str]:
    """File name -> text, for the build called ``name``."""
    ports = list(_ports(core))
    i_bytes, o_bytes = (stream_bits(bits) // 8 for bits in (identity.i_bits, identity.o_bits))
    context = {
        "board": board,
        "buses": _buses(ports, i_bytes, o_bytes),
        "clock_mhz": clock_mhz,
        "constraints": CONSTRAINTS,
        "core": CORE,
        "i_bytes": i_bytes,
        "identity": identity,
        "o_bytes": o_bytes,
        "period_ns": 1e3 / clock_mhz,
        "ports": ports,
        "range": 1 << ADDRESS_BITS,
        "registers": REGISTERS,
        "sources": SOURCES,
        "title": f"{name}, a network by hwgen, for {board.title}",
        "vivado_family": _VIVADO_FAMILIES[board.shell],
    }
    files = ["component.xml", CONSTRAINTS, "vivado.tcl", "README.md"]
    files += ["board.xdc"] if board.shell == "jtag" else []
    return {file: _TEMPLATES.get_template(f"{file}.j2").render(context) for file in files}


def _ports(core: AxiCore) -> Iterator[_Port]:
    for name, member in core.signature.members.items():
        direction = "in" if member.flow is In else "out"
        yield _Port(name=name, direction=direction, bits=Shape.cast(member.shape).width)


def _buses(ports: list[_Port], i_bytes: int, o_bytes: int) -> list[_Bus]:
    lite: dict[str, Any] = {"PROTOCOL": "AXI4LITE", "DATA_WIDTH": WORD_BITS}
    lite |= {"ADDR_WIDTH": ADDRESS_BITS}
    return [
        _bus("S_AXIS", "axis", "slave", ports, {"TDATA_NUM_BYTES": i_bytes}),
        _bus("M_AXIS", "axis", "master", ports, {"TDATA_NUM_BYTES": o_bytes}),
        _bus("S_AXI_LITE", "aximm", "slave", ports, lite),
    ]


def _bus(name: str, kind: str, role: str, ports: list[_Port], parameters: dict[str, Any]) -> _Bus:
    prefix = f"{name.lower()}_"
    own = {
        port.name.removeprefix(prefix).upper(): port.name
        for port in ports
        if port.name.startswith(prefix)
    }
    return _Bus(name=name, kind=kind, role=role, ports=own, parameters=parameters)
