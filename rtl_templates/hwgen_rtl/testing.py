"""Runs one stream block in Amaranth's simulator: beats in, beats and their cycles out."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from amaranth.sim import Simulator
from numpy.typing import NDArray

from hwgen_rtl.cycles import Link, run_processes, sink, source
from hwgen_rtl.stream import StreamComponent

__all__ = ["StreamRun", "predict_stream", "run_stream"]


@dataclass(frozen=True)
class StreamRun:
    """Beats that left a block (beats, lanes) and the cycles of all transfers."""

    beats: NDArray
    taken: tuple[int, ...]
    given: tuple[int, ...]


def run_stream(
    block: StreamComponent,
    beats: NDArray,
    count: int,
    *,
    seed: int = 0,
    start: int = 0,
    idle_limit: int = 2000,
) -> StreamRun:
    """Feed ``beats`` (beats, lanes) and collect ``count`` output beats.

    ``seed`` 0 never stalls; any other seed stalls both sides at random. Raises TimeoutError when
    nothing moves for ``idle_limit`` cycles.
    """
    bench = _Bench(block, beats, count, seed, start)

    async def run(ctx):
        idle, cycle = 0, 0
        while not bench.finished:
            moved = bench.step(ctx, cycle)
            idle = 0 if moved or cycle < start else idle + 1
            if idle > idle_limit:
                raise TimeoutError(f"nothing moved for {idle_limit} cycles at cycle {cycle}")
            await ctx.tick()
            cycle += 1

    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()
    return StreamRun(np.array(bench.collected), tuple(bench.taken), tuple(bench.given))


class _Bench:
    """Both ends of a block: offers beats, takes results and notes the cycles of both."""

    def __init__(self, block: StreamComponent, beats: NDArray, count: int, seed: int, start: int):
        self._block, self._beats, self._count = block, beats, count
        self._seed, self._start = seed, start
        self._random = random.Random(seed)
        self._lanes = block.o.payload.shape().length
        self._valid = False
        self.collected: list[list[int]] = []
        self.taken: list[int] = []
        self.given: list[int] = []

    @property
    def finished(self) -> bool:
        """Say whether all beats went in and enough came out."""
        return len(self.collected) >= self._count and len(self.taken) >= len(self._beats)

    def step(self, ctx, cycle: int) -> bool:
        """Drive both ends in one cycle; says whether a beat moved."""
        i, o = self._block.i, self._block.o
        if not self._valid:
            more = cycle >= self._start and len(self.taken) < len(self._beats)
            self._valid = more and self._goes()
        ready = self._goes()
        if self._valid:
            ctx.set(i.payload, self._beats[len(self.taken)].tolist())
        ctx.set(i.valid, self._valid)
        ctx.set(o.ready, ready)
        taken, given = self._valid and ctx.get(i.ready), ready and ctx.get(o.valid)
        if taken:
            self.taken.append(cycle)
            self._valid = False
        if given:
            self.given.append(cycle)
            beat = ctx.get(o.payload)
            self.collected.append([beat[lane] for lane in range(self._lanes)])
        return bool(taken or given)

    def _goes(self) -> bool:
        return self._seed == 0 or self._random.random() < 0.6


def predict_stream(blocks: Sequence, beats: int, *, start: int = 0) -> tuple[Link, ...]:
    """Cycle model of ``blocks`` in a row, fed with ``beats`` beats and never stalled."""
    links = tuple(Link(f"link{n}") for n in range(len(blocks) + 1))
    processes = [source(links[0], beats, start), sink(links[-1])]
    for block, i, o in zip(blocks, links, links[1:], strict=False):
        processes += block.processes(i, o)
    run_processes(processes, links)
    return links
