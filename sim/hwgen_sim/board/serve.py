"""A build as a simulated board, for whoever opens its port."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hwgen.build import open_build
from hwgen.emit.identity import identity_of
from hwgen.emit.manifest import load_manifest
from hwgen_sim.board.faults import Faults
from hwgen_sim.board.simulated import simulated_board

__all__ = ["serve_build"]


def serve_build(path: Path, noise: float, announce: Callable[[str, str], None]) -> None:
    """Simulate the build's Verilog behind its host link, until an interrupt.

    Parameters:
        noise    : share of bytes that the line loses, and as many that it changes
        announce : is told the port's name and the build as the board will give it
    """
    build = open_build(path)
    manifest = load_manifest(build.manifest)
    faults = Faults(drop=noise, corrupt=noise)
    with simulated_board(build.verilog, manifest, faults=faults) as board:
        announce(board.port, f"{identity_of(manifest).build:016x}")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
