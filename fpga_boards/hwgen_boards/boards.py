"""Boards that can be targeted: one TOML file each, the pins from amaranth-boards."""

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module, resources
from typing import Any, ClassVar, Literal

from pydantic import PositiveFloat, PositiveInt, TypeAdapter

from hwgen.errors import InputError
from hwgen_boards.devices import Device, load_device, unknown_name
from hwgen_boards.subprocesses import require_package

__all__ = ["Board", "Header", "board_names", "load_board"]

Level = Literal["bitstream", "listed"]
"""``bitstream``: routed and packed here by the open tools, never run on the board itself;
``listed``: pins and device are known, no trained network was tried."""


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
        platform      : class of amaranth-boards, ``module:Class``
        chip          : name of the device
        oscillator_mhz: what the default clock pin gets
        clock_mhz     : what designs run at unless told otherwise
        baud          : bits per second of the serial port
        tested        : how far this board was tested
        serial        : where the port is, in words
        nextpnr       : arguments that name the chip to nextpnr where package or grade differ from
                        the device's
        pack          : further arguments of the packer
        header        : pins of the serial port where the board has none
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: str
    title: str
    chip: str
    platform: str
    oscillator_mhz: PositiveFloat
    clock_mhz: PositiveFloat
    tested: Level
    serial: str
    baud: PositiveInt = 115_200
    nextpnr: tuple[str, ...] = ()
    pack: tuple[str, ...] = ()
    header: Header | None = None

    @property
    def device(self) -> Device:
        """The chip as it sits on this board."""
        device = load_device(self.chip)
        return replace(
            device, nextpnr=self.nextpnr or device.nextpnr, pack=(*device.pack, *self.pack)
        )

    def create_platform(self) -> Any:
        """A fresh amaranth platform with a resource ``uart``; raises ToolMissing."""
        require_package("amaranth_boards", "amaranth-boards")
        module, _, name = self.platform.partition(":")
        platform = getattr(import_module(module), name)()
        if self.header:
            _wire_serial_port(platform, self.header)
        return platform

    def to_json(self) -> dict[str, Any]:
        """What ``hwgen boards`` shows."""
        return {
            "name": self.name,
            "title": self.title,
            "device": self.chip,
            "family": self.device.family,
            "lut": self.device.lut,
            "clock_mhz": self.clock_mhz,
            "baud": self.baud,
            "serial": self.serial,
            "tested": self.tested,
        }


_ADAPTER = TypeAdapter(Board)
_FOLDER = resources.files("hwgen_boards") / "boards"


@cache
def board_names() -> tuple[str, ...]:
    """Names of all boards."""
    names = [file.name for file in _FOLDER.iterdir() if file.name.endswith(".toml")]
    return tuple(sorted(name.removesuffix(".toml") for name in names))


@cache
def load_board(name: str) -> Board:
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
