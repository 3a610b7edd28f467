"""Runs one stream block in Amaranth's simulator: beats in, beats and their cycles out."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from amaranth.lib import wiring
from amaranth.sim import Simulator
from numpy.typing import NDArray

from hwgen_rtl.cycles import Link, run_processes, sink, source

__all__ = ["StreamRun", "predict_stream", "run_stream"]


@dataclass(frozen=True)
class StreamRun:
    """Beats that left a block (beats, lanes) and the cycles of all transfers."""

    beats: NDArray
    taken: tuple[int, ...]
    given: tuple[int, ...]


def run_stream(
    block: wiring.Component,
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
    given, taken, collected = [], [], []
    lanes = block.o.payload.shape().length
    chance = random.Random(seed)

    async def bench(ctx):
        offered, idle, cycle = 0, 0, 0
        valid, ready = False, False
        while len(collected) < count or offered < len(beats):
            if not valid:
                valid = cycle >= start and offered < len(beats) and _go(chance, seed)
            ready = _go(chance, seed)
            if valid:
                ctx.set(block.i.payload, beats[offered].tolist())
            ctx.set(block.i.valid, valid)
            ctx.set(block.o.ready, ready)
            moved = False
            if valid and ctx.get(block.i.ready):
                taken.append(cycle)
                offered, valid, moved = offered + 1, False, True
            if ready and ctx.get(block.o.valid):
                given.append(cycle)
                beat = ctx.get(block.o.payload)
                collected.append([beat[lane] for lane in range(lanes)])
                moved = True
            idle = 0 if moved or cycle < start else idle + 1
            if idle > idle_limit:
                raise TimeoutError(f"nothing moved for {idle_limit} cycles at cycle {cycle}")
            await ctx.tick()
            cycle += 1

    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return StreamRun(np.array(collected), tuple(taken), tuple(given))


def _go(chance: random.Random, seed: int) -> bool:
    return seed == 0 or chance.random() < 0.6


def predict_stream(blocks: Sequence, beats: int, *, start: int = 0) -> tuple[Link, ...]:
    """Cycle model of ``blocks`` in a row, fed with ``beats`` beats and never stalled."""
    links = tuple(Link(f"link{n}") for n in range(len(blocks) + 1))
    processes = [source(links[0], beats, start), sink(links[-1])]
    for block, i, o in zip(blocks, links, links[1:], strict=False):
        processes += block.processes(i, o)
    run_processes(processes, links)
    return links
