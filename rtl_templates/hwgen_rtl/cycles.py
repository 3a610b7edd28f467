"""Exact cycle model: every transfer of every stream gets the cycle in which it happens.

Each block describes itself as one or two processes (generators) that post offers on links and take
them; a transfer happens in the first cycle in which the producer's ``valid`` and the consumer's
``ready`` are both high. Processes run in any order, because a time, once known, never changes: the
model costs a few microseconds a beat, whatever the number of cycles between beats.

Cycle 0 is the first one after reset.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field

__all__ = [
    "Blocked",
    "Link",
    "Process",
    "RigidPipeline",
    "Timeline",
    "run_processes",
    "sink",
    "source",
    "spaced",
    "stream_stage",
]

Process = Generator[None, None, None]


class Blocked(Exception):
    """No process can go on: the links whose offer nobody takes, as sentences."""


@dataclass(eq=False)
class Link:
    """One stream: when each beat was offered (valid rose) and taken (valid & ready)."""

    name: str = ""
    offered: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    closed: bool = False

    @property
    def waiting(self) -> bool:
        """Say whether a beat is offered and not yet taken."""
        return len(self.offered) > len(self.taken)

    def put(self, time: int) -> Generator[None, None, int]:
        """Offer a beat from ``time`` on; returns the cycle in which it is taken."""
        self.offered.append(time)
        while self.waiting:
            yield
        return self.taken[-1]

    def peek(self, meanwhile: Callable[[], None] = lambda: None) -> Generator[None, None, int]:
        """Wait for the next offer and return its time; -1 where no beat will come."""
        while not self.waiting:
            if self.closed:
                return -1
            meanwhile()
            if not self.waiting:
                yield
        return self.offered[-1]

    def take(self, time: int) -> None:
        """Accept the offered beat in cycle ``time``."""
        self.taken.append(time)


@dataclass(eq=False)
class Timeline:
    """A count that only grows, and the cycle in which it reached each value."""

    totals: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)

    def add(self, total: int, time: int) -> None:
        """Note that the count is ``total`` from ``time`` on."""
        self.totals.append(total)
        self.times.append(time)

    def reached(self, total: int) -> Generator[None, None, int]:
        """Wait until the count is at least ``total``; returns the cycle in which it became so."""
        while not self.totals or self.totals[-1] < total:
            yield
        return self.times[bisect_left(self.totals, total)]


class RigidPipeline:
    """A pipeline that stands still as a whole while its last stage is valid and not taken.

    Steps count the cycles in which it moves: what enters in step e is offered in step e + latency.
    """

    def __init__(self, o: Link):
        self._o = o
        self._exits: deque[int] = deque()
        self._resolved: deque[tuple[int, int]] = deque()
        self._posted = False
        self._stalls = 0
        self._last_stalls = 0

    def exit(self, step: int) -> None:
        """Something will be offered in ``step``."""
        self._exits.append(step)

    def pump(self) -> None:
        """Post the oldest offer and note what was taken, without waiting."""
        while self._exits:
            if not self._posted:
                self._o.offered.append(self._exits[0] + self._last_stalls)
                self._posted = True
            if self._o.waiting:
                return
            self._last_stalls = self._o.taken[-1] - self._exits[0]
            self._resolved.append((self._exits.popleft(), self._last_stalls))
            self._posted = False

    def time(self, step: int) -> Generator[None, None, int]:
        """Cycle in which ``step`` happens."""
        while True:
            self.pump()
            if self._resolved and self._resolved[0][0] <= step:
                self._stalls = self._resolved.popleft()[1]
            elif self._exits and self._exits[0] <= step:
                yield
            else:
                return step + self._stalls

    def step_at(self, step: int, earliest: int) -> Generator[None, None, int]:
        """First step, not before ``step``, that happens in cycle ``earliest`` or later."""
        while True:
            gap = earliest - (yield from self.time(step))
            if gap <= 0:
                return step
            step = min([step + gap, *self._next_exit()])

    def _next_exit(self) -> Sequence[int]:
        if self._resolved:
            return (self._resolved[0][0],)
        return (self._exits[0],) if self._exits else ()

    def drain(self) -> Process:
        """Wait until everything was taken, then close the stream."""
        if self._exits:
            yield from self.time(self._exits[-1])
        self._o.closed = True


def stream_stage(i: Link, o: Link, latency: int, emits: Callable[[int], bool]) -> Process:
    """A rigid pipeline that accepts a beat per cycle; beat n leaves one where ``emits(n)``."""
    pipeline, step, beat = RigidPipeline(o), 0, 0
    while (offer := (yield from i.peek(pipeline.pump))) >= 0:
        step = yield from pipeline.step_at(step, offer)
        i.take((yield from pipeline.time(step)))
        if emits(beat):
            pipeline.exit(step + latency)
        step, beat = step + 1, beat + 1
    yield from pipeline.drain()


def source(o: Link, beats: int, start: int) -> Process:
    """Offer ``beats`` beats, one per cycle at most, from cycle ``start`` on."""
    time = start
    for _ in range(beats):
        time = (yield from o.put(time)) + 1
    o.closed = True


def spaced(i: Link, o: Link, gap: int) -> Process:
    """Pass beats on, each at least ``gap`` cycles after the one before was taken."""
    time = 0
    while (offer := (yield from i.peek())) >= 0:
        taken = yield from o.put(max(time, offer))
        i.take(taken)
        time = taken + gap
    o.closed = True


def sink(i: Link) -> Process:
    """Take every beat at once."""
    while (time := (yield from i.peek())) >= 0:
        i.take(time)


def run_processes(processes: Sequence[Process], links: Sequence[Link]) -> None:
    """Run until every process has ended; raises Blocked where none can go on."""
    running: list[Iterator[None]] = list(processes)
    while running:
        before = _activity(links), len(running)
        running = [process for process in running if _resume(process)]
        if (_activity(links), len(running)) == before:
            raise Blocked("; ".join(_stuck(link) for link in links if link.waiting))


def _resume(process: Iterator[None]) -> bool:
    try:
        next(process)
    except StopIteration:
        return False
    return True


def _activity(links: Sequence[Link]) -> int:
    return sum(len(link.offered) + len(link.taken) for link in links)


def _stuck(link: Link) -> str:
    return f"{link.name}: beat {len(link.taken)} is offered and never taken"
