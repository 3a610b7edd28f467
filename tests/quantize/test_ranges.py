"""Intervals hold every value, are reached where they can be, and overflow is refused."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from hwgen.errors import CheckFailed
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AdderConv2d, AdderLinear, AvgPool, Conv2d, Input, Linear, Requantize
from hwgen.quantize import Policy, intervals, prove, quantize
from hwgen_rtl.numerics import Interval, IntType
from hwgen_sim import fast, golden

from .graphs import Builder, extremes, images, random_graph


def _one_layer(kind, weight, type_, shape=None, bias=None) -> Graph:
    """An input of ``type_`` and one layer of int64 types wide enough."""
    wide, vector = IntType(40, True), weight.ndim == 2
    start = Input(name="x", inputs=(), shape=shape or weight.shape[1:], type=type_, scale=(1.0,))
    size = (len(weight),) if vector else (len(weight), 1, 1)
    extra = {} if vector else {"kernel": weight.shape[2:]}
    if bias is not None:
        extra["bias"] = "b"
    layer = kind(name="y", inputs=("x",), shape=size, weight="w", type=wide, scale=(1.0,), **extra)
    return Graph("n", (start, layer), {"w": weight, "b": bias})


def _all_inputs(graph: Graph) -> np.ndarray:
    kind, count = graph.input.type, int(np.prod(graph.input.shape))
    values = product(range(kind.low, kind.high + 1), repeat=count)
    return np.array(list(values)).reshape(-1, *graph.input.shape)


@pytest.mark.parametrize("type_", [IntType(2, False), IntType(3, True)], ids=str)
@pytest.mark.parametrize("kind", [Linear, AdderLinear, Conv2d, AdderConv2d])
@pytest.mark.parametrize("seed", range(4))
def test_tight_for_one_layer(kind, type_, seed):
    """The interval is exactly the hull of the outputs of all inputs."""
    rng = np.random.default_rng(seed)
    shape = (3, 3) if kind in (Linear, AdderLinear) else (2, 1, 3, 1)
    bias = rng.integers(-9, 9, len(np.empty(shape))) if kind in (Linear, Conv2d) else None
    graph = _one_layer(kind, rng.integers(-6, 7, shape), type_, bias=bias)
    found = golden.run(graph, _all_inputs(graph))["y"]
    assert intervals(graph)["y"] == Interval(int(found.min()), int(found.max()))


@pytest.mark.parametrize("kind", [Conv2d, AdderConv2d])
def test_padded_taps_count_as_zero(kind):
    """An input that never is 0 still meets zeros at the border."""
    graph = _one_layer(kind, np.full((1, 1, 1, 1), -3), IntType(1, False), (1, 1, 1))
    shifted = Requantize(
        name="r", inputs=("x",), shape=(1, 1, 1), type=IntType(4, False), scale=(1.0,),
        multiplier="m", bias="o", shift=0,
    )  # fmt: skip
    layer = replace(graph["y"], inputs=("r",), padding=(1, 1), shape=(1, 3, 3))
    tensors = {**graph.tensors, "m": np.array([1]), "o": np.array([5])}
    graph = Graph("n", (graph.input, shifted, layer), tensors)
    found = golden.run(graph, _all_inputs(graph))["y"]
    assert intervals(graph)["y"] == Interval(int(found.min()), int(found.max()))


@pytest.mark.parametrize("seed", range(12))
def test_sound_on_random_graphs(seed):
    net = random_graph(seed)
    graph = quantize(net, images(net, 8), Policy(bits=4 + seed % 5))
    found = intervals(graph)
    for x in (extremes(graph, 16, seed), golden.prepare(graph, images(net, 16))):
        for name, values in fast.run(graph, x).items():
            assert found[name].low <= values.min() <= values.max() <= found[name].high, name


def test_ends_are_reached_through_requantize():
    net = Builder((3,)).linear(2).norm().graph()
    graph = quantize(net, np.random.default_rng(0).random((99, 3)), Policy(bits=4, edge_bits=4))
    found = golden.run(graph, _all_inputs(graph))
    for name, interval in intervals(graph).items():
        if name != "argmax":
            assert (interval.low, interval.high) == (found[name].min(), found[name].max())


def test_widths_are_listed():
    net = Builder((1, 6, 6)).conv(2, (3, 3), kind=AdderConv2d).norm().pool(AvgPool, (2, 2)).graph()
    widths = prove(quantize(net, images(net, 8)))
    assert [width.kind for width in widths] == ["input", "adder_conv2d", "requantize", "avg_pool"]
    assert (widths[0].interval, str(widths[0].type)) == (Interval(0, 255), "uint8")


def test_refuses_a_narrow_accumulator():
    net = Builder((1, 6, 6)).conv(2, (3, 3), kind=AdderConv2d).norm().graph()
    graph = quantize(net, images(net, 8))
    acc = graph.nodes[1]
    narrow = IntType(acc.type.bits - 1, True)
    broken = graph.with_nodes((graph.nodes[0], replace(acc, type=narrow), *graph.nodes[2:]))
    with pytest.raises(CheckFailed, match=f"adderconv2d1 can reach .* but its type is {narrow}"):
        prove(broken)


def test_refuses_products_beyond_63_bits():
    net = Builder((3,)).linear(2).norm().graph()
    graph = quantize(net, np.random.default_rng(0).random((9, 3)))
    tensors = {**graph.tensors, "batchnorm2.multiplier": np.full(2, 1 << 55)}
    with pytest.raises(CheckFailed, match=r"batchnorm2: acc\*m \+ b can reach .* beyond 63 bits"):
        prove(replace(graph, tensors=tensors))


def test_refuses_a_float_graph():
    net = Builder((3,)).linear(2).norm().graph()
    with pytest.raises(CheckFailed, match="image has no integer type; quantize the graph first"):
        prove(net)
