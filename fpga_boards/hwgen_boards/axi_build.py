"""The AXI core of a build for a board of Xilinx: ``9-axi-core``, whole or not at all."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hwgen.build import staged_folder
from hwgen.emit.identity import identity_of
from hwgen.emit.verilog import rtlil_of, verilog_of
from hwgen.errors import InputError
from hwgen_boards.axi_files import SOURCES, core_files
from hwgen_boards.axi_top import CORE, AxiCore
from hwgen_boards.board_fit import require_board_fit
from hwgen_boards.board_top import DESIGN
from hwgen_boards.boards import AxiBoard
from hwgen_boards.cache import file_digest
from hwgen_boards.fit import utilization
from hwgen_boards.fresh import Progress, open_fresh
from hwgen_boards.structures import structured
from hwgen_boards.synth import Synthesis, synthesize
from hwgen_rtl.axi_bus import stream_bits
from hwgen_rtl.link_protocol import Identity

__all__ = ["WIDEST", "build_axi_core"]

WIDEST = 1024
"""TDATA bits of the vendor's DMA engine at most."""


def build_axi_core(
    build: Path, board: AxiBoard, clock_mhz: float | None, progress: Progress
) -> dict[str, Any]:
    """Write the core of a build and synthesize it; returns the document ``9-axi-core.json``.

    ``9-axi-core`` holds all that the vendor's tools need and the document. Raises HwgenError.
    """
    opened, manifest = open_fresh(build)
    identity = identity_of(manifest)
    clock = board.chosen_clock(clock_mhz)
    _require_width(identity, board)
    core = AxiCore(identity)
    progress("synthesize", 0.0)
    rtlil = rtlil_of(core, CORE)
    synthesis = _synthesize(rtlil, opened.verilog, board, opened.root / "8-synth" / board.name)
    require_board_fit(synthesis.total, board)
    with staged_folder(opened.axi_core) as folder:
        texts = core_files(core, identity, board, manifest.name, clock)
        texts[SOURCES[0]] = verilog_of(rtlil)
        (folder / SOURCES[0]).parent.mkdir()
        for name, text in texts.items():
            (folder / name).write_text(text)
        design = structured(opened.verilog.read_text(), board.device.family)
        (folder / SOURCES[1]).write_text(design)
        hashes = {name: file_digest(folder / name) for name in sorted([*texts, SOURCES[1]])}
        document = _document(board, clock, synthesis, hashes)
        (folder / "9-axi-core.json").write_text(json.dumps(document, indent=1) + "\n")
    return document


def _require_width(identity: Identity, board: AxiBoard) -> None:
    for stream, bits in (("input", identity.i_bits), ("output", identity.o_bits)):
        if stream_bits(bits) > WIDEST:
            raise InputError(
                f"A beat of the {stream} must have at most {WIDEST} bits for {board.name}, not "
                f"{bits}; fold the design further (more target cycles)."
            )


def _synthesize(rtlil: str, verilog: Path, board: AxiBoard, workdir: Path) -> Synthesis:
    workdir.mkdir(parents=True, exist_ok=True)
    wrapper = workdir / f"{CORE}.il"
    wrapper.write_text(rtlil)
    instances = {DESIGN: DESIGN}
    return synthesize(verilog, instances, board.device, workdir, top=CORE, wrapper=wrapper)


def _document(
    board: AxiBoard, clock_mhz: float, synthesis: Synthesis, hashes: dict[str, str]
) -> dict[str, Any]:
    return {
        "board": board.name,
        "device": board.chip,
        "part": board.part,
        "level": "core",
        "placed_and_routed": False,
        "clock_mhz": {"asked": clock_mhz, "reached": None},
        "synthesized": {
            "design": asdict(synthesis.nodes[DESIGN]),
            "link": asdict(synthesis.glue),
        },
        "utilization": utilization(synthesis.total, board.device),
        "uncounted": list(synthesis.uncounted),
        "sha256": hashes,
        "versions": dict(synthesis.versions),
    }
