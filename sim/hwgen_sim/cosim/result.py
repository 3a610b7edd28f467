"""What a simulation gives back, read from the files that the bench wrote."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.emit.beats import payload_words, unpack_beats
from hwgen.emit.manifest import JoinInput, Stream
from hwgen.errors import CheckFailed
from hwgen_sim.cosim.bench import Probe
from hwgen_sim.cosim.blame import blame

__all__ = ["Capture", "SimResult", "read_capture"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimResult:
    """Integers and cycles of one run.

    Parameters:
        arrays          : (N, *shape) integers per observed node, the input left out
        transfers       : (N, beats) cycle of each beat per observed node
        cycles          : clock cycles from the end of reset to the end of the run
        latency_cycles  : first input beat to last output beat of image 0
        interval_cycles : between the last output beats of the last two images; 0 for one image
        seconds         : wall-clock time inside the simulator, without the build
        simulator       : program and engine that ran it
        stalls          : seed of the random stalls, 0 for none
    """

    arrays: dict[str, NDArray[np.int64]]
    transfers: dict[str, NDArray[np.int64]]
    cycles: int
    latency_cycles: int
    interval_cycles: int
    seconds: float
    simulator: str
    stalls: int


@dataclass(frozen=True, slots=True)
class Capture:
    """Integers and transfer cycles of every observed node, and the length of the run."""

    arrays: dict[str, NDArray[np.int64]]
    transfers: dict[str, NDArray[np.int64]]
    cycles: int


def read_capture(
    folder: Path, observed: tuple[Probe, ...], joins: tuple[JoinInput, ...], images: int
) -> Capture:
    """Read the files of a run; raises CheckFailed where beats are missing or too many."""
    first, *states = (folder / "report.txt").read_text().splitlines()
    cycles, complete = (int(word) for word in first.split())
    if not complete:
        told = _deadlock(cycles, observed, states[: len(observed)], images)
        blamed = blame(joins, states[len(observed) :])
        raise CheckFailed("\n".join([told, *blamed]))
    arrays, transfers = {}, {}
    for k, probe in enumerate(observed):
        node, beats = probe.stream.node, images * probe.stream.beats
        words = np.fromfile(folder / f"{k}.bin", dtype="<u8").reshape(-1, _record_words(probe))
        if len(words) > beats:
            raise CheckFailed(_surplus(probe.stream, words, images))
        if probe.captured:
            arrays[node] = unpack_beats(words[:, 1:], probe.stream)
        transfers[node] = words[:, 0].astype(np.int64).reshape(images, -1)
    return Capture(arrays, transfers, cycles)


def _record_words(probe: Probe) -> int:
    return 1 + (payload_words(probe.stream) if probe.captured else 0)


def _surplus(stream: Stream, words: NDArray[np.uint64], images: int) -> str:
    beats = images * stream.beats
    return (
        f"{stream.node} sent more than the {beats} beats of {images} image(s): the first surplus "
        f"beat came in cycle {words[beats, 0]}."
    )


def _deadlock(cycles: int, observed: tuple[Probe, ...], states: list[str], images: int) -> str:
    lines = [f"The design stopped: no beat moved any more before cycle {cycles}."]
    for probe, state in zip(observed, states, strict=True):
        valid, ready, left = (int(word) for word in state.split())
        total = images * probe.stream.beats
        what = "done" if left == 0 else _STATES[valid, ready]
        lines.append(f"  {probe.stream.node}: {total - left} of {total} beats, {what}")
    return "\n".join(lines)


_STATES = {
    (0, 0): "neither side is willing (valid 0, ready 0)",
    (0, 1): "starving: its receiver waits (valid 0, ready 1)",
    (1, 0): "blocked: its receiver is not ready (valid 1, ready 0)",
    (1, 1): "moving",
}
