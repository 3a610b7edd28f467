"""Boards that can be targeted: one TOML file each; pins, where needed, from amaranth-boards."""

import math
import tomllib
from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module, resources
from typing import Any, ClassVar, Literal

from pydantic import PositiveFloat, PositiveInt, TypeAdapter

from hwgen.errors import InputError
from hwgen_boards.devices import Device, load_device, unknown_name
from hwgen_boards.subprocesses import require_package

__all__ = ["AxiBoard", "Board", "Header", "SerialBoard", "board_names", "load_board"]

Level = Literal["bitstream", "core", "listed"]
"""``bitstream``: routed and packed here by the open tools, never run on the board itself;
``core``: a core for the vendor's tools, simulated here and synthesized for the board's device by
Yosys, never placed and routed; ``listed``: pins and device are known, no trained network was
tried."""

Shell = Literal["jtag", "zynq7", "zynqmp"]
"""What is around an AXI core on a board: a bridge from JTAG, or the processors of the device."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """Where a serial port is wired on a board without one: a connector and its pin names."""

    connector: str
    number: int
    rx: str
    tx: str
    standard: str


@dataclass(frozen=True, kw_only=True)
class Board:
    """One board.

    Parameters:
        chip      : name of the device
        clock_mhz : what designs run at unless told otherwise
        tested    : how far this board was tested
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: str
    title: str
    chip: str
    clock_mhz: PositiveFloat
    tested: Level

    @property
    def device(self) -> Device:
        """The chip as it sits on this board."""
        return load_device(self.chip)

    @property
    @abstractmethod
    def link(self) -> str:
        """What a design is behind."""

    @property
    @abstractmethod
    def connection(self) -> str:
        """How a host reaches it, in words."""

    def chosen_clock(self, asked_mhz: float | None) -> float:
        """The clock, in MHz: what was asked for or else the board's; raises InputError."""
        wanted = self.clock_mhz if asked_mhz is None else asked_mhz
        if not 0 < wanted < math.inf:
            raise InputError(f"--clock must be above 0 MHz, not {wanted:g}.")
        return wanted

    def to_json(self) -> dict[str, Any]:
        """What ``hwgen boards`` shows."""
        return {
            "name": self.name,
            "title": self.title,
            "device": self.chip,
            "family": self.device.family,
            "lut": self.device.lut,
            "clock_mhz": self.clock_mhz,
            "connection": self.connection,
            "tested": self.tested,
        }


@dataclass(frozen=True, kw_only=True)
class SerialBoard(Board):
    """A board for which open tools make a bitstream, with a host link on its serial port.

    Parameters:
        platform      : class of amaranth-boards, ``module:Class``
        oscillator_mhz: what the default clock pin gets
        baud          : bits per second of the serial port
        serial        : where the port is, in words
        nextpnr       : arguments that name the chip to nextpnr where package or grade differ from
                        the device's
        pack          : further arguments of the packer
        header        : pins of the serial port where the board has none
    """

    platform: str
    oscillator_mhz: PositiveFloat
    serial: str
    baud: PositiveInt = 115_200
    nextpnr: tuple[str, ...] = ()
    pack: tuple[str, ...] = ()
    header: Header | None = None

    @property
    def device(self) -> Device:
        device = load_device(self.chip)
        return replace(
            device, nextpnr=self.nextpnr or device.nextpnr, pack=(*device.pack, *self.pack)
        )

    @property
    def link(self) -> str:
        return "host link"

    @property
    def connection(self) -> str:
        return self.serial

    def create_platform(self) -> Any:
        """A fresh amaranth platform with a resource ``uart``; raises ToolMissing."""
        require_package("amaranth_boards", "amaranth-boards")
        module, _, name = self.platform.partition(":")
        platform = getattr(import_module(module), name)()
        if self.header:
            _wire_serial_port(platform, self.header)
        return platform

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | {"baud": self.baud}


@dataclass(frozen=True, kw_only=True)
class AxiBoard(Board):
    """A board for which the vendor's tools make a bitstream from an AXI core.

    Parameters:
        part       : what the vendor's tools call the device, with package and speed grade
        board_part : what they call the board, without its version
        oscillator_mhz, oscillator_pin, oscillator_standard : where the shell is "jtag", which gets
                     no clock from processors
    """

    part: str
    board_part: str
    shell: Shell
    oscillator_mhz: PositiveFloat | None = None
    oscillator_pin: str = ""
    oscillator_standard: str = ""

    @property
    def link(self) -> str:
        return "AXI link"

    @property
    def connection(self) -> str:
        return "AXI4-Stream and AXI4-Lite"

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | {"part": self.part}


_ADAPTER: TypeAdapter[SerialBoard | AxiBoard] = TypeAdapter(SerialBoard | AxiBoard)
_FOLDER = resources.files("hwgen_boards") / "boards"


@cache
def board_names() -> tuple[str, ...]:
    """Names of all boards."""
    names = [file.name for file in _FOLDER.iterdir() if file.name.endswith(".toml")]
    return tuple(sorted(name.removesuffix(".toml") for name in names))


@cache
def load_board(name: str) -> SerialBoard | AxiBoard:
    """Read one board; raises InputError with the nearest names where there is no such board."""
    if name.lower() not in board_names():
        raise InputError(unknown_name("board", name, board_names()))
    text = (_FOLDER / f"{name.lower()}.toml").read_text()
    return _ADAPTER.validate_python(tomllib.loads(text))


def _wire_serial_port(platform: Any, header: Header) -> None:
    from amaranth.build import Attrs
    from amaranth_boards.resources import UARTResource

    where = (header.connector, header.number)
    attributes = Attrs(IO_TYPE=header.standard)
    port = UARTResource(0, rx=header.rx, tx=header.tx, conn=where, attrs=attributes)
    platform.add_resources([port])
