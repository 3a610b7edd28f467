"""The blocks that units are made of, from a geometry and a folding."""

from dataclasses import dataclass
from math import ceil, gcd

import numpy as np

from hwgen.schedule.geometry import Geometry
from hwgen.schedule.plan import Stage
from hwgen_rtl.convert import MergeParams, SplitParams
from hwgen_rtl.fifo import QueueParams
from hwgen_rtl.hold import HoldParams
from hwgen_rtl.line_buffer import LineBufferParams
from hwgen_rtl.numerics import BIPOLAR, Interval, IntType
from hwgen_rtl.pad import PadParams
from hwgen_rtl.widen import WidenParams
from hwgen_rtl.window import WindowParams

__all__ = [
    "Feed",
    "Folding",
    "Stages",
    "column_window",
    "converters",
    "hold",
    "lines",
    "padding",
    "type_of",
    "unit_interval",
    "widened",
    "window",
]

Stages = tuple[Stage, ...]


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


def type_of(values: np.ndarray) -> IntType:
    """Narrowest type of an array."""
    return Interval(int(values.min()), int(values.max())).type()


def unit_interval(elements: int, i_lanes: int, o_lanes: int, stages: Stages) -> int:
    """Cycles per image: the slowest block, or the narrowest beats on the way in."""
    incoming = elements // gcd(i_lanes, o_lanes)
    return max(incoming, *(getattr(stage.params, "interval", 0) for stage in stages))


def converters(kind: IntType, i_lanes: int, o_lanes: int) -> Stages:
    """From ``i_lanes`` to ``o_lanes`` elements a beat."""
    shared = gcd(i_lanes, o_lanes)
    stages = []
    if shared < i_lanes:
        stages.append(Stage("split", SplitParams(kind=kind, i_lanes=i_lanes, o_lanes=shared)))
    if shared < o_lanes:
        stages.append(Stage("merge", MergeParams(kind=kind, i_lanes=shared, o_lanes=o_lanes)))
    return tuple(stages)


def widened(source: IntType, wanted: IntType, lanes: int) -> Stages:
    """Bits as numbers where 0 can occur beside -1 and +1."""
    if source == wanted:
        return ()
    if source != BIPOLAR:
        raise ValueError(f"source must be bipolar, not {source}")
    return (Stage("widen", WidenParams(lanes=lanes)),)


def padding(
    shape: Geometry, lanes: int, value: int, feed: Feed, extra: tuple[int, int] = (0, 0)
) -> Stages:
    """Padding, and a queue that takes what arrives while padding words are sent."""
    if (shape.padding, extra) == ((0, 0), (0, 0)):
        return ()
    params = PadParams(
        height=shape.height,
        width=shape.width,
        words=shape.channels // lanes,
        lanes=lanes,
        kind=shape.x,
        padding=shape.padding,
        value=value,
        extra=extra,
    )
    share = params.longest_run * feed.slack / feed.cycles
    arriving = ceil(share * params.height * params.width * params.words)
    depth = 2 + min(params.longest_run, arriving)
    return Stage("queue", QueueParams(kind=shape.x, lanes=lanes, depth=depth)), Stage("pad", params)


def hold(reader: WindowParams, kind: IntType, lanes: int) -> Stages:
    """A register behind results that come every second cycle or more slowly.

    Without it, whether the next unit is ready would decide in the same cycle whether a whole array
    moves.
    """
    if reader.beats_per_job == 1:
        return ()
    return (Stage("hold", HoldParams(kind=kind, lanes=lanes)),)


def window(
    shape: Geometry, lanes: int, feed: Feed, repeats: int = 1, per_word: bool = False
) -> WindowParams:
    """A window buffer over the padded image; with slack, it takes rows of the next one early."""
    words = shape.channels // lanes
    rows = min(feed.slack - 1, shape.kernel[0]) * shape.stride[0]
    return WindowParams(
        height=shape.padded[0],
        width=shape.padded[1],
        words=words,
        lanes=lanes,
        kind=shape.x,
        kernel=shape.kernel,
        stride=shape.stride,
        repeats=repeats,
        per_word=per_word,
        ahead=ceil(rows * shape.padded[1] * words),
    )


def lines(shape: Geometry, lanes: int) -> LineBufferParams:
    """A line buffer over the padded image."""
    return LineBufferParams(
        height=shape.padded[0],
        width=shape.padded[1],
        words=shape.channels // lanes,
        lanes=lanes,
        kind=shape.x,
        rows=shape.kernel[0],
        stride=shape.stride[0],
    )


def column_window(shape: Geometry, folding: Folding, lanes: int, feed: Feed) -> WindowParams:
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
