"""Units that take pixels as they come: requantize, tables, sums, and what moves pixels."""

from dataclasses import replace
from math import gcd, prod

import numpy as np

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    Add,
    AnyNode,
    Argmax,
    Concat,
    Lut,
    PixelShuffle,
    Requantize,
    Shift2d,
    Slice,
    Threshold,
    UpsampleNearest,
)
from hwgen.schedule.blocks import Feed, Stages, converters, type_of, unit_interval, widened
from hwgen.schedule.geometry import operand_type, stream_source
from hwgen.schedule.plan import Stage, Unit
from hwgen_rtl.add import AddParams
from hwgen_rtl.argmax import ArgmaxParams
from hwgen_rtl.band import BandParams
from hwgen_rtl.concat import ConcatParams
from hwgen_rtl.lut import LutParams
from hwgen_rtl.numerics import IntType
from hwgen_rtl.requantize import RequantizeParams
from hwgen_rtl.shift import ShiftParams
from hwgen_rtl.slice import SliceParams
from hwgen_rtl.threshold import ThresholdParams
from hwgen_rtl.widen import TERNARY

__all__ = [
    "add_unit",
    "argmax_unit",
    "band_unit",
    "concat_unit",
    "lut_unit",
    "requantize_constants",
    "requantize_unit",
    "shift_unit",
    "slice_unit",
    "threshold_unit",
]


def requantize_constants(graph: Graph, node: Requantize) -> tuple[np.ndarray, np.ndarray]:
    """Multipliers m and biases c; with bits b of a bipolar input, (2b - 1)*m + c = b*2m + c - m."""
    multiplier, bias = graph.tensors[node.multiplier], graph.tensors[node.bias]
    if _source_type(graph, node).bipolar:
        return 2 * multiplier, bias - multiplier
    return multiplier, bias


def requantize_unit(graph: Graph, node: Requantize, feed: Feed, lanes: int) -> Unit:
    """The affine of one layer, ``lanes`` channels a cycle."""
    source = _source_type(graph, node)
    acc = IntType(1, signed=False) if source.bipolar else source
    assert node.type is not None
    multiplier, bias = requantize_constants(graph, node)
    rounded = bias + ((1 << node.shift) >> 1)
    corners = np.stack([acc.low * multiplier, acc.high * multiplier]) + rounded
    params = RequantizeParams(
        acc=acc,
        out=node.type,
        multiplier=type_of(multiplier),
        bias=type_of(rounded),
        total=type_of(corners),
        shift=node.shift,
        lanes=lanes,
        channels=node.shape[0],
    )
    return _unit(graph, node, feed, lanes, (Stage("affine", params),))


def threshold_unit(graph: Graph, node: Threshold, feed: Feed, lanes: int) -> Unit:
    """Comparisons with the thresholds of ``lanes`` channels a cycle."""
    assert node.type is not None
    params = ThresholdParams(
        acc=operand_type(graph, node),
        out=node.type,
        thresholds=graph.tensors[node.thresholds].shape[1],
        lanes=lanes,
        channels=node.shape[0],
    )
    return _unit(graph, node, feed, lanes, (Stage("compare", params),))


def lut_unit(graph: Graph, node: Lut, feed: Feed, lanes: int) -> Unit:
    """One table look-up for each of ``lanes`` elements a cycle."""
    assert node.type is not None
    params = LutParams(
        x=operand_type(graph, node),
        out=node.type,
        lanes=lanes,
        channels=len(graph.tensors[node.table]),
    )
    return _unit(graph, node, feed, lanes, (Stage("table", params),))


def argmax_unit(graph: Graph, node: Argmax, feed: Feed) -> Unit:
    """One element a cycle."""
    source = stream_source(graph, node.inputs[0])
    assert node.type is not None
    params = ArgmaxParams(length=source.shape[0], kind=_source_type(graph, node), index=node.type)
    return _unit(graph, node, feed, 1, (Stage("search", params),))


def slice_unit(graph: Graph, node: Slice, feed: Feed, lanes: int) -> Unit:
    """Beats of some channels pass; ``lanes`` divides where they start and stop."""
    params = SliceParams(
        kind=_source_type(graph, node),
        lanes=lanes,
        words=stream_source(graph, node.inputs[0]).shape[0] // lanes,
        start=node.start // lanes,
        stop=node.stop // lanes,
    )
    return _unit(graph, node, feed, lanes, (Stage("choose", params),))


