"""Exact cycles of a design, from the cycle model of its blocks."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hwgen.schedule.plan import Stage, Unit
from hwgen.schedule.streams import OUTPUT, QUEUE, Reader, readers
from hwgen_rtl.cycles import Link, Process, run_processes, sink, source, spaced
from hwgen_rtl.fork import ForkParams

__all__ = ["Prediction", "predict"]

IMAGES = 5
"""Images that are followed; the last two intervals must agree."""
SPREAD_IMAGES = 2
"""Images that are followed beat by beat: one, and the change to the next one."""
SETTLE = 8
"""Cycles from the last transfer of padding until no register changes any more."""
IDLE = 1 << 24
"""Cycle of the first input: late enough that all leading padding was sent before."""
APART = 1 << 24
"""Cycles in which everything that a beat causes has happened."""


@dataclass(frozen=True)
class Prediction:
    """Exact cycles of a few images sent back to back.

    Parameters:
        settled   : cycles after reset until the design is idle, its leading padding sent ahead
        finished  : from the first input beat of an idle design to the last output beat of each
        occupancy : most beats that waited at once in the queue of each reader that has one
    """

    settled: int
    finished: tuple[int, ...]
    occupancy: dict[Reader, int] = field(default_factory=dict)

    @property
    def latency(self) -> int:
        """First input beat to last output beat of the first image, cycles."""
        return self.finished[0]

    @property
    def interval(self) -> int:
        """Cycles between the last two images."""
        return self.finished[-1] - self.finished[-2]


def predict(
    units: Sequence[Unit],
    forks: Mapping[str, ForkParams],
    input_name: str,
    input_beats: int,
    output_beats: int,
    spread: bool = False,
) -> Prediction:
    """Follow a few images, sent back to back and taken at once; raises cycles.Blocked.

    With ``spread``, each fork waits before every beat until what the one before caused has come to
    rest. A pipeline that stands still then holds one beat, with bubbles behind it, and not as many
    as it has stages: the least that stalls, which may come at any time, leave it.
    """
    model = _Model(units, forks, input_name, spread)
    images = SPREAD_IMAGES if spread else IMAGES
    model.processes += [source(model.start, images * input_beats, IDLE), sink(model.end)]
    run_processes(model.processes, model.links)
    start, ends = model.start.taken[0], model.end.taken[output_beats - 1 :: output_beats]
    early = [time for link in model.links for time in link.taken if time < IDLE]
    return Prediction(
        max(early, default=-SETTLE) + SETTLE,
        tuple(end - start for end in ends),
        {reader: _most_waiting(*ends) for reader, ends in model.queues.items()},
    )


class _Model:
    """Processes and links of all units and forks."""

    def __init__(
        self,
        units: Sequence[Unit],
        forks: Mapping[str, ForkParams],
        input_name: str,
        spread: bool,
    ):
        self.links: list[Link] = []
        self.processes: list[Process] = []
        self.queues: dict[Reader, tuple[Link, Link]] = {}
        self._incoming: dict[Reader, Link] = {}
        self._readers, self._forks = readers(units), forks
        # a beat of one fork may cause many beats of the next one
        self._gap = APART ** len(forks) if spread else 0
        self.start = self._link(input_name)
        self._give(input_name, self.start)
        for unit in units:
            self._add(unit)
        self.end = self._incoming[Reader(OUTPUT)]

    def _link(self, name: str) -> Link:
        self.links.append(Link(name))
        return self.links[-1]

    def _add(self, unit: Unit) -> None:
        ends = []
        for port, row in enumerate(unit.inputs):
            reader = Reader(unit.name, port)
            first = self._incoming[reader]
            after = [self._link(f"{unit.name}.{port}.{stage.name}") for stage in row]
            ends.append(self._chain(row, first, after))
            if row and row[0].name == QUEUE:
                self.queues[reader] = first, after[0]
        stages, link = list(unit.stages), ends[0]
        if len(ends) > 1:
            join = stages.pop(0)
            link = self._link(f"{unit.name}.{join.name}")
            self.processes += join.params.processes(ends, link)
        after = [self._link(f"{unit.name}.{stage.name}") for stage in stages]
        self._give(unit.name, self._chain(stages, link, after))

    def _chain(self, stages: Sequence[Stage], i: Link, after: Sequence[Link]) -> Link:
        for stage, o in zip(stages, after, strict=True):
            self.processes += stage.params.processes(i, o)
            i = o
        return i

    def _give(self, name: str, link: Link) -> None:
        group = self._readers[name]
        if len(group) == 1:
            self._incoming[group[0]] = link
            return
        if self._gap:
            given, link = link, self._link(f"{name}.spread")
            self.processes.append(spaced(given, link, self._gap))
            self._gap //= APART
        outputs = [self._link(f"{name}.fork.{n}") for n in range(len(group))]
        self._incoming |= dict(zip(group, outputs, strict=True))
        self.processes += self._forks[name].processes(link, outputs)


def _most_waiting(i: Link, o: Link) -> int:
    """Most beats between two links: taken from the one and not yet from the other."""
    return max((n + 1 - bisect_left(o.taken, time) for n, time in enumerate(i.taken)), default=0)
