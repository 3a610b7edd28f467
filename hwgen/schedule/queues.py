"""Depth of the queues on branches: from the cycle model, confirmed by it."""

from collections.abc import Mapping, Sequence
from math import prod

from hwgen.errors import InputError
from hwgen.ir.graph import Graph
from hwgen.schedule.plan import Unit
from hwgen.schedule.predict import Prediction, predict
from hwgen.schedule.streams import Reader, direct_readers, forks, readers, with_queues
from hwgen_rtl.cycles import Blocked

__all__ = ["evaluate", "size_queues"]

UNLIMITED = 1 << 20
SPARE = 1
"""Beats more than ever waited, since a beat leaves its place only when it was taken."""


def size_queues(
    graph: Graph, units: Sequence[Unit], lanes: int
) -> tuple[tuple[Unit, ...], Prediction]:
    """Units with a queue at each branch that waits for another one, and their prediction.

    Where a stream has several readers, one that never waits for another one reads directly and the
    others through a queue. Runs with unlimited queues show how many beats wait at most, in a steady
    flow and where beats come one by one.
    """
    groups = [group for group in readers(units).values() if len(group) > 1]
    shared = {reader for group in groups for reader in group}
    if not shared:
        return tuple(units), evaluate(graph, units, lanes)

    def seen(readers: set[Reader], spread: bool) -> Mapping[Reader, int]:
        free = with_queues(graph, units, lanes, dict.fromkeys(readers, UNLIMITED))
        return _predicted(graph, free, lanes, spread).occupancy

    least = seen(shared, spread=True)
    waiting = shared - direct_readers(units, {reader for reader in shared if least[reader] <= 1})
    steady = seen(waiting, spread=False)
    depths = {r: max(2, steady[r] + SPARE, least[r] + SPARE) for r in waiting}
    sized = with_queues(graph, units, lanes, depths)
    return sized, evaluate(graph, sized, lanes)


def evaluate(graph: Graph, units: Sequence[Unit], lanes: int) -> Prediction:
    """Exact cycles of the units; refuses a design that can come to a stop."""
    if any(len(group) > 1 for group in readers(units).values()):
        _predicted(graph, units, lanes, spread=True)
    return _predicted(graph, units, lanes, spread=False)


def _predicted(graph: Graph, units: Sequence[Unit], lanes: int, spread: bool) -> Prediction:
    try:
        return predict(
            units,
            forks(graph, units, lanes),
            graph.input.name,
            prod(graph.input.shape) // lanes,
            prod(graph.output.shape) // units[-1].lanes,
            spread,
        )
    except Blocked as reason:
        raise InputError(
            f"{graph.name} comes to a stop: {reason}; make the queue in front of it deeper."
        ) from reason
