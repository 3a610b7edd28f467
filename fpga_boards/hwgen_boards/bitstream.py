"""The bitstream of a build for a board: ``9-bitstream``, whole or not at all."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hwgen.build import staged_folder
from hwgen.emit.manifest import Manifest
from hwgen.errors import CheckFailed, InputError
from hwgen_boards.axi_build import build_axi_core
from hwgen_boards.board_fit import require_board_fit
from hwgen_boards.board_top import DESIGN, BoardTop, link_params
from hwgen_boards.boards import AxiBoard, SerialBoard, load_board
from hwgen_boards.cache import file_digest
from hwgen_boards.critical_path import delay_by_block
from hwgen_boards.devices import Device
from hwgen_boards.families import FAMILIES, Packer
from hwgen_boards.fresh import Progress, open_fresh
from hwgen_boards.pll import PLLS, Settings
from hwgen_boards.route import Routing, require_router, route
from hwgen_boards.subprocesses import run_logged, tool_version
from hwgen_boards.synth import Synthesis, synthesize
from hwgen_rtl.uart import UartParams

__all__ = ["build_bitstream", "clock_settings", "write_board"]

TOP = "board"
SEED = 1


def build_bitstream(
    build: Path,
    board_name: str,
    clock_mhz: float | None = None,
    seed: int | None = None,
    progress: Progress = lambda stage, fraction: None,
) -> dict[str, Any]:
    """Synthesize, route and pack a build; returns the document ``9-bitstream.json``.

    ``9-bitstream`` holds the bitstream, the document, nextpnr's report and log, and the pins.
    For a board that only the vendor's tools can route it is a core in ``9-axi-core``, as
    `build_axi_core` makes it. Raises HwgenError; a clock that is not met is a CheckFailed.
    """
    board = load_board(board_name)
    if isinstance(board, AxiBoard):
        _refuse_seed(board, seed)
        return build_axi_core(build, board, clock_mhz, progress)
    opened, manifest = open_fresh(build)
    packer = _require_packer(board.device)
    settings = clock_settings(board, clock_mhz)
    # logs of a flow that fails stay here
    workdir = opened.root / "8-synth" / board.name
    flow = _Flow(board, manifest, settings, workdir, SEED if seed is None else seed, progress)
    synthesis = flow.synthesize(opened.verilog)
    routing = flow.route(synthesis)
    with staged_folder(opened.bitstream) as folder:
        document = flow.pack(packer, synthesis, routing, folder)
        (folder / "9-bitstream.json").write_text(json.dumps(document, indent=1) + "\n")
    return document


def _refuse_seed(board: AxiBoard, seed: int | None) -> None:
    if seed is not None:
        raise InputError(
            f"--seed must be left out for {board.name}, which is not placed here, not {seed}."
        )


def clock_settings(board: SerialBoard, clock_mhz: float | None) -> Settings | None:
    """What the board's PLL must do for a clock; None where the oscillator gives it already."""
    wanted = board.chosen_clock(clock_mhz)
    if wanted == board.oscillator_mhz:
        return None
    return PLLS[board.device.family].nearest(board.oscillator_mhz, wanted)


def write_board(
    board: SerialBoard, manifest: Manifest, settings: Settings | None, folder: Path
) -> tuple[Path, Path]:
    """Write the RTLIL of the board's top module and its pin constraints; returns both paths."""
    clock_mhz = settings.output_mhz if settings else board.oscillator_mhz
    uart = UartParams(round(clock_mhz * 1e6 / board.baud))
    platform = board.create_platform()
    top = BoardTop(board, settings, uart, link_params(manifest))
    plan = platform.prepare(top, name=TOP, emit_src=False)
    router = require_router(board.device)
    paths = folder / f"{TOP}.il", folder / f"{TOP}.{router.suffix}"
    for path in paths:
        text = plan.files[path.name]
        path.write_text(text if isinstance(text, str) else text.decode())
    return paths


