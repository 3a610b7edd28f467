"""Builds the unit of each node kind from a folding."""

from dataclasses import dataclass
from math import ceil, gcd

import numpy as np

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AnyNode, Argmax, Layer, Requantize
from hwgen.schedule.geometry import KERNEL_OF, Geometry, geometry, stream_source
from hwgen.schedule.plan import Stage, Unit
from hwgen_rtl.argmax import ArgmaxParams
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.convert import MergeParams, SplitParams
from hwgen_rtl.fifo import QueueParams
from hwgen_rtl.hold import HoldParams
from hwgen_rtl.line_buffer import LineBufferParams
from hwgen_rtl.numerics import Interval, IntType
from hwgen_rtl.pad import PadParams
from hwgen_rtl.pool import PoolParams
from hwgen_rtl.requantize import RequantizeParams
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams

__all__ = [
    "Feed",
    "Folding",
    "argmax_unit",
    "array_unit",
    "pool_unit",
    "requantize_unit",
]


@dataclass(frozen=True)
class Folding:
    """``pe`` outputs and ``simd`` taps a cycle; with ``columns``, simd spans the kernel's rows."""

    pe: int
    simd: int
    columns: bool = False


@dataclass(frozen=True)
class Feed:
    """How a unit is fed: ``lanes`` elements per beat, an image every ``cycles`` cycles.

    ``slack`` scales the room that takes up what arrives in bursts.
    """

    lanes: int
    cycles: int
    slack: float


