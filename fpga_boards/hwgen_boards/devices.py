"""FPGA devices that can be targeted: one TOML file each."""

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any, ClassVar

from pydantic import PositiveInt, TypeAdapter

from hwgen.errors import InputError

__all__ = ["Device", "device_names", "load_device"]


@dataclass(frozen=True, kw_only=True)
class Device:
    """What one FPGA offers.

    Parameters:
        lut       : four-input LUT sites, of which carry chains and distributed RAM also take some
        ff        : flip-flops
        carry     : two-bit carry cells
        bram      : block RAMs of ``bram_bits`` bits
        dsp       : 18x18-bit multipliers
        pads      : I/O pads of the die; a package may bond out fewer
        package   : package that place and route assumes
        speed     : speed grade that place and route assumes
        nextpnr   : the flag that names this device to nextpnr
        source    : where the figures come from
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: str
    family: str
    lut: PositiveInt
    ff: PositiveInt
    carry: PositiveInt
    bram: PositiveInt
    bram_bits: PositiveInt
    dsp: PositiveInt
    pads: PositiveInt
    package: str
    speed: PositiveInt
    nextpnr: str
    source: str


_ADAPTER = TypeAdapter(Device)
_FOLDER = resources.files("hwgen_boards") / "devices"


@cache
def device_names() -> tuple[str, ...]:
    """Names of all devices, smallest first within a family."""
    names = [file.name for file in _FOLDER.iterdir() if file.name.endswith(".toml")]
    return tuple(sorted(name.removesuffix(".toml") for name in names))


@cache
def load_device(name: str) -> Device:
    """Read one device; raises InputError with the nearest names where there is no such device."""
    if name.lower() not in device_names():
        raise InputError(_unknown(name))
    text = (_FOLDER / f"{name.lower()}.toml").read_text()
    return _ADAPTER.validate_python(tomllib.loads(text))


def _unknown(name: str) -> str:
    nearest = get_close_matches(name.lower(), device_names(), n=2, cutoff=0.5)
    if nearest:
        return f"There is no device {name!r}; did you mean {' or '.join(nearest)}?"
    return f"There is no device {name!r}; the devices are {', '.join(device_names())}."