def _require_packer(device: Device) -> Packer:
    require_router(device)
    packer = FAMILIES[device.family].packer
    assert packer, f"boards need a packer for {device.family}"
    packer.tool.require()
    return packer


@dataclass(frozen=True)
class _Flow:
    """The steps, whose files and logs are in ``workdir``."""

    board: SerialBoard
    manifest: Manifest
    settings: Settings | None
    workdir: Path
    seed: int
    progress: Progress

    @property
    def clock_mhz(self) -> float:
        return self.settings.output_mhz if self.settings else self.board.oscillator_mhz

    def synthesize(self, verilog: Path) -> Synthesis:
        self.progress("synthesize", 0.0)
        self.workdir.mkdir(parents=True, exist_ok=True)
        top, _ = write_board(self.board, self.manifest, self.settings, self.workdir)
        instances = {DESIGN: DESIGN}
        synthesis = synthesize(
            verilog, instances, self.board.device, self.workdir, top=TOP, wrapper=top
        )
        require_board_fit(synthesis.total, self.board)
        return synthesis

    def route(self, synthesis: Synthesis) -> Routing:
        self.progress("place and route", 0.0)
        routing = route(
            synthesis.netlist,
            self.board.device,
            self.workdir,
            seed=self.seed,
            target_mhz=round(self.clock_mhz, 6),
            constraints=self._pins,
        )
        _require_clock(routing, self.clock_mhz, self.board)
        return routing

    def pack(
        self, packer: Packer, synthesis: Synthesis, routing: Routing, folder: Path
    ) -> dict[str, Any]:
        self.progress("pack", 0.0)
        assert routing.placed
        shutil.copyfile(routing.placed, self.workdir / routing.placed.name)
        names = {"placed": routing.placed.name, "bitstream": packer.bitstream}
        arguments = [argument.format(**names) for argument in packer.arguments]
        command = packer.tool.command([*self.board.device.pack, *arguments])
        run_logged(packer.tool.script, command, self.workdir, self.workdir / "pack.log")
        for path in (self.workdir / packer.bitstream, self._pins, routing.report, routing.log):
            shutil.copyfile(path, folder / path.name)
        return self._document(packer, synthesis, routing)

    @property
    def _pins(self) -> Path:
        return self.workdir / f"{TOP}.{require_router(self.board.device).suffix}"

    def _document(self, packer: Packer, synthesis: Synthesis, routing: Routing) -> dict[str, Any]:
        package = packer.tool.distribution
        return {
            "board": self.board.name,
            "device": self.board.chip,
            "level": "bitstream",
            "bitstream": packer.bitstream,
            "bitstream_sha256": file_digest(self.workdir / packer.bitstream),
            "verilog_sha256": self.manifest.verilog_sha256,
            "clock_mhz": {"asked": round(self.clock_mhz, 4), "reached": routing.clock_mhz},
            "baud": self.board.baud,
            "seed": self.seed,
            "synthesized": {
                "design": asdict(synthesis.nodes[DESIGN]),
                "board": asdict(synthesis.glue),
            },
            "utilization": {cell: asdict(use) for cell, use in routing.utilization.items()},
            "critical_path_ns": delay_by_block(routing.critical_path, DESIGN),
            "versions": {
                **synthesis.versions,
                **routing.versions,
                package: tool_version(package),
                "amaranth-boards": tool_version("amaranth-boards"),
            },
        }


def _require_clock(routing: Routing, wanted_mhz: float, board: SerialBoard) -> None:
    reached = routing.clock_mhz
    if reached is None or reached >= wanted_mhz:
        return
    blocks = list(delay_by_block(routing.critical_path, DESIGN).items())[:3]
    path = ", ".join(f"{name or 'the top module'} ({delay:.1f} ns)" for name, delay in blocks)
    raise CheckFailed(
        f"{board.name} reaches {reached:g} MHz and not the {wanted_mhz:g} MHz asked for; the "
        f"longest path runs through {path}: give a lower --clock or another --seed, or compile "
        "with more --target-cycles."
    )
