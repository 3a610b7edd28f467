"""Toggles of a design's flip-flops counted in Amaranth's own simulator; knows no Verilog."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from amaranth.hdl import Fragment, Signal
from amaranth.hdl._mem import MemoryInstance
from amaranth.sim import Simulator

from hwgen.lower.top import Network, lower
from hwgen.schedule.plan import Plan
from hwgen_sim.units import encoded_beats

__all__ = ["Path", "amaranth_toggles"]

REST = 80
"""Cycles after the last result; nothing moves any more."""

Path = tuple[str, ...]
"""Names of the submodules down to a flip-flop."""


def amaranth_toggles(
    plan: Plan, images: np.ndarray, settled: int
) -> dict[Path, Counter[tuple[str, tuple[int, ...]]]]:
    """Place -> (name, toggles of each of its bits) of every flip-flop, and of each read port of a
    memory (named ""), while images pass; the design is at rest before and after.
    """
    network = Network(lower(plan))
    design = Fragment.get(network, None)
    registers = list(_registers(design, ()))
    history: list[list[int]] = []
    beats = encoded_beats(plan.graph.input, images, plan.input_lanes)
    results = len(images) * int(np.prod(plan.units[-1].node.shape)) // plan.units[-1].lanes

    async def feed(ctx: Any) -> None:
        await ctx.tick().repeat(settled + 1)
        for beat in beats:
            ctx.set(network.i.payload, [int(x) for x in beat])
            ctx.set(network.i.valid, 1)
            await ctx.tick().until(network.i.ready)
        ctx.set(network.i.valid, 0)

    async def collect(ctx: Any) -> None:
        ctx.set(network.o.ready, 1)
        for _ in range(results):
            await ctx.tick().until(network.o.valid)
        await ctx.tick().repeat(REST)

    async def watch(ctx: Any) -> None:
        async for _, _, *values in ctx.tick().sample(*(signal for _, _, signal in registers)):
            history.append([int(value) for value in values])

    simulator = Simulator(design)
    simulator.add_clock(1e-6)
    simulator.add_testbench(feed, background=True)
    simulator.add_process(watch)
    simulator.add_testbench(collect)
    simulator.run()
    return _counted(registers, np.array(history, dtype=object))


def _registers(fragment: Fragment, path: Path) -> Iterator[tuple[Path, str, Signal]]:
    """What is assigned at clock edges, and the data of synchronous read ports."""
    if isinstance(fragment, MemoryInstance):
        for port in fragment._read_ports:
            if port._domain != "comb":
                yield path[:-1], "", port._data
    found: dict[int, Signal] = {}
    for statement in fragment.statements.get("sync", ()):
        found |= {id(signal): signal for signal in statement._lhs_signals()}
    for signal in found.values():
        yield path, signal.name, signal
    for inner, name, _ in fragment.subfragments:
        yield from _registers(inner, (*path, name or "?"))


def _counted(
    registers: list[tuple[Path, str, Any]], history: np.ndarray
) -> dict[Path, Counter[tuple[str, tuple[int, ...]]]]:
    found: dict[Path, Counter[tuple[str, tuple[int, ...]]]] = {}
    changed = history[1:] ^ history[:-1]
    for column, (path, name, signal) in zip(changed.T, registers, strict=True):
        bits = tuple(sum(int(x) >> bit & 1 for x in column) for bit in range(len(signal)))
        found.setdefault(path, Counter())[name, bits] += 1
    return found
