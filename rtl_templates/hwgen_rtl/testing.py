"""Runs one block in Amaranth's simulator: beats in, beats and their cycles out."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from amaranth.lib import stream
from amaranth.sim import Simulator
from numpy.typing import NDArray

from hwgen_rtl.cycles import Block, Link, offering, run_blocks
from hwgen_rtl.stream import StreamComponent, StreamsComponent

__all__ = [
    "StreamRun",
    "StreamsRun",
    "predict_stream",
    "predict_streams",
    "run_stream",
    "run_streams",
]


@dataclass(frozen=True)
class StreamRun:
    """Beats that left a block (beats, lanes) and the cycles of all transfers."""

    beats: NDArray
    taken: tuple[int, ...]
    given: tuple[int, ...]


@dataclass(frozen=True)
class StreamsRun:
    """For each output its beats (beats, lanes) and their cycles; for each input its cycles."""

    beats: tuple[NDArray, ...]
    taken: tuple[tuple[int, ...], ...]
    given: tuple[tuple[int, ...], ...]


def run_stream(
    block: StreamComponent,
    beats: NDArray,
    count: int,
    *,
    seed: int = 0,
    start: int = 0,
    calm: float = 0,
    idle_limit: int = 2000,
) -> StreamRun:
    """Feed ``beats`` (beats, lanes) and collect ``count`` output beats.

    ``seed`` 0 never stalls; any other seed stalls both sides at random, each after ``calm``, a
    share, of its beats. Raises TimeoutError when
    nothing moves for ``idle_limit`` cycles, and AssertionError where the output is no stream: a
    beat that waits has changed, or ``valid`` depends on ``ready``.
    """
    limits = {"start": start, "calm": calm, "idle_limit": idle_limit}
    run = run_streams(block, [beats], [count], seed=seed, **limits)
    return StreamRun(run.beats[0], run.taken[0], run.given[0])


def run_streams(
    block: StreamsComponent,
    beats: Sequence[NDArray],
    counts: Sequence[int],
    *,
    seed: int = 0,
    start: int = 0,
    calm: float = 0,
    idle_limit: int = 2000,
) -> StreamsRun:
    """`run_stream` for a block with several inputs or outputs, each stalled on its own.

    Feeds ``beats[n]`` to input n and collects ``counts[n]`` beats at output n.
    """
    ends = (
        list(zip(block.inputs, beats, strict=True)),
        list(zip(block.outputs, counts, strict=True)),
    )
    feeds = [
        _Feed(i, given, _Pace(seed, n, calm * len(given)), start)
        for n, (i, given) in enumerate(ends[0])
    ]
    drains = [
        _Drain(o, count, _Pace(seed, ~n, calm * count)) for n, (o, count) in enumerate(ends[1])
    ]

    async def run(ctx):
        idle, cycle = 0, 0
        while not all(end.finished for end in (*feeds, *drains)):
            moved = _step(ctx, cycle, feeds, drains)
            idle = 0 if moved or cycle < start else idle + 1
            if idle > idle_limit:
                raise TimeoutError(f"nothing moved for {idle_limit} cycles at cycle {cycle}")
            await ctx.tick()
            cycle += 1

    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()
    return StreamsRun(
        tuple(np.array(drain.collected) for drain in drains),
        tuple(tuple(feed.taken) for feed in feeds),
        tuple(tuple(drain.given) for drain in drains),
    )


def _step(ctx, cycle: int, feeds: "list[_Feed]", drains: "list[_Drain]") -> bool:
    """One cycle: drive all ends, then look what moves; says whether a beat did."""
    for feed in feeds:
        feed.drive(ctx, cycle)
    offered = [ctx.get(drain.stream.valid) for drain in drains]
    for drain in drains:
        drain.drive(ctx)
    moved = [feed.sample(ctx, cycle) for feed in feeds]
    moved += [drain.sample(ctx, cycle, valid) for drain, valid in zip(drains, offered, strict=True)]
    return any(moved)


class _Pace:
    """Says in each cycle whether one end moves: always for seed 0, else at a rate of its own.

    Before beat number ``calm`` it always does.
    """

    def __init__(self, seed: int, end: int, calm: float):
        self._calm = calm
        self._random = random.Random(seed * 64 + end)
        self._rate = self._random.choice((0.25, 0.6, 0.9)) if seed else 1

    def __call__(self, beat: int) -> bool:
        return self._rate == 1 or beat < self._calm or self._random.random() < self._rate


class _Feed:
    """Offers beats to one input, and keeps each offer until it is taken."""

    def __init__(self, i: stream.Interface, beats: NDArray, goes: _Pace, start: int):
        self.stream, self._beats, self._goes, self._start = i, beats, goes, start
        self._valid = False
        self.taken: list[int] = []

    @property
    def finished(self) -> bool:
        """Say whether all beats went in."""
        return len(self.taken) >= len(self._beats)

    def drive(self, ctx, cycle: int) -> None:
        """Set valid and payload."""
        if not self._valid:
            self._valid = cycle >= self._start and not self.finished and self._goes(len(self.taken))
            if self._valid:
                ctx.set(self.stream.payload, self._beats[len(self.taken)].tolist())
        ctx.set(self.stream.valid, self._valid)

    def sample(self, ctx, cycle: int) -> bool:
        """Note a transfer."""
        moves = self._valid and bool(ctx.get(self.stream.ready))
        if moves:
            self.taken.append(cycle)
            self._valid = False
        return moves


class _Drain:
    """Takes beats from one output and checks that it keeps the rules of a stream."""

    def __init__(self, o: stream.Interface, count: int, goes: _Pace):
        self.stream, self._count, self._goes = o, count, goes
        self._lanes = o.payload.shape().length
        self._ready = False
        self._waiting: list[int] | None = None
        self.collected: list[list[int]] = []
        self.given: list[int] = []

    @property
    def finished(self) -> bool:
        """Say whether enough came out."""
        return len(self.collected) >= self._count

    def drive(self, ctx) -> None:
        """Set ready."""
        self._ready = self._goes(len(self.given))
        ctx.set(self.stream.ready, self._ready)

    def sample(self, ctx, cycle: int, offered: int) -> bool:
        """Note a transfer; ``offered`` is valid as it was with the ready of the cycle before."""
        valid = ctx.get(self.stream.valid)
        assert valid == offered, f"valid depends on ready at cycle {cycle}"
        if not valid:
            assert self._waiting is None, f"a beat that waited is gone at cycle {cycle}"
            return False
        payload = ctx.get(self.stream.payload)
        beat = [payload[lane] for lane in range(self._lanes)]
        assert self._waiting in (None, beat), f"a beat that waits has changed at cycle {cycle}"
        self._waiting = None if self._ready else beat
        if self._ready:
            self.given.append(cycle)
            self.collected.append(beat)
        return self._ready


def predict_stream(blocks: Sequence, beats: int, *, start: int = 0) -> tuple[Link, ...]:
    """Cycle model of ``blocks`` in a row, fed with ``beats`` beats and never stalled."""
    links = tuple(Link(f"link{n}") for n in range(len(blocks) + 1))
    row = [
        Block(params.timing(), (i,), (o,))
        for params, i, o in zip(blocks, links, links[1:], strict=False)
    ]
    run_blocks([Block(offering([start] * beats), (), links[:1]), *row])
    return links


def predict_streams(
    params, beats: Sequence[int], ways: int = 1, *, start: int = 0
) -> tuple[tuple[Link, ...], tuple[Link, ...]]:
    """Cycle model of a block fed with ``beats[n]`` beats at input n, its outputs never stalled."""
    inputs = tuple(Link(f"i{n}") for n in range(len(beats)))
    outputs = tuple(Link(f"o{n}") for n in range(ways))
    feeds = [
        Block(offering([start] * count), (), (i,)) for i, count in zip(inputs, beats, strict=True)
    ]
    run_blocks([*feeds, Block(params.timing(), inputs, outputs)])
    return inputs, outputs
