"""Units that read windows: layers and pools."""

from dataclasses import replace

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AnyNode, AvgPool, Conv2d, Layer, MaxPool, WinogradAdderConv2d, XnorConv2d
from hwgen.ir.rules import PAD_VALUES
from hwgen.schedule.blocks import (
    Feed,
    Folding,
    Stages,
    column_window,
    converters,
    hold,
    lines,
    padding,
    type_of,
    unit_interval,
    widened,
    window,
)
from hwgen.schedule.geometry import Geometry, divisors, geometry, kernel_of, stream_source
from hwgen.schedule.plan import Stage, Unit
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.depthwise import DepthwiseParams
from hwgen_rtl.drain import DrainParams
from hwgen_rtl.finish import FinishParams
from hwgen_rtl.lanes import distances_of
from hwgen_rtl.numerics import BIPOLAR, IntType
from hwgen_rtl.pool import PoolParams
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_rtl.winograd import tile_grid
from hwgen_rtl.winograd_stages import winograd_stages

__all__ = ["array_unit", "depthwise_unit", "pool_unit", "winograd_unit"]


def array_unit(graph: Graph, node: Layer, feed: Feed, folding: Folding) -> Unit:
    """A convolution or linear layer: lane conversion, padding, line buffer, window and array."""
    shape = geometry(graph, node)
    lanes = folding.simd // shape.kernel[0] if folding.columns else folding.simd
    pad_value = PAD_VALUES[node.pad] if isinstance(node, XnorConv2d) else 0
    stages = _entry(graph, node, shape, feed, lanes, pad_value)
    reader = window(shape, lanes, feed, repeats=shape.outputs // folding.pe)
    if folding.columns:
        stages += (Stage("lines", lines(shape, lanes)),)
        reader = column_window(shape, folding, lanes, feed)
    array = _array(graph, node, folding, reader)
    width = _results_per_beat(array)
    stages += (
        Stage("array", WindowedParams(window=reader, datapath=array)),
        Stage("drain", DrainParams(array=array, lanes=width)),
        Stage("finish", FinishParams(array=array, lanes=width)),
    )
    order = "columns" if folding.columns else "words"
    unit = _unit(graph, node, shape, feed, lanes, stages, folding.pe, folding.simd, order)
    return replace(unit, lanes=width)


def _results_per_beat(array: ArrayParams) -> int:
    """Fewest lanes on which the results of a job have left when the next ones come."""
    cycles = max(1, array.beats - 1)  # a drain without a way through rests for a cycle
    return min(lanes for lanes in divisors(array.pe) if array.pe // lanes <= cycles)


def depthwise_unit(graph: Graph, node: Conv2d, feed: Feed, lanes: int) -> Unit:
    """A depthwise convolution: ``lanes`` channels at a time, one tap a cycle."""
    shape = geometry(graph, node)
    reader = window(shape, lanes, feed, per_word=True)
    assert node.type is not None
    datapath = DepthwiseParams(
        x=shape.x,
        w=type_of(graph.tensors[node.weight]),
        acc=node.type,
        lanes=lanes,
        beats=reader.beats_per_job,
        words=reader.words,
    )
    stages = _entry(graph, node, shape, feed, lanes, 0)
    stages += (Stage("array", WindowedParams(window=reader, datapath=datapath)),)
    stages += hold(reader, datapath.acc, lanes)
    return _unit(graph, node, shape, feed, lanes, stages, lanes, 1)


def pool_unit(graph: Graph, node: MaxPool | AvgPool, feed: Feed, lanes: int) -> Unit:
    """A max pool or window sum: ``lanes`` channels at a time, one tap a cycle."""
    shape = geometry(graph, node)
    maximum = isinstance(node, MaxPool)
    reader = window(shape, lanes, feed, per_word=True)
    assert node.type is not None
    pool = PoolParams(
        operation="max" if maximum else "sum",
        kind=shape.x,
        result=node.type,
        lanes=lanes,
        beats=reader.beats_per_job,
    )
    stages = _entry(graph, node, shape, feed, lanes, shape.x.low if maximum else 0)
    stages += (Stage("pool", WindowedParams(window=reader, datapath=pool)),)
    stages += hold(reader, pool.result, lanes)
    return _unit(graph, node, shape, feed, lanes, stages, lanes, 1)


def winograd_unit(graph: Graph, node: WinogradAdderConv2d, feed: Feed, folding: Folding) -> Unit:
    """A Winograd adder layer: ``simd`` input channels and ``pe`` output channels at a time."""
    shape = geometry(graph, node)
    assert node.type is not None
    size = shape.height, shape.width
    chain = winograd_stages(
        channels=shape.channels,
        outputs=shape.outputs,
        size=size,
        padding=shape.padding,
        x=shape.x,
        w=type_of(graph.tensors[node.weight]),
        acc=node.type,
        lanes=folding.simd,
        pe=folding.pe,
        variant=node.variant,
        slack=feed.slack,
    )
    extra = tile_grid(size, shape.padding).extra
    stages = _entry(graph, node, shape, feed, folding.simd, 0, extra)
    stages += tuple(Stage(name, params) for name, params in chain)
    return _unit(graph, node, shape, feed, folding.simd, stages, folding.pe, folding.simd)


def _entry(
    graph: Graph,
    node: AnyNode,
    shape: Geometry,
    feed: Feed,
    lanes: int,
    pad_value: int,
    extra: tuple[int, int] = (0, 0),
) -> Stages:
    """What stands in front of every window: wider numbers, other lanes, padding."""
    source = stream_source(graph, node.inputs[0])
    assert source.type is not None
    return (
        *widened(source.type, shape.x, feed.lanes),
        *converters(shape.x, feed.lanes, lanes),
        *padding(shape, lanes, pad_value, feed, extra),
    )


def _array(graph: Graph, node: Layer, folding: Folding, reader: WindowParams) -> ArrayParams:
    assert node.type is not None
    kernel = kernel_of(graph, node)
    weight = graph.tensors[node.weight]
    return ArrayParams(
        kernel=kernel,
        x=reader.kind,
        w=_weight_type(graph, node, kernel),
        acc=node.type,
        simd=folding.simd,
        pe=folding.pe,
        beats=reader.beats_per_job,
        folds=reader.repeats,
        distances=distances_of(weight) if kernel == "shift" else (),
    )


def _weight_type(graph: Graph, node: Layer, kernel: str) -> IntType:
    if kernel in ("xnor", "sign"):
        return BIPOLAR
    weight = graph.tensors[node.weight]
    found = type_of(weight)
    if getattr(node, "groups", 1) == 1:
        return found
    return type_of(weight.reshape(-1).clip(min(weight.min(), 0), max(weight.max(), 0)))


def _unit(
    graph: Graph,
    node: AnyNode,
    shape: Geometry,
    feed: Feed,
    i_lanes: int,
    stages: Stages,
    pe: int,
    simd: int,
    tap_order: str = "words",
) -> Unit:
    elements = shape.channels * shape.height * shape.width
    return Unit(
        node=node,
        sources=(stream_source(graph, node.inputs[0]).name,),
        stages=stages,
        pe=pe,
        simd=simd,
        lanes=pe,
        interval=unit_interval(elements, feed.lanes, i_lanes, stages),
        tap_order=tap_order,
    )