def shift_unit(graph: Graph, node: Shift2d, feed: Feed, lanes: int) -> Unit:
    """Pixels read at an offset; with several offsets, all lanes of a word share one."""
    channels, height, width = node.shape
    offsets = node.offsets if len(node.offsets) == 1 else node.offsets[::lanes]
    params = ShiftParams(
        height=height,
        width=width,
        words=channels // lanes,
        lanes=lanes,
        kind=operand_type(graph, node),
        offsets=offsets,
    )
    return _unit(graph, node, feed, lanes, (Stage("shift", params),))


def band_unit(graph: Graph, node: PixelShuffle | UpsampleNearest, feed: Feed, lanes: int) -> Unit:
    """A row of pixels read several times, ``lanes`` output channels a cycle."""
    height, width = stream_source(graph, node.inputs[0]).shape[1:]
    shuffle = isinstance(node, PixelShuffle)
    params = BandParams(
        height=height,
        width=width,
        words=node.shape[0] // lanes,
        lanes=lanes,
        kind=_source_type(graph, node),
        factor=node.factor,
        shuffle=shuffle,
    )
    unit = _unit(graph, node, feed, params.i_lanes, (Stage("band", params),))
    return _with_output_lanes(unit, lanes)


def add_unit(graph: Graph, node: Add, feeds: tuple[Feed, ...], lanes: int) -> Unit:
    """Both operands on ``lanes`` lanes, and their sum."""
    assert node.type is not None
    a, b = (_joined_type(graph, name) for name in node.inputs)
    params = AddParams(a=a, b=b, result=node.type, lanes=lanes)
    return _join(graph, node, feeds, lanes, Stage("sum", params))


def concat_unit(graph: Graph, node: Concat, feeds: tuple[Feed, ...], lanes: int) -> Unit:
    """The words of one input after those of the other, pixel by pixel."""
    assert node.type is not None
    words = tuple(stream_source(graph, name).shape[0] // lanes for name in node.inputs)
    params = ConcatParams(kind=node.type, lanes=lanes, words=words)
    return _join(graph, node, feeds, lanes, Stage("concat", params))


def _join(
    graph: Graph, node: Add | Concat, feeds: tuple[Feed, ...], lanes: int, join: Stage
) -> Unit:
    sources = [stream_source(graph, name) for name in node.inputs]
    inputs, beats = [], [prod(node.shape) // lanes]
    for source, feed in zip(sources, feeds, strict=True):
        assert source.type is not None
        kind = _joined_type(graph, source.name) if isinstance(node, Add) else source.type
        entry = widened(source.type, kind, feed.lanes), converters(kind, feed.lanes, lanes)
        inputs.append((*entry[0], *entry[1]))
        beats.append(prod(source.shape) // gcd(feed.lanes, lanes))
    return Unit(
        node=node,
        sources=tuple(source.name for source in sources),
        inputs=tuple(inputs),
        stages=(join,),
        pe=lanes,
        simd=1,
        lanes=lanes,
        interval=max(beats),
    )


def _joined_type(graph: Graph, name: str) -> IntType:
    kind = stream_source(graph, name).type
    assert kind is not None
    return TERNARY if kind.bipolar else kind


def _source_type(graph: Graph, node: AnyNode) -> IntType:
    kind = stream_source(graph, node.inputs[0]).type
    assert kind is not None
    return kind


def _unit(graph: Graph, node: AnyNode, feed: Feed, lanes: int, stages: Stages) -> Unit:
    source = stream_source(graph, node.inputs[0])
    assert source.type is not None
    kind = source.type
    entry: Stages = ()
    if isinstance(node, Threshold | Lut | Shift2d):
        kind = operand_type(graph, node)
        entry = widened(source.type, kind, feed.lanes)
    stages = (*entry, *converters(kind, feed.lanes, lanes), *stages)
    elements = prod(source.shape)
    return Unit(
        node=node,
        sources=(source.name,),
        stages=stages,
        pe=lanes,
        simd=1,
        lanes=lanes,
        interval=max(unit_interval(elements, feed.lanes, lanes, stages), elements // lanes),
    )


def _with_output_lanes(unit: Unit, lanes: int) -> Unit:
    return replace(unit, pe=lanes, lanes=lanes)
