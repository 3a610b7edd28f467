"""A board that is a simulation: its serial port is a pseudo-terminal.

with simulated_board(verilog, manifest) as board, Host(board.port, manifest=manifest) as host:
    outputs = host.run(integers)
"""

import os
import select
import sys
import tempfile
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]  (no stub)

from hwgen.emit.identity import identity_of
from hwgen.emit.manifest import Manifest
from hwgen.errors import BuildError
from hwgen_rtl.link import HostLinkParams
from hwgen_sim.board.bench import board_bench
from hwgen_sim.board.faults import Faults, Line
from hwgen_sim.cosim.bench_library import BenchLibrary
from hwgen_sim.cosim.cache import cached, log_path
from hwgen_sim.cosim.tools import run_tool
from hwgen_sim.cosim.verilated import build_model

__all__ = ["SimulatedBoard", "simulated_board"]

_EDGES = 2000  # per call of the simulator
_LINGER = 0.05  # seconds that the clock goes on after the last byte
_ARRIVING, _SENT = 64, 4096  # bytes at a time; no more arrive than the simulation takes


@contextmanager
def simulated_board(
    verilog: Path, manifest: Manifest, *, faults: Faults | None = None, pace: int = 9
) -> Iterator["SimulatedBoard"]:
    """Run the design of ``verilog`` behind a host link, until the block ends.

    Parameters:
        faults : what the line does to bytes; None for a good one
        pace   : clock cycles between bytes, in each direction
    """
    if not verilog.is_file():
        raise BuildError(f"{verilog} is missing; run 'hwgen compile' again.")
    library = _build(verilog, manifest)
    with ExitStack() as stack:
        board = SimulatedBoard(library, faults or Faults(), pace, stack)
        thread = threading.Thread(target=board.run, name="simulated board", daemon=True)
        thread.start()
        try:
            yield board
        finally:
            board.stop()
            thread.join()


class SimulatedBoard:
    """Clock of the simulation, and the bytes between it and a pseudo-terminal."""

    def __init__(self, library: Path, faults: Faults, pace: int, stack: ExitStack):
        self._terminal, slave = _terminal(stack)
        self.port = os.ttyname(slave)
        """Name of the serial port."""
        self._lines = Line(faults, "in"), Line(faults, "out")
        design_rx, self._to_design = _pipe(stack)
        self._from_design, design_tx = _pipe(stack)
        words = [f"+rx={design_rx}", f"+tx={design_tx}", f"+pace={pace}"]
        self._bench = BenchLibrary(library, [*words, "+verilator+rand+reset+2"])
        stack.callback(self._bench.close)
        self._stopping = threading.Event()

    @property
    def faults(self) -> int:
        """How many faults have happened so far."""
        return sum(line.happened for line in self._lines)

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping.set()

    def run(self) -> None:
        """Clock and bytes, until `stop`; without bytes for a while the clock stands still."""
        incoming, outgoing = self._lines
        awake = 0.0
        while not self._stopping.is_set():
            now = time.monotonic()
            idle = now > awake
            arrived = _read(self._terminal, _ARRIVING, _LINGER if idle else 0)
            incoming.push(arrived, now)
            os.write(self._to_design, incoming.pull(now))
            self._bench.run(_EDGES)
            sent = _read(self._from_design, _SENT)
            outgoing.push(sent, now)
            _give(self._terminal, outgoing.pull(now))
            if arrived or sent:
                awake = now + _LINGER


def _build(verilog: Path, manifest: Manifest) -> Path:
    """The simulator of this design and its link."""
    link = _link_verilog(HostLinkParams.of(identity_of(manifest)))
    with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
        both = Path(folder) / "board.v"
        both.write_bytes(verilog.read_bytes() + link.read_bytes())
        return build_model(both, board_bench(manifest)).library


def _link_verilog(params: HostLinkParams) -> Path:
    text = rtlil.convert(params.create(), name="host_link", emit_src=False)
    job = (
        "from pyosys import libyosys; "
        "libyosys.run_pass('read_rtlil link.il; proc; memory_collect; write_verilog link.v')"
    )

    def build(folder: Path) -> None:
        (folder / "link.il").write_text(text)
        command = (sys.executable, "-c", job)
        log = log_path(folder.name)
        run_tool("Yosys", command, log, cwd=folder, product=folder / "link.v")

    return cached("link", (text, job), build) / "link.v"


def _terminal(stack: ExitStack) -> tuple[int, int]:
    master, slave = os.openpty()
    for end in (master, slave):
        stack.callback(os.close, end)
    # Kept open, or the port would hang up when its last reader closes it.
    tty.setraw(slave)
    os.set_blocking(master, False)
    return master, slave


def _pipe(stack: ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        stack.callback(os.close, end)
    os.set_blocking(ends[0], False)
    return ends


def _read(file: int, most: int, timeout: float = 0) -> bytes:
    readable, _, _ = select.select([file], [], [], timeout)
    return os.read(file, most) if readable else b""


def _give(terminal: int, data: bytes) -> None:
    # Where nobody reads, bytes are lost, as on a wire.
    with suppress(BlockingIOError):
        os.write(terminal, data)
