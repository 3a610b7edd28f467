"""Exact cycles of a chain of units, from the cycle model of their blocks."""

from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.schedule.plan import Unit
from hwgen_rtl.cycles import Link, run_processes, sink, source

__all__ = ["Prediction", "predict"]

IMAGES = 5
"""Images that are followed; the last two intervals must agree."""
SETTLE = 8
"""Cycles from the last transfer of padding until no register changes any more."""
IDLE = 1 << 24
"""Cycle of the first input: late enough that all leading padding was sent before."""


@dataclass(frozen=True)
class Prediction:
    """Exact cycles of a few images sent back to back.

    Parameters:
        settled  : cycles after reset until the design is idle, its leading padding sent ahead
        finished : from the first input beat of an idle design to the last output beat of each image
    """

    settled: int
    finished: tuple[int, ...]

    @property
    def latency(self) -> int:
        """First input beat to last output beat of the first image, cycles."""
        return self.finished[0]

    @property
    def interval(self) -> int:
        """Cycles between the last two images."""
        return self.finished[-1] - self.finished[-2]


def predict(units: Sequence[Unit], input_beats: int, output_beats: int) -> Prediction:
    """Follow a few images, sent back to back and taken at once."""
    blocks = [
        (f"{unit.name}.{stage.name}", stage.params) for unit in units for stage in unit.stages
    ]
    links = [Link("i"), *(Link(name) for name, _ in blocks)]
    processes = [source(links[0], IMAGES * input_beats, IDLE), sink(links[-1])]
    for (_, params), i, o in zip(blocks, links, links[1:], strict=False):
        processes += params.processes(i, o)
    run_processes(processes, links)
    start, ends = links[0].taken[0], links[-1].taken[output_beats - 1 :: output_beats]
    early = [time for link in links for time in link.taken if time < IDLE]
    return Prediction(max(early, default=-SETTLE) + SETTLE, tuple(end - start for end in ends))
