"""The netlist of a build, for whoever simulates it."""

from pathlib import Path

from hwgen.build import open_build
from hwgen.emit.manifest import load_manifest
from hwgen_boards.devices import load_device
from hwgen_boards.synth import synthesize
from hwgen_boards.synth_build import node_instances

__all__ = ["netlist_of"]


def netlist_of(build: Path, device: str, folder: Path) -> tuple[Path, str]:
    """Yosys JSON of a build's netlist, left in ``folder``, and the family of its device.

    What ``hwgen synth --device`` counted and routed before comes from the cache. Raises HwgenError.
    """
    target = load_device(device)
    opened = open_build(build)
    instances = node_instances(load_manifest(opened.manifest))
    return synthesize(opened.verilog, instances, target, folder).netlist, target.family