def array_unit(graph: Graph, node: Layer, feed: Feed, folding: Folding) -> Unit:
    """A convolution or linear layer: lane conversion, padding, line buffer, window and array."""
    shape = geometry(graph, node)
    lanes = folding.simd // shape.kernel[0] if folding.columns else folding.simd
    stages = [*_convert(shape.x, feed.lanes, lanes), *_pad(shape, lanes, 0, feed)]
    window = _window(shape, lanes, repeats=shape.outputs // folding.pe)
    if folding.columns:
        stages.append(Stage("lines", _lines(shape, lanes)))
        window = _column_window(shape, folding, lanes, feed)
    array = _array(graph, node, folding, window)
    stages.append(Stage("array", WindowedParams(window=window, datapath=array)))
    stages += _hold(window, array.acc, folding.pe)
    return Unit(
        node=node,
        source=stream_source(graph, node.inputs[0]).name,
        stages=tuple(stages),
        pe=folding.pe,
        simd=folding.simd,
        lanes=folding.pe,
        interval=_interval(shape, feed, lanes, stages),
        tap_order="columns" if folding.columns else "words",
    )


def _array(graph: Graph, node: Layer, folding: Folding, window: WindowParams) -> ArrayParams:
    assert node.type is not None
    return ArrayParams(
        kernel=KERNEL_OF[node.kind],
        x=window.kind,
        w=_type_of(graph.tensors[node.weight]),
        acc=node.type,
        simd=folding.simd,
        pe=folding.pe,
        beats=window.beats_per_job,
        folds=window.repeats,
    )


def pool_unit(graph: Graph, node: AnyNode, feed: Feed, lanes: int) -> Unit:
    """A max pool or window sum: ``lanes`` channels at a time, one tap a cycle."""
    shape = geometry(graph, node)
    maximum = node.kind == "max_pool"
    window = _window(shape, lanes, per_word=True)
    assert node.type is not None
    pool = PoolParams(
        operation="max" if maximum else "sum",
        kind=shape.x,
        result=node.type,
        lanes=lanes,
        beats=window.beats_per_job,
    )
    stages = [
        *_convert(shape.x, feed.lanes, lanes),
        *_pad(shape, lanes, shape.x.low if maximum else 0, feed),
        Stage("pool", WindowedParams(window=window, datapath=pool)),
        *_hold(window, pool.result, lanes),
    ]
    return Unit(
        node=node,
        source=stream_source(graph, node.inputs[0]).name,
        stages=tuple(stages),
        pe=lanes,
        simd=1,
        lanes=lanes,
        interval=_interval(shape, feed, lanes, stages),
    )


def requantize_unit(graph: Graph, node: Requantize, i_lanes: int, lanes: int) -> Unit:
    """The affine of one layer, ``lanes`` channels a cycle."""
    source = stream_source(graph, node.inputs[0])
    assert source.type is not None
    assert node.type is not None
    multiplier, bias = graph.tensors[node.multiplier], graph.tensors[node.bias]
    rounded = bias + ((1 << node.shift) >> 1)
    corners = np.stack([source.type.low * multiplier, source.type.high * multiplier]) + rounded
    params = RequantizeParams(
        acc=source.type,
        out=node.type,
        multiplier=_type_of(multiplier),
        bias=_type_of(rounded),
        total=_type_of(corners),
        shift=node.shift,
        lanes=lanes,
        channels=node.shape[0],
    )
    stages = (*_convert(source.type, i_lanes, lanes), Stage("affine", params))
    beats = int(np.prod(node.shape)) // lanes
    return Unit(
        node=node,
        source=source.name,
        stages=stages,
        pe=lanes,
        simd=1,
        lanes=lanes,
        interval=max(beats, beats * lanes // i_lanes),
    )


def argmax_unit(graph: Graph, node: Argmax, i_lanes: int) -> Unit:
    """One element a cycle."""
    source = stream_source(graph, node.inputs[0])
    assert source.type is not None
    assert node.type is not None
    params = ArgmaxParams(length=source.shape[0], kind=source.type, index=node.type)
    return Unit(
        node=node,
        source=source.name,
        stages=(*_convert(source.type, i_lanes, 1), Stage("search", params)),
        pe=1,
        simd=1,
        lanes=1,
        interval=source.shape[0],
    )


def _interval(shape: Geometry, feed: Feed, lanes: int, stages: list[Stage]) -> int:
    """Cycles per image: the slowest block, or the narrowest beats on the way in."""
    incoming = shape.channels * shape.height * shape.width // gcd(feed.lanes, lanes)
    return max(incoming, *(getattr(stage.params, "interval", 0) for stage in stages))


def _type_of(values: np.ndarray) -> IntType:
    return Interval(int(values.min()), int(values.max())).type()


def _convert(kind: IntType, i_lanes: int, o_lanes: int) -> tuple[Stage, ...]:
    if i_lanes == o_lanes:
        return ()
    shared = gcd(i_lanes, o_lanes)
    stages = []
    if shared < i_lanes:
        params = SplitParams(kind=kind, i_lanes=i_lanes, o_lanes=shared)
        stages.append(Stage("split", params))
    if shared < o_lanes:
        params = MergeParams(kind=kind, i_lanes=shared, o_lanes=o_lanes)
        stages.append(Stage("merge", params))
    return tuple(stages)


def _pad(shape: Geometry, lanes: int, value: int, feed: Feed) -> tuple[Stage, ...]:
    """Padding, and a queue that takes what arrives while padding words are sent."""
    if shape.padding == (0, 0):
        return ()
    params = PadParams(
        height=shape.height,
        width=shape.width,
        words=shape.channels // lanes,
        lanes=lanes,
        kind=shape.x,
        padding=shape.padding,
        value=value,
    )
    share = params.longest_run * feed.slack / feed.cycles
    arriving = ceil(share * params.height * params.width * params.words)
    depth = 2 + min(params.longest_run, arriving)
    return Stage("queue", QueueParams(kind=shape.x, lanes=lanes, depth=depth)), Stage("pad", params)


def _hold(window: WindowParams, kind: IntType, lanes: int) -> tuple[Stage, ...]:
    """A register behind results that come every second cycle or more slowly.

    Without it, whether the next unit is ready would decide in the same cycle whether a whole array
    moves.
    """
    if window.beats_per_job == 1:
        return ()
    return (Stage("hold", HoldParams(kind=kind, lanes=lanes)),)


def _window(shape: Geometry, lanes: int, repeats: int = 1, per_word: bool = False) -> WindowParams:
    return WindowParams(
        height=shape.padded[0],
        width=shape.padded[1],
        words=shape.channels // lanes,
        lanes=lanes,
        kind=shape.x,
        kernel=shape.kernel,
        stride=shape.stride,
        repeats=repeats,
        per_word=per_word,
    )


def _lines(shape: Geometry, lanes: int) -> LineBufferParams:
    return LineBufferParams(
        height=shape.padded[0],
        width=shape.padded[1],
        words=shape.channels // lanes,
        lanes=lanes,
        kind=shape.x,
        rows=shape.kernel[0],
        stride=shape.stride[0],
    )


def _column_window(shape: Geometry, folding: Folding, lanes: int, feed: Feed) -> WindowParams:
    """Windows one row high; keeps enough of them to work on while no kernel ends in a row."""
    words = shape.channels // lanes
    idle = (shape.kernel[0] - 1) * shape.padded[1] * words * feed.slack
    repeats = shape.outputs // folding.pe
    per_window = repeats * shape.kernel[1] * words
    return WindowParams(
        height=shape.windows[0],
        width=shape.padded[1],
        words=words,
        lanes=folding.simd,
        kind=shape.x,
        kernel=(1, shape.kernel[1]),
        stride=(1, shape.stride[1]),
        repeats=repeats,
        ahead=ceil(idle / per_window) * shape.stride[1] * words,
    )
