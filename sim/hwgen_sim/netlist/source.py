"""The netlist of a build, from the package that knows devices."""

from pathlib import Path

from hwgen_sim.registered import registered

__all__ = ["find_netlist"]


def find_netlist(build: Path, device: str, folder: Path) -> tuple[Path, str]:
    """Yosys JSON of a build's netlist for ``device``, and the device's family.

    It is the netlist that ``hwgen synth`` counts and routes; ``folder`` receives it. Raises
    HwgenError.
    """
    return registered("hwgen.netlists", "synthesizes")(build, device, folder)
