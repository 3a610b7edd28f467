"""Integer graph and target to plan."""

from hwgen.errors import InputError, UnsupportedModel
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AdderConv2d, AvgPool, Conv2d, MaxPool, Pow2Conv2d, XnorConv2d
from hwgen.schedule.fabric import fabric_of
from hwgen.schedule.folding import fastest_interval, fold
from hwgen.schedule.forms import laid_out
from hwgen.schedule.geometry import stream_source
from hwgen.schedule.plan import Plan, Resources, Target, Unit
from hwgen.schedule.predict import Prediction
from hwgen.schedule.queues import size_queues
from hwgen.schedule.resources import block_resources, unit_resources
from hwgen.schedule.streams import forks

__all__ = ["schedule"]

USABLE = {"lut": 0.85, "ff": 0.85, "carry": 0.8, "bram": 1.0, "dsp": 1.0}
"""Share of a device that a prediction may fill.

Place and route fills a device to 95 %. Of held-out ECP5 designs, predicted LUTs were up to 6 % too
few and carries up to 8 % (docs/estimates.md), of other families up to 14 %; block RAMs and
multipliers were exact.
"""

WINDOWED = (Conv2d, AdderConv2d, Pow2Conv2d, XnorConv2d, MaxPool, AvgPool)
"""Nodes with a kernel and padding."""

BUFFER_SLACK = (1, 2, 4, 16, 64, 256)
"""Buffer sizes that are tried, relative to a steady producer, until no image waits for another."""


def schedule(graph: Graph, target: Target) -> Plan:
    """Fold every node so that the design meets ``target``.

    With target.cycles, every node takes at most that many cycles per image; otherwise the fastest
    design that fits the device is chosen. Raises InputError where nothing meets the target.
    """
    _check_nodes(graph)
    lanes = graph.input.shape[0]
    if target.cycles is None:
        return _fit(graph, target, lanes)
    plan = _plan(graph, target, lanes, target.cycles)
    _check_room(graph, plan, target, lanes)
    _check_interval(plan, target, target.cycles)
    return plan


def _check_nodes(graph: Graph) -> None:
    problems = [
        f"{node.name}: nothing reads its output; remove it"
        for node in graph.nodes
        if node is not graph.output and not graph.users(node.name)
    ]
    problems += [
        f"{node.name}: a window fits into its padding of {node.padding}, so results would come"
        " before the image; choose a padding smaller than its kernel"
        for node in graph.nodes
        if isinstance(node, WINDOWED) and _runs_ahead(node.kernel, node.padding)
    ]
    if problems:
        raise UnsupportedModel(problems)


def _runs_ahead(kernel: tuple[int, int], padding: tuple[int, int]) -> bool:
    """Say whether the first window is complete before the first pixel, in raster order."""
    rows, columns = (size - border for size, border in zip(kernel, padding, strict=True))
    return rows <= 0 or (rows == 1 and columns <= 0)


def overflow(total: Resources, target: Target) -> dict[str, tuple[int, int]]:
    """Cells needed and available, for each kind of which the device has too few."""
    needs = {name: getattr(total, name) for name in USABLE}
    needs["lut"] += fabric_of(target.family).lone_ff * total.ff
    room = {name: int(getattr(target, name) * share) for name, share in USABLE.items()}
    return {n: (round(needs[n]), room[n]) for n in needs if room[n] and needs[n] > room[n]}


def _units_fit(graph: Graph, target: Target, lanes: int, cycles: int) -> bool:
    units = _folded(graph, target, lanes, cycles)
    cells = (unit_resources(unit, target.family) for unit in units)
    return not overflow(sum(cells, Resources()), target)


def _folded(
    graph: Graph, target: Target, lanes: int, cycles: int, slack: float = 1.0
) -> tuple[Unit, ...]:
    units = fold(graph, cycles, lanes, slack, target.family)
    return laid_out(units, fabric_of(target.family).inputs)


def _fit(graph: Graph, target: Target, lanes: int) -> Plan:
    """Smallest number of cycles per image whose folding fits, by bisection."""
    low, high = fastest_interval(graph, lanes), _slowest_interval(graph, lanes, target.family)
    if not _units_fit(graph, target, lanes, high):
        _refuse(
            _plan(graph, target, lanes, high),
            target,
            "Even its smallest folding does not fit; choose a larger device",
        )
    while low < high:
        middle = (low + high) // 2
        if _units_fit(graph, target, lanes, middle):
            high = middle
        else:
            low = middle + 1
    return _plan(graph, target, lanes, low)


def _slowest_interval(graph: Graph, lanes: int, family: str) -> int:
    return max(unit.interval for unit in fold(graph, 1 << 60, lanes, family=family))


def _check_room(graph: Graph, plan: Plan, target: Target, lanes: int) -> None:
    if not overflow(plan.total, target):
        return
    smallest = _fit(graph, target, lanes)
    _refuse(
        plan,
        target,
        f"The fewest cycles that fit are {smallest.interval}; give them to --target-cycles",
    )


def _check_interval(plan: Plan, target: Target, cycles: int) -> None:
    if plan.interval <= cycles:
        return
    enough, found = cycles, plan
    while found.interval > enough:  # with more cycles to spend, other foldings are chosen
        enough = found.interval
        found = _plan(plan.graph, target, plan.input_lanes, enough)
    raise InputError(
        f"{plan.graph.name} folded for {cycles} cycles takes {plan.interval}, because images"
        f" wait for each other; give --target-cycles {enough} or more."
    )


def _refuse(plan: Plan, target: Target, remedy: str) -> None:
    lacks = ", ".join(
        f"{need} {name.upper()} where {room} can be used ({need - room} too many)"
        for name, (need, room) in overflow(plan.total, target).items()
    )
    raise InputError(
        f"{plan.graph.name} at {plan.interval} cycles per image is too large for {target.device}:"
        f" it needs {lacks}. {remedy}{_larger(plan, target)}."
    )


def _larger(plan: Plan, target: Target) -> str:
    """The smallest other device of the family that takes the plan."""
    fitting = (other.device for other in target.larger if not overflow(plan.total, other))
    device = next(fitting, None)
    return f", or choose {device}" if device else ""


def _plan(graph: Graph, target: Target, lanes: int, cycles: int) -> Plan:
    units, prediction = _without_bubbles(graph, target, cycles, lanes)
    copies = forks(graph, units, lanes)
    family = target.family
    resources = {unit.name: unit_resources(unit, family) for unit in units}
    resources |= {f"{name}_fork": block_resources(fork, family) for name, fork in copies.items()}
    return Plan(
        graph=graph,
        target=target,
        input_lanes=lanes,
        units=units,
        forks=copies,
        aliases=_aliases(graph),
        latency=prediction.latency,
        interval=prediction.interval,
        settled=prediction.settled,
        finished=prediction.finished,
        resources=resources,
    )


def _without_bubbles(
    graph: Graph, target: Target, cycles: int, lanes: int
) -> tuple[tuple[Unit, ...], Prediction]:
    """The folding with the smallest buffers at which no image waits for another."""
    found = []
    for slack in BUFFER_SLACK:
        folded = _folded(graph, target, lanes, cycles, slack)
        units, prediction = size_queues(graph, folded, lanes)
        found.append((units, prediction))
        if prediction.interval == max(unit.interval for unit in units):
            break
    return min(found, key=lambda pair: pair[1].interval)


def _aliases(graph: Graph) -> dict[str, str]:
    """Nodes without hardware and the node that has their integers."""
    flattened = (node for node in graph.nodes if node.kind == "flatten")
    return {node.name: stream_source(graph, node.name).name for node in flattened}
