"""What every flow to a board begins with: a build whose Verilog its manifest describes."""

from collections.abc import Callable
from pathlib import Path

from hwgen.build import Build, open_build
from hwgen.emit.manifest import Manifest, load_manifest
from hwgen.errors import BuildError
from hwgen_boards.cache import file_digest

__all__ = ["Progress", "open_fresh"]

Progress = Callable[[str, float], None]
"""Told the name of a stage, and which share of it is done."""


def open_fresh(path: Path) -> tuple[Build, Manifest]:
    """The build at ``path``; raises BuildError where it is damaged or its files do not match."""
    build = open_build(path)
    manifest = load_manifest(build.manifest)
    if file_digest(build.verilog) != manifest.verilog_sha256:
        raise BuildError(
            f"{build.verilog} is not the Verilog that {build.manifest.name} describes; "
            "run 'hwgen compile' again."
        )
    return build, manifest
