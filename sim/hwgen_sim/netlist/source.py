"""The netlist of a build, from the package that knows devices."""

from importlib.metadata import entry_points
from pathlib import Path

from hwgen.errors import InputError

__all__ = ["find_netlist"]


def find_netlist(build: Path, device: str, folder: Path) -> tuple[Path, str]:
    """Yosys JSON of a build's netlist for ``device``, and the device's family.

    It is the netlist that ``hwgen synth`` counts and routes; ``folder`` receives it. Raises
    HwgenError.
    """
    for plugin in entry_points(group="hwgen.netlists"):
        return plugin.load()(build, device, folder)
    raise InputError("Nothing is installed that synthesizes; install hwgen again.")
