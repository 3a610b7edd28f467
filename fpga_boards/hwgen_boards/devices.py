"""FPGA devices that can be targeted: one TOML file each."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any, ClassVar

from pydantic import NonNegativeInt, PositiveInt, TypeAdapter

from hwgen.errors import InputError

__all__ = ["Device", "device_names", "load_device", "unknown_name"]


@dataclass(frozen=True, kw_only=True)
class Device:
    """What one FPGA offers.

    Parameters:
        family    : key of ``families.FAMILIES``, where its tools are
        lut       : LUT sites, of which carry chains and distributed RAM may also take some; they
                    have four inputs, on Xilinx six
        ff        : flip-flops
        carry     : carry cells
        bram      : block RAMs of ``bram_bits`` bits
        dsp       : multipliers of 16x16 bits or more
        pads      : I/O pads of the die or of the package
        synth     : options of the family's synthesis for this device
        nextpnr   : arguments that name device, package and speed grade to nextpnr; none where there
                    is no open place and route
        pack      : arguments that name the device to the packer
        pins      : package pins that place and route may use where it does not choose any itself
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
    dsp: NonNegativeInt
    pads: PositiveInt
    source: str
    synth: str = ""
    nextpnr: tuple[str, ...] = ()
    pack: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()

    @property
    def fabric(self) -> str:
        """Key of hwgen.schedule.fabric.FABRICS: iCE40 devices differ in whether they multiply."""
        return "ice40up" if self.family == "ice40" and self.dsp else self.family

    @property
    def larger(self) -> "tuple[Device, ...]":
        """Devices of the same fabric that have more LUT sites, smallest first."""
        others = (load_device(name) for name in device_names())
        more = (other for other in others if other.fabric == self.fabric and other.lut > self.lut)
        return tuple(sorted(more, key=lambda other: (other.lut, other.name)))


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
        raise InputError(unknown_name("device", name, device_names()))
    text = (_FOLDER / f"{name.lower()}.toml").read_text()
    return _ADAPTER.validate_python(tomllib.loads(text))


def unknown_name(kind: str, name: str, known: Sequence[str]) -> str:
    """Sentence that refuses the name of a ``kind`` of thing and offers what is there."""
    nearest = get_close_matches(name.lower(), known, n=2, cutoff=0.5)
    if nearest:
        return f"There is no {kind} {name!r}; did you mean {' or '.join(nearest)}?"
    return f"There is no {kind} {name!r}; the {kind}s are {', '.join(known)}."
