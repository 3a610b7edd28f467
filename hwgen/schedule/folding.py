"""Chooses pe and simd of every node."""

from collections.abc import Iterator

from hwgen.errors import InputError
from hwgen.ir.graph import AnyNode, Argmax, Graph, Requantize
from hwgen.schedule.geometry import KERNEL_OF, divisors, geometry
from hwgen.schedule.plan import Unit
from hwgen.schedule.resources import unit_resources
from hwgen.schedule.units import (
    Folding,
    argmax_unit,
    array_unit,
    pool_unit,
    requantize_unit,
)

__all__ = ["fastest_interval", "fold"]

DSP_IN_LUTS = 40
"""Exchange rate that keeps multiplier arrays from looking free."""


def fold(graph: Graph, cycles: int, input_lanes: int) -> tuple[Unit, ...]:
    """Units in stream order, each the cheapest that takes at most ``cycles`` per image."""
    units: dict[str, Unit] = {}
    for node in graph.nodes:
        if node.kind in ("input", "flatten"):
            continue
        units[node.name] = _choose(graph, node, cycles, units, input_lanes)
    return tuple(units.values())


def fastest_interval(graph: Graph, input_lanes: int) -> int:
    """Cycles per image of the slowest node when every node is unrolled as far as it goes."""
    return max(
        min(unit.interval for unit in _candidates(graph, node, input_lanes, 1))
        for node in graph.nodes
        if node.kind not in ("input", "flatten")
    )


def _choose(
    graph: Graph, node: AnyNode, cycles: int, units: dict[str, Unit], input_lanes: int
) -> Unit:
    source = _feeding_unit(graph, node, units)
    lanes = source.lanes if source else input_lanes
    spacing = result_spacing(source) if source else 1
    candidates = list(_candidates(graph, node, lanes, spacing))
    fitting = [unit for unit in candidates if unit.interval <= cycles]
    if not fitting:
        least = min(unit.interval for unit in candidates)
        raise InputError(
            f"{node.name} takes at least {least} cycles per image, more than the target of"
            f" {cycles}; give --target-cycles {fastest_interval(graph, input_lanes)} or more."
        )
    return min(fitting, key=_cost)


def result_spacing(unit: Unit) -> int:
    """Fewest cycles between two beats of a unit."""
    window = getattr(unit.stages[-1].params, "window", None)
    return window.beats_per_job if window else 1


def _feeding_unit(graph: Graph, node: AnyNode, units: dict[str, Unit]) -> Unit | None:
    name = node.inputs[0]
    while graph[name].kind == "flatten":
        name = graph[name].inputs[0]
    return units.get(name)


def _cost(unit: Unit) -> tuple[float, int]:
    cells = unit_resources(unit)
    return cells.lut + cells.ff / 4 + DSP_IN_LUTS * cells.dsp + 20 * cells.bram, unit.interval


def _candidates(graph: Graph, node: AnyNode, i_lanes: int, spacing: int) -> Iterator[Unit]:
    if isinstance(node, Argmax):
        yield argmax_unit(graph, node, i_lanes)
    elif isinstance(node, Requantize):
        # as many lanes as keep up with the results, which come every ``spacing`` cycles
        lanes = min(d for d in divisors(i_lanes) if i_lanes // d <= spacing)
        yield requantize_unit(graph, node, i_lanes, lanes)
    elif node.kind in KERNEL_OF:
        for folding in _foldings(graph, node):
            yield array_unit(graph, node, i_lanes, folding)
    else:
        for lanes in divisors(geometry(graph, node).channels):
            yield pool_unit(graph, node, i_lanes, lanes)


def _foldings(graph: Graph, node: AnyNode) -> Iterator[Folding]:
    shape = geometry(graph, node)
    for channels in divisors(shape.channels):
        for pe in divisors(shape.outputs):
            yield Folding(pe, channels)
            wide_enough = shape.padded[1] * (shape.channels // channels) >= 2
            if shape.kernel[0] > 1 and wide_enough:
                yield Folding(pe, channels * shape.kernel[0], columns=True)
