"""Whether a design fits a device, and by how much it does not."""

from collections.abc import Iterator
from dataclasses import dataclass

from hwgen.errors import InputError
from hwgen_boards.devices import Device, device_names, load_device
from hwgen_boards.resources import Resources

__all__ = ["Overflow", "overflows", "require_fit", "utilization"]

_JUDGED = ("lut", "ff", "carry", "bram", "dsp")


@dataclass(frozen=True, kw_only=True)
class Overflow:
    """One resource that a design needs more of than the device has."""

    resource: str
    needed: int
    available: int

    def __str__(self) -> str:
        missing = self.needed - self.available
        return f"{self.needed} {self.resource.upper()} of {self.available} ({missing} too many)"


def utilization(resources: Resources, device: Device) -> dict[str, dict[str, int]]:
    """Resource -> how many are used and how many the device has."""
    return {
        name: {"used": getattr(resources, name), "available": getattr(device, name)}
        for name in _JUDGED
    }


def overflows(resources: Resources, device: Device) -> tuple[Overflow, ...]:
    """Every resource of which the design needs more than the device has."""
    rows = utilization(resources, device)
    return tuple(
        Overflow(resource=name, needed=row["used"], available=row["available"])
        for name, row in rows.items()
        if row["used"] > row["available"]
    )


def require_fit(resources: Resources, device: Device) -> None:
    """Raise InputError that names what overflows, by how much, and a device that would do."""
    found = overflows(resources, device)
    if found:
        needs = "; ".join(str(overflow) for overflow in found)
        raise InputError(
            f"The design does not fit {device.name}: it needs {needs}; "
            f"{_remedy(resources, device)}."
        )


def _remedy(resources: Resources, device: Device) -> str:
    larger = next(_devices_that_fit(resources, device.family), None)
    fewer = "fold it further (more target cycles)"
    return (
        f"use {larger} or {fewer}"
        if larger
        else f"no device of its family is large enough, so {fewer}"
    )


def _devices_that_fit(resources: Resources, family: str) -> Iterator[str]:
    # another family has other cells, so its count is not known
    devices = sorted((load_device(name) for name in device_names()), key=lambda d: d.lut)
    same = (device for device in devices if device.family == family)
    return (device.name for device in same if not overflows(resources, device))
