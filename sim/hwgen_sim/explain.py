"""Turn the first mismatch into what a person needs: where, when, and how to see it again."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from hwgen.emit.beats import beat_of
from hwgen.emit.manifest import Manifest, Stream
from hwgen_sim.compare import Mismatch
from hwgen_sim.cosim import SimResult, Waves

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A mismatch, the cycle its beat was transferred in, and the command that repeats it."""

    mismatch: Mismatch
    cycle: int
    command: str

    def __str__(self) -> str:
        return f"{self.mismatch} It left the node in cycle {self.cycle}. Run again: {self.command}"

    def waves(self, path: Path, *, before: int = 200, after: int = 20) -> Waves:
        """Window of that many cycles around the mismatch, to give to ``simulate``."""
        return Waves(path, max(0, self.cycle - before), self.cycle + after)


def explain(
    mismatch: Mismatch,
    result: SimResult,
    manifest: Manifest,
    *,
    build: Path,
    inputs: Path,
    netlist: str | None = None,
) -> Explanation:
    """Explain a mismatch of ``result``.

    ``build`` and ``inputs`` are paths for the command, ``netlist`` the device whose netlist ran.
    """
    beat = beat_of(mismatch.index, _stream(mismatch.node, manifest))
    cycle = int(result.transfers[mismatch.node][mismatch.image, beat])
    return Explanation(mismatch, cycle, _command(mismatch, result, build, inputs, netlist))


def _stream(node: str, manifest: Manifest) -> Stream:
    streams = (*manifest.nodes, manifest.output)
    return next(stream for stream in streams if stream.node == node)


def _command(
    mismatch: Mismatch, result: SimResult, build: Path, inputs: Path, netlist: str | None
) -> str:
    simulator = result.simulator.split()[0]
    words = ["hwgen", "verify", str(build), "--inputs", str(inputs)]
    words += ["--count", str(mismatch.image + 1), "--simulator", simulator]
    if netlist:
        words += ["--netlist", netlist]
    if result.stalls:
        words += ["--stalls", str(result.stalls)]
    return shlex.join(words)
