"""Toggle counts from SAIF files, as Verilator writes them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from hwgen_sim.cosim import Saif

__all__ = ["Toggles", "read_toggles"]

Toggles = Mapping[str, Mapping[tuple[str, int], int]]
"""Path of an instance, its levels apart by a slash -> (net, bit) -> toggles."""

_INSTANCE = re.compile(r"\s*\(INSTANCE (\S+)$")
_NETS = re.compile(r"\s*\(NET$")
_END = re.compile(r"\s*\)$")
_BIT = re.compile(r"\s*\((.+?)(?:\\\[(\d+)\\\])? \(T0 .*\(TC (\d+)\)\)$")


def read_toggles(files: Saif) -> Toggles:
    """Toggles of every bit of every net in a run; see `Saif` for its two files.

    A net that several instances name is listed in each of them.
    """
    start = {path: dict(nets) for path, nets in _read(files.start)}
    return {
        path: {bit: count - start[path][bit] for bit, count in nets}
        for path, nets in ((path, list(nets)) for path, nets in _read(files.run))
    }


def _read(path: Path) -> Iterator[tuple[str, list[tuple[tuple[str, int], int]]]]:
    """Each instance that has nets, and these."""
    levels: list[str] = []
    found: list[tuple[tuple[str, int], int]] = []
    inside_nets = False
    with path.open() as lines:
        for line in lines:
            if bit := _BIT.match(line):
                found.append(((bit[1], int(bit[2] or 0)), int(bit[3])))
            elif instance := _INSTANCE.match(line):
                levels.append(instance[1])
            elif _NETS.match(line):
                inside_nets = True
            elif _END.match(line) and inside_nets:
                yield "/".join(levels), found
                found, inside_nets = [], False
            elif _END.match(line) and levels:
                levels.pop()
