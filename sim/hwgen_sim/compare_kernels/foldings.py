"""The units of a graph at given foldings: those of a plan, or the nearest in number of lanes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import Add, AnyNode, Argmax, Concat, Layer, WinogradAdderConv2d
from hwgen.schedule.blocks import Feed, Folding
from hwgen.schedule.geometry import divisors, geometry, is_depthwise, stream_source
from hwgen.schedule.pixel_units import (
    add_unit,
    argmax_unit,
    band_unit,
    concat_unit,
    lut_unit,
    requantize_unit,
    shift_unit,
    slice_unit,
    threshold_unit,
)
from hwgen.schedule.plan import Plan, Unit
from hwgen.schedule.resources import block_resources, unit_resources
from hwgen.schedule.schedule import BUFFER_SLACK
from hwgen.schedule.streams import QUEUE, Reader, forks, with_queues
from hwgen.schedule.units import array_unit, depthwise_unit, pool_unit, winograd_unit

__all__ = ["cost", "like", "unit_lanes"]

WINOGRAD_LANES = 16
"""Differences of one tile, for each pair of an input and an output channel."""

_MAKERS: dict[str, Callable[[Graph, Any, Feed, int], Unit]] = {
    "requantize": requantize_unit,
    "threshold": threshold_unit,
    "conv2d": depthwise_unit,
    "lut": lut_unit,
    "slice": slice_unit,
    "shift2d": shift_unit,
    "pixel_shuffle": band_unit,
    "upsample_nearest": band_unit,
    "max_pool": pool_unit,
    "avg_pool": pool_unit,
}


def like(plan: Plan, graph: Graph) -> Plan:
    """``graph`` with the folding, lanes and queue depths that its nodes have in ``plan``.

    Where a node is a Winograd layer in one of the two only, it gets the folding whose number of
    lanes is nearest. A node that ``plan`` has not works on as many lanes as it is fed.
    """
    if graph is plan.graph:
        return plan
    return cost(plan, graph, _units(plan, graph, _slack(plan)))


def cost(plan: Plan, graph: Graph, units: Sequence[Unit]) -> Plan:
    """``plan`` with another graph and other units; cycles are those of the units alone."""
    copies = forks(graph, units, plan.input_lanes)
    resources = {unit.name: unit_resources(unit) for unit in units}
    resources |= {f"{name}_fork": block_resources(params) for name, params in copies.items()}
    interval = max(unit.interval for unit in units)
    return replace(
        plan, graph=graph, units=tuple(units), forks=copies, resources=resources, interval=interval
    )


def unit_lanes(unit: Unit) -> int:
    """Taps that a layer's unit evaluates a cycle; absolute differences for Winograd."""
    tile = WINOGRAD_LANES if isinstance(unit.node, WinogradAdderConv2d) else 1
    return tile * unit.pe * unit.simd


def _slack(plan: Plan) -> float:
    """The size of buffers that the scheduler settled for: the plan does not say."""
    same = (s for s in BUFFER_SLACK if _units(plan, plan.graph, s) == plan.units)
    return next(same, BUFFER_SLACK[0])


def _units(plan: Plan, graph: Graph, slack: float) -> tuple[Unit, ...]:
    planned = {unit.name: unit for unit in plan.units}
    cycles = plan.target.cycles or max(unit.interval for unit in plan.units)
    lanes, units = {graph.input.name: plan.input_lanes}, []
    for node in graph.nodes:
        if node.kind in ("input", "flatten"):
            continue
        sources = (stream_source(graph, name).name for name in node.inputs)
        feeds = tuple(Feed(lanes[name], cycles, slack) for name in sources)
        units.append(_unit(graph, node, feeds, planned.get(node.name)))
        lanes[node.name] = units[-1].lanes
    return with_queues(graph, units, plan.input_lanes, _depths(plan, {u.name for u in units}))


def _depths(plan: Plan, names: set[str]) -> Mapping[Reader, int]:
    """Of the plan's queues on branches; one goes with what was inserted in front of its reader."""
    return {
        Reader(f"{unit.name}_sign" if f"{unit.name}_sign" in names else unit.name, port): depth
        for unit in plan.units
        for port, row in enumerate(unit.inputs)
        for depth in (stage.params.depth for stage in row[:1] if stage.name == QUEUE)
    }


def _unit(graph: Graph, node: AnyNode, feeds: tuple[Feed, ...], planned: Unit | None) -> Unit:
    lanes = planned.lanes if planned else feeds[0].lanes
    match node:
        case Argmax():
            return argmax_unit(graph, node, feeds[0])
        case Add():
            return add_unit(graph, node, feeds, lanes)
        case Concat():
            return concat_unit(graph, node, feeds, lanes)
        case _ if isinstance(node, Layer) and not is_depthwise(graph, node):
            assert planned is not None
            return _layer_unit(graph, node, feeds[0], planned)
        case _:
            return _MAKERS[node.kind](graph, node, feeds[0], lanes)


def _layer_unit(graph: Graph, node: Layer, feed: Feed, planned: Unit) -> Unit:
    winograd = isinstance(node, WinogradAdderConv2d)
    if winograd == isinstance(planned.node, WinogradAdderConv2d):
        same = Folding(planned.pe, planned.simd, planned.tap_order == "columns")
        return _folded(graph, node, feed, same)
    lanes, tile = unit_lanes(planned), WINOGRAD_LANES if winograd else 1
    candidates = _foldings(graph, node)
    distance = min(abs(tile * f.pe * f.simd - lanes) for f in candidates)
    nearest = (f for f in candidates if abs(tile * f.pe * f.simd - lanes) == distance)
    units = [_folded(graph, node, feed, folding) for folding in nearest]
    return min(units, key=lambda unit: (unit.interval, unit_resources(unit).lut))


def _folded(graph: Graph, node: Layer, feed: Feed, folding: Folding) -> Unit:
    if isinstance(node, WinogradAdderConv2d):
        return winograd_unit(graph, node, feed, folding)
    return array_unit(graph, node, feed, folding)


def _foldings(graph: Graph, node: Layer) -> list[Folding]:
    shape = geometry(graph, node)
    pairs = [(pe, simd) for pe in divisors(shape.outputs) for simd in divisors(shape.channels)]
    found = [Folding(pe, simd) for pe, simd in pairs]
    if isinstance(node, WinogradAdderConv2d) or shape.kernel[0] == 1:
        return found
    rows, width = shape.kernel[0], shape.padded[1]
    wide = ((pe, simd) for pe, simd in pairs if width * shape.channels // simd >= 2)
    return found + [Folding(pe, simd * rows, columns=True) for pe, simd in wide]
