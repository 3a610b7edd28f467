"""Depth of the queues on branches: from the cycle model, confirmed by it."""

from collections.abc import Sequence
from math import prod

from hwgen.errors import InputError
from hwgen.ir.graph import Graph
from hwgen.schedule.plan import Unit
from hwgen.schedule.predict import Prediction, predict
from hwgen.schedule.streams import OUTPUT, direct_readers, forks, readers, with_queues
from hwgen_rtl.cycles import Blocked

__all__ = ["evaluate", "size_queues"]

UNLIMITED = 1 << 20
SPARE = 1
"""Beats more than ever waited, since a beat leaves its place only when it was taken."""


def size_queues(
    graph: Graph, units: Sequence[Unit], lanes: int
) -> tuple[tuple[Unit, ...], Prediction]:
    """Units with a queue at each branch that waits for another one, and their prediction.

    Where a stream has several readers, the one on the longest way to the output reads directly and
    the others through a queue. A first run with unlimited queues shows how many beats wait; a
    second one, with queues of that depth, must take as many cycles.
    """
    groups = readers(units).values()
    direct = direct_readers(units)
    waiting = {r for group in groups for r in group if r not in direct and r.unit != OUTPUT}
    if not waiting:
        return tuple(units), evaluate(graph, units, lanes)
    free = with_queues(graph, units, lanes, dict.fromkeys(waiting, UNLIMITED))
    seen = evaluate(graph, free, lanes)
    depths = {reader: max(2, most + SPARE) for reader, most in seen.occupancy.items()}
    sized = with_queues(graph, units, lanes, depths)
    return sized, evaluate(graph, sized, lanes)


def evaluate(graph: Graph, units: Sequence[Unit], lanes: int) -> Prediction:
    """Exact cycles of the units; refuses a design that comes to a stop."""
    try:
        return predict(
            units,
            forks(graph, units, lanes),
            graph.input.name,
            prod(graph.input.shape) // lanes,
            prod(graph.output.shape) // units[-1].lanes,
        )
    except Blocked as reason:
        raise InputError(
            f"{graph.name} comes to a stop: {reason}; make the queue in front of it deeper."
        ) from reason
