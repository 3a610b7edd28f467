"""Which streams join the units, and where one stream has several readers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from hwgen.ir.graph import Graph
from hwgen.schedule.plan import Stage, Unit
from hwgen_rtl.fifo import QueueParams
from hwgen_rtl.fork import ForkParams

__all__ = ["OUTPUT", "QUEUE", "Reader", "direct_readers", "forks", "readers", "with_queues"]

OUTPUT = ""
"""Stands for the design's output as a reader."""
QUEUE = "branch"
"""Name of the queue at the beginning of a branch."""


@dataclass(frozen=True, order=True)
class Reader:
    """Input number ``port`` of a unit."""

    unit: str
    port: int = 0


def readers(units: Sequence[Unit]) -> dict[str, tuple[Reader, ...]]:
    """Who reads each stream, by the name of the node that gives it, in the order of the units."""
    found: dict[str, list[Reader]] = {}
    for unit in units:
        for port, source in enumerate(unit.sources):
            found.setdefault(source, []).append(Reader(unit.name, port))
    found.setdefault(units[-1].name, []).append(Reader(OUTPUT))
    return {name: tuple(group) for name, group in found.items()}


def forks(graph: Graph, units: Sequence[Unit], input_lanes: int) -> dict[str, ForkParams]:
    """The block that copies each stream with several readers, by the node that gives it."""
    lanes = {graph.input.name: input_lanes} | {unit.name: unit.lanes for unit in units}
    found = {}
    for name, group in readers(units).items():
        kind = graph[name].type
        assert kind is not None
        if len(group) > 1:
            found[name] = ForkParams(kind=kind, lanes=lanes[name], ways=len(group))
    return found


def with_queues(
    graph: Graph, units: Sequence[Unit], input_lanes: int, depths: Mapping[Reader, int]
) -> tuple[Unit, ...]:
    """The units with a queue of that many beats in front of each reader in ``depths``."""
    lanes = {graph.input.name: input_lanes} | {unit.name: unit.lanes for unit in units}

    def queued(unit: Unit, port: int, row: tuple[Stage, ...]) -> tuple[Stage, ...]:
        source = unit.sources[port]
        kind = graph[source].type
        assert kind is not None
        if (depth := depths.get(Reader(unit.name, port))) is None:
            return row
        return Stage(QUEUE, QueueParams(kind=kind, lanes=lanes[source], depth=depth)), *row

    return tuple(
        replace(unit, inputs=tuple(queued(unit, n, row) for n, row in enumerate(unit.inputs)))
        for unit in units
    )


def direct_readers(units: Sequence[Unit], flowing: Collection[Reader]) -> set[Reader]:
    """The reader of each stream that has no queue in front, if there is one.

    One of ``flowing``, which never wait for another reader: that on the longest way to the output.
    The others wait where branches join again, so a queue keeps what they were given.
    """
    ways = _ways_to_output(units)
    found = set()
    for group in readers(units).values():
        free = [reader for reader in group if reader in flowing]
        found.update(sorted(free, key=lambda reader: (ways[reader.unit], reader))[-1:])
    return found


def _ways_to_output(units: Sequence[Unit]) -> Mapping[str, int]:
    """Buffered words from each unit to the output, on the longest way."""
    ways = {OUTPUT: 0}
    groups = readers(units)
    for unit in reversed(units):
        behind = max((ways[reader.unit] for reader in groups.get(unit.name, ())), default=0)
        ways[unit.name] = behind + 1 + sum(_delay(stage.params) for stage in unit.blocks)
    return ways


def _delay(params) -> int:
    """Roughly the cycles from a pixel to what is made of it."""
    window = getattr(params, "window", None)
    return 0 if window is None else window.span
