"""Chooses pe and simd of every node."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from math import gcd
from typing import Any

from hwgen.errors import InputError
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    Add,
    AnyNode,
    Argmax,
    Concat,
    Layer,
    Lut,
    PixelShuffle,
    Requantize,
    Shift2d,
    Slice,
    Threshold,
    UpsampleNearest,
    WinogradAdderConv2d,
)
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
from hwgen.schedule.plan import Unit
from hwgen.schedule.resources import DEFAULT_FAMILY, unit_resources
from hwgen.schedule.units import array_unit, depthwise_unit, pool_unit, winograd_unit
from hwgen_rtl.drain import DrainParams
from hwgen_rtl.windowed import WindowedParams

__all__ = ["fastest_interval", "fold"]

DSP_IN_LUTS = 40
"""Exchange rate that keeps multiplier arrays from looking free."""


@dataclass(frozen=True)
class _Wish:
    """What every node is folded for; see ``fold``."""

    cycles: int
    input_lanes: int
    slack: float
    family: str


def fold(
    graph: Graph, cycles: int, input_lanes: int, slack: float = 1.0, family: str = DEFAULT_FAMILY
) -> tuple[Unit, ...]:
    """Units in stream order, each the cheapest of a ``family`` that takes at most ``cycles``.

    ``slack`` scales the queues in front of padding and the room behind line buffers. Where a node
    cannot keep up with beats as its source gives them, sources of other beats are chosen.
    """
    wish = _Wish(cycles, input_lanes, slack, family)
    refused: set[Beats] = set()
    first: _TooSlow | None = None
    while True:
        try:
            return _folded(graph, wish, refused)
        except _TooSlow as reason:
            first = first or reason
            fastest = fastest_interval(graph, input_lanes)
            if cycles < fastest or reason.beats <= refused:
                raise InputError(
                    f"{first.node} takes at least {first.least} cycles per image, more than the"
                    f" target of {cycles}; give --target-cycles {max(fastest, first.least)} or more"
                    "."
                ) from None
            refused |= reason.beats


Beats = tuple[str, int]
"""The name of a unit and its lanes."""


@dataclass(frozen=True)
class _TooSlow(Exception):
    """A node with no candidate that is fast enough, and the beats that it was to read."""

    node: str
    least: int
    beats: frozenset[Beats]


def _folded(graph: Graph, wish: _Wish, refused: Collection[Beats]) -> tuple[Unit, ...]:
    units: dict[str, Unit] = {}
    for node in graph.nodes:
        if node.kind not in ("input", "flatten"):
            units[node.name] = _choose(graph, node, wish, units, refused)
    return tuple(units.values())


def fastest_interval(graph: Graph, input_lanes: int) -> int:
    """Cycles per image of the slowest node when every node is unrolled as far as it goes."""
    return max(
        min(unit.interval for unit in _candidates(graph, node, _widest(graph, node), 1))
        for node in graph.nodes
        if node.kind not in ("input", "flatten")
    )


def _widest(graph: Graph, node: AnyNode) -> tuple[Feed, ...]:
    return tuple(Feed(stream_source(graph, name).shape[0], 1, 1) for name in node.inputs)


def _choose(
    graph: Graph,
    node: AnyNode,
    wish: _Wish,
    units: Mapping[str, Unit],
    refused: Collection[Beats],
) -> Unit:
    sources = [units.get(stream_source(graph, name).name) for name in node.inputs]
    feeds = tuple(
        Feed(s.lanes if s else wish.input_lanes, wish.cycles, wish.slack) for s in sources
    )
    spacing = min(_result_spacing(source) if source else 1 for source in sources)
    candidates = list(_candidates(graph, node, feeds, spacing))
    fast = [unit for unit in candidates if unit.interval <= wish.cycles]
    fitting = [unit for unit in fast if (unit.name, unit.lanes) not in refused]
    if not fitting:
        least = min(unit.interval for unit in candidates)
        beats = frozenset((source.name, source.lanes) for source in sources if source)
        raise _TooSlow(node.name, least, beats)
    return min(fitting, key=lambda unit: _cost(unit, wish.family))


def _result_spacing(unit: Unit) -> int:
    """Cycles for each beat of a unit, where the beats of a job are spread evenly."""
    beats = 1
    for stage in reversed(unit.stages):
        if isinstance(stage.params, DrainParams):
            beats = stage.params.ratio
        if isinstance(stage.params, WindowedParams):
            return stage.params.window.beats_per_job // beats
    return 1


def _cost(unit: Unit, family: str) -> tuple[float, int]:
    cells = unit_resources(unit, family)
    return cells.lut + cells.ff / 4 + DSP_IN_LUTS * cells.dsp + 20 * cells.bram, unit.interval


def _candidates(
    graph: Graph, node: AnyNode, feeds: tuple[Feed, ...], spacing: int
) -> Iterator[Unit]:
    feed = feeds[0]
    match node:
        case Argmax():
            yield argmax_unit(graph, node, feed)
        case Requantize() | Threshold():
            # as many lanes as keep up with the results, which come every ``spacing`` cycles
            lanes = min(d for d in divisors(feed.lanes) if feed.lanes // d <= spacing)
            make = requantize_unit if isinstance(node, Requantize) else threshold_unit
            yield make(graph, node, feed, lanes)  # pyright: ignore[reportArgumentType]
        case WinogradAdderConv2d():
            for folding in _winograd_foldings(graph, node):
                yield winograd_unit(graph, node, feed, folding)
        case _ if isinstance(node, Layer) and not is_depthwise(graph, node):
            for folding in _foldings(graph, node):
                yield array_unit(graph, node, feed, folding)
        case Add() | Concat():
            for lanes in _pixel_lanes(graph, node):
                make = add_unit if isinstance(node, Add) else concat_unit
                yield make(graph, node, feeds, lanes)  # pyright: ignore[reportArgumentType]
        case _:
            for lanes in _pixel_lanes(graph, node):
                yield _MAKERS.get(node.kind, pool_unit)(graph, node, feed, lanes)


_MAKERS: dict[str, Callable[[Graph, Any, Feed, int], Unit]] = {
    "conv2d": depthwise_unit,
    "lut": lut_unit,
    "slice": slice_unit,
    "shift2d": shift_unit,
    "pixel_shuffle": band_unit,
    "upsample_nearest": band_unit,
}


def _pixel_lanes(graph: Graph, node: AnyNode) -> list[int]:
    """Lanes on which a node can work: divisors of all channel counts that it must tell apart."""
    match node:
        case Concat():
            return divisors(gcd(*(stream_source(graph, n).shape[0] for n in node.inputs)))
        case Slice():
            channels = stream_source(graph, node.inputs[0]).shape[0]
            return divisors(gcd(channels, node.start, node.stop))
        case Shift2d() if len(node.offsets) > 1:
            return [n for n in divisors(node.shape[0]) if _alike(node.offsets, n)]
        case PixelShuffle() | UpsampleNearest() | Lut() | Add():
            return divisors(node.shape[0])
        case _:
            return divisors(geometry(graph, node).channels)


def _alike(offsets: tuple[tuple[int, int], ...], lanes: int) -> bool:
    """Say whether all lanes of each word have one offset."""
    words = (set(offsets[n : n + lanes]) for n in range(0, len(offsets), lanes))
    return all(len(word) == 1 for word in words)


def _foldings(graph: Graph, node: AnyNode) -> Iterator[Folding]:
    shape = geometry(graph, node)
    for channels in divisors(shape.channels):
        for pe in divisors(shape.outputs):
            yield Folding(pe, channels)
            wide_enough = shape.padded[1] * (shape.channels // channels) >= 2
            if shape.kernel[0] > 1 and wide_enough:
                yield Folding(pe, channels * shape.kernel[0], columns=True)


def _winograd_foldings(graph: Graph, node: AnyNode) -> Iterator[Folding]:
    shape = geometry(graph, node)
    for channels in divisors(shape.channels):
        for pe in divisors(shape.outputs):
            yield Folding(pe, channels)
