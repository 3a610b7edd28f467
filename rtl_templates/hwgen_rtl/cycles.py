"""Exact cycle model: every transfer of every stream gets the cycle in which it happens.

Each block says how it moves as a `Timing`, beside its hardware; the functions here that make one
are all the kinds there are. A transfer happens in each cycle in which the producer's ``valid`` and
the consumer's ``ready`` are both high, as in the hardware. `hwgen_rtl.cycle_steps` goes from cycle
to cycle; it costs about 10 ns for each block that moves in a cycle, and nothing where none does.

Cycle 0 is the first one after reset.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from hwgen_rtl.cycle_steps import Network

__all__ = [
    "Activity",
    "Block",
    "Blocked",
    "Link",
    "Pass",
    "Timing",
    "buffering",
    "copying",
    "holding",
    "joining",
    "offering",
    "passing",
    "pipelining",
    "queueing",
    "run_blocks",
    "spacing",
]

LOG = 1 << 16
"""Transfers that are logged before Python collects them."""


class Blocked(Exception):
    """Nothing moves any more: the links whose offer nobody takes, as sentences."""


class Pass(IntFlag):
    """What a passing block does next: take a beat, give one, or hand one on."""

    GIVE = 1
    TAKE = 2
    BOTH = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Timing:
    """How a block moves; made by the functions below, which say what the numbers mean."""

    kind: str
    pattern: NDArray
    releases: NDArray = field(default_factory=lambda: np.zeros(0, np.int64))
    latency: int = 1
    room: int = 0
    beats: int = 1
    jobs: int = 1
    through: bool = False
    rank: int = 0

    def __post_init__(self):
        if not 1 <= self.latency < 63:
            raise ValueError(f"latency must be 1 to 62, not {self.latency!r}")


def offering(times: ArrayLike) -> Timing:
    """Beat n is offered from cycle ``times[n]`` on, or as soon as the one before it was taken."""
    return Timing(kind="offering", pattern=_numbers(times))


def passing(steps: Iterable[Pass]) -> Timing:
    """Without a register: o.valid = GIVE & (i.valid | ~TAKE); i.ready = TAKE & (o.ready | ~GIVE).

    The block goes to the next of ``steps``, which repeat, with each transfer.
    """
    return Timing(kind="passing", pattern=_numbers(np.fromiter(steps, np.int64)))


def copying() -> Timing:
    """Without a register: each output takes a beat when it likes, i.ready when all have."""
    return Timing(kind="copying", pattern=_numbers([0]))


def pipelining(latency: int, emits: Iterable[bool] = (True,)) -> Timing:
    """A rigid pipeline that moves, and takes a beat, while i.ready = ~o.valid | o.ready.

    Beat n leaves ``latency`` such cycles later if ``emits[n]``, which repeats.
    """
    return Timing(
        kind="pipelining",
        pattern=2 + _numbers(np.fromiter(emits, np.int64)),
        latency=latency,
    )


def joining(turns: Iterable[Collection[int]]) -> Timing:
    """`pipelining` of latency 1 with several inputs: a step takes a beat of each in ``turns[n]``.

    ``turns`` repeat; an input is ready when the others of its turn are valid.
    """
    codes = [1 + sum(2 << n for n in turn) for turn in turns]
    return Timing(kind="pipelining", pattern=_numbers(codes))


def holding(beats: int = 1, *, through: bool = False) -> Timing:
    """A register that gives ``beats`` beats for each that it takes, from the next cycle on.

    i.ready = register is empty, or, with ``through``, gives its last beat in this cycle.
    """
    return Timing(kind="holding", pattern=_numbers([0]), beats=beats, through=through)


def queueing(depth: int) -> Timing:
    """A memory of ``depth`` - 1 beats, then an output register; i.ready = the memory has room."""
    return Timing(kind="queueing", pattern=_numbers([0]), room=depth - 1)


def buffering(
    *,
    room: int,
    needs: ArrayLike,
    releases: ArrayLike,
    beats: int = 1,
    jobs: int = 1,
    latency: int = 1,
) -> Timing:
    """A memory whose words are read in runs, and a rigid pipeline behind it.

    With level = words written - words released, i.ready = level < ``room``. Run n starts when
    level >= ``needs[n]``, reads ``jobs`` times ``beats`` words, one in each cycle in which the
    pipeline moves, and releases ``releases[n]`` words with the last of them; both repeat.
    The result of a job leaves ``latency`` such cycles after its last word was read.
    """
    return Timing(
        kind="buffering",
        pattern=_numbers(needs),
        releases=_numbers(releases),
        latency=latency,
        room=room,
        beats=beats,
        jobs=jobs,
    )


def spacing(rank: int) -> Timing:
    """Without a register: lets one beat through when nothing else in the network moves any more.

    Of several such blocks where a beat waits, the one of the highest ``rank`` goes first.
    """
    return Timing(kind="spacing", pattern=_numbers([0]), rank=rank)


def _numbers(values: ArrayLike) -> NDArray:
    return np.asarray(values, np.int64)


@dataclass(eq=False)
class Link:
    """One stream, and the cycles of its transfers (valid & ready) where they were kept."""

    name: str = ""
    taken: list[int] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Block:
    """A block of a network and its streams."""

    timing: Timing
    inputs: tuple[Link, ...]
    outputs: tuple[Link, ...]


@dataclass(frozen=True)
class Activity:
    """What a network did, beside the transfers that its links kept.

    Parameters:
        early  : cycle of the last transfer before any input was offered; -1 where there was none
        most   : beats that waited at once in each queue, at most
        waited : cycles in which each pipeline stood still, since its result was not taken
    """

    early: int
    most: dict[Block, int]
    waited: dict[Block, int]


def run_blocks(blocks: Sequence[Block], kept: Collection[Link] | None = None) -> Activity:
    """Run until nothing moves; a link that no block reads takes every beat at once.

    Transfers of the ``kept`` links, by default all, are added to `Link.taken`. Raises Blocked
    where a beat is still offered in the end.
    """
    from hwgen_rtl import cycle_steps  # imports numba

    ordered = _in_stream_order(blocks)
    links = list({link: None for block in ordered for link in (*block.inputs, *block.outputs)})
    network = _network(ordered, links, links if kept is None else kept)
    ended = False
    while not ended:
        ended = cycle_steps.run(network)
        _collect(network, links)
    if network.valid.any():
        raise Blocked(
            "; ".join(
                f"{links[n].name}: beat {network.taken[n]} is offered and never taken"
                for n in network.valid.nonzero()[0].tolist()
            )
        )
    early = int(network.marks[cycle_steps.EARLY])
    columns = (network.rows[:, n].tolist() for n in (cycle_steps.PEAK, cycle_steps.WAITED))
    return Activity(early, *(dict(zip(ordered, column, strict=True)) for column in columns))


def _in_stream_order(blocks: Sequence[Block]) -> list[Block]:
    writers = {link: block for block in blocks for link in block.outputs}
    before = {block: [writers[link] for link in block.inputs] for block in blocks}
    return list(TopologicalSorter(before).static_order())


class _Pool:
    """Many short arrays as a long one."""

    def __init__(self):
        self._parts: list[NDArray] = []
        self._length = 0

    def add(self, values: ArrayLike) -> int:
        """Where ``values`` begin."""
        start = self._length
        self._parts.append(_numbers(values))
        self._length += len(self._parts[-1])
        return start

    def joined(self) -> NDArray:
        """All of them."""
        return np.concatenate(self._parts)


def _network(blocks: Sequence[Block], links: Sequence[Link], kept: Collection[Link]) -> "Network":
    """The network as arrays, in its state after reset."""
    from hwgen_rtl import cycle_steps as steps

    places, pool = {link: n for n, link in enumerate(links)}, _Pool()
    rows = np.zeros((len(blocks), steps.COLUMNS), np.int64)
    writer, reader = np.zeros(len(links), np.int64), np.full(len(links), len(blocks))
    for n, block in enumerate(blocks):
        ends = [[places[link] for link in links] for links in (block.inputs, block.outputs)]
        reader[ends[0]], writer[ends[1]] = n, n
        _fill(rows[n], block.timing, ends, pool)
    kinds = rows[:, steps.KIND]
    gates = [n for n in range(len(blocks)) if kinds[n] == steps.SPACING]
    starts = [b.timing.pattern[:1] for b in blocks if b.timing.kind == "offering"]
    return steps.Network(
        rows=rows,
        pool=pool.joined(),
        through=np.isin(kinds, steps.THROUGH).nonzero()[0],
        gates=np.array(sorted(gates, key=lambda n: -blocks[n].timing.rank), np.int64),
        wake=np.zeros(len(blocks) + 1, np.int64),
        valid=np.zeros(len(links), np.bool_),
        ready=reader == len(blocks),
        writer=writer,
        reader=reader,
        kept=np.isin(np.arange(len(links)), [places[link] for link in kept]),
        taken=np.zeros(len(links), np.int64),
        log=np.zeros((LOG + len(links), 2), np.int64),
        marks=np.array([0, 0, np.concatenate(starts).min(initial=steps.NEVER), -1]),
    )


def _fill(row: NDArray, timing: Timing, ends: Sequence[Sequence[int]], pool: _Pool) -> None:
    from hwgen_rtl import cycle_steps as steps

    row[steps.KIND], row[steps.PERIOD] = steps.KINDS.index(timing.kind), len(timing.pattern)
    row[steps.INPUTS], row[steps.OUTPUTS] = (len(links) for links in ends)
    row[steps.INPUTS_AT], row[steps.OUTPUTS_AT] = (pool.add(links) for links in ends)
    row[steps.PATTERN], row[steps.RELEASES] = pool.add(timing.pattern), pool.add(timing.releases)
    row[steps.LATENCY], row[steps.ROOM] = timing.latency, timing.room
    row[steps.BEATS], row[steps.JOBS] = timing.beats, timing.jobs
    row[steps.FLOWS] = timing.through


def _collect(network: "Network", links: Sequence[Link]) -> None:
    """Move the logged transfers to their links."""
    from hwgen_rtl.cycle_steps import LOGGED

    found, times = network.log[: network.marks[LOGGED]].T
    for n in network.kept.nonzero()[0].tolist():
        links[n].taken += times[found == n].tolist()
    network.marks[LOGGED] = 0
