"""Chooses pe and simd of every node."""

from collections.abc import Iterator

from hwgen.errors import InputError
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AnyNode, Argmax, Layer, Requantize
from hwgen.schedule.geometry import divisors, geometry, stream_source
from hwgen.schedule.plan import Unit
from hwgen.schedule.resources import unit_resources
from hwgen.schedule.units import (
    Feed,
    Folding,
    argmax_unit,
    array_unit,
    pool_unit,
    requantize_unit,
)
from hwgen_rtl.windowed import WindowedParams

__all__ = ["fastest_interval", "fold"]

DSP_IN_LUTS = 40
"""Exchange rate that keeps multiplier arrays from looking free."""


def fold(graph: Graph, cycles: int, input_lanes: int, slack: float = 1.0) -> tuple[Unit, ...]:
    """Units in stream order, each the cheapest that takes at most ``cycles`` per image.

    ``slack`` scales the queues in front of padding and the room behind line buffers.
    """
    units: dict[str, Unit] = {}
    for node in graph.nodes:
        if node.kind not in ("input", "flatten"):
            units[node.name] = _choose(graph, node, cycles, units, input_lanes, slack)
    return tuple(units.values())


def fastest_interval(graph: Graph, input_lanes: int) -> int:
    """Cycles per image of the slowest node when every node is unrolled as far as it goes."""
    return max(
        min(unit.interval for unit in _candidates(graph, node, Feed(_widest(graph, node), 1, 1), 1))
        for node in graph.nodes
        if node.kind not in ("input", "flatten")
    )


def _widest(graph: Graph, node: AnyNode) -> int:
    return stream_source(graph, node.inputs[0]).shape[0]


def _choose(
    graph: Graph,
    node: AnyNode,
    cycles: int,
    units: dict[str, Unit],
    input_lanes: int,
    slack: float,
) -> Unit:
    source = units.get(stream_source(graph, node.inputs[0]).name)
    lanes = source.lanes if source else input_lanes
    spacing = result_spacing(source) if source else 1
    candidates = list(_candidates(graph, node, Feed(lanes, cycles, slack), spacing))
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
    for stage in unit.stages:
        if isinstance(stage.params, WindowedParams):
            return stage.params.window.beats_per_job
    return 1


def _cost(unit: Unit) -> tuple[float, int]:
    cells = unit_resources(unit)
    return cells.lut + cells.ff / 4 + DSP_IN_LUTS * cells.dsp + 20 * cells.bram, unit.interval


def _candidates(graph: Graph, node: AnyNode, feed: Feed, spacing: int) -> Iterator[Unit]:
    if isinstance(node, Argmax):
        yield argmax_unit(graph, node, feed.lanes)
    elif isinstance(node, Requantize):
        # as many lanes as keep up with the results, which come every ``spacing`` cycles
        lanes = min(d for d in divisors(feed.lanes) if feed.lanes // d <= spacing)
        yield requantize_unit(graph, node, feed.lanes, lanes)
    elif isinstance(node, Layer):
        for folding in _foldings(graph, node):
            yield array_unit(graph, node, feed, folding)
    else:
        for lanes in divisors(geometry(graph, node).channels):
            yield pool_unit(graph, node, feed, lanes)


def _foldings(graph: Graph, node: AnyNode) -> Iterator[Folding]:
    shape = geometry(graph, node)
    for channels in divisors(shape.channels):
        for pe in divisors(shape.outputs):
            yield Folding(pe, channels)
            wide_enough = shape.padded[1] * (shape.channels // channels) >= 2
            if shape.kernel[0] > 1 and wide_enough:
                yield Folding(pe, channels * shape.kernel[0], columns=True)
