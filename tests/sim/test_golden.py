"""golden == integer torch == fast, on random graphs, types and extremes; the host's step."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.errors import CheckFailed, InputError
from hwgen.frontend import run_integer_torch
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AdderConv2d, Conv2d, MaxPool
from hwgen.quantize import Policy, quantize
from hwgen_rtl.numerics import IntType
from hwgen_sim import fast, golden

from ..quantize.graphs import Builder, extremes, images, random_graph


def _agree(graph: Graph, x: np.ndarray) -> None:
    expected = golden.run(graph, x)
    for found in (fast.run(graph, x), run_integer_torch(graph, x)):
        assert found.keys() == expected.keys()
        for name, values in expected.items():
            assert found[name].dtype == np.int64
            assert np.array_equal(found[name], values), name


@pytest.mark.parametrize("seed", range(24))
def test_three_ways_agree(seed):
    net = random_graph(seed)
    bits = (4, 6, 8, 12, 16)[seed % 5]
    graph = quantize(net, images(net, 8), Policy(bits=bits, edge_bits=bits))
    _agree(graph, golden.prepare(graph, images(net, 5, seed)))
    _agree(graph, extremes(graph, 6, seed))


@pytest.mark.parametrize("kind", [Conv2d, AdderConv2d])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 2), (5, 5)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("padding", [(0, 0), (2, 1)])
def test_shapes(kind, kernel, stride, padding):
    net = Builder((3, 7, 6), signed=True).conv(4, kernel, stride, padding, kind=kind).norm().graph()
    graph = quantize(net, images(net, 4))
    _agree(graph, extremes(graph, 4))


def test_fast_in_chunks(monkeypatch):
    net = random_graph(3)
    graph = quantize(net, images(net, 8))
    monkeypatch.setattr(fast, "_TAP_BYTES", 1)
    _agree(graph, golden.prepare(graph, images(net, 5)))


def test_fast_without_numba(monkeypatch):
    monkeypatch.setattr("hwgen.ir.kernels._compiled", lambda: None)
    net = random_graph(4)
    graph = quantize(net, images(net, 8))
    _agree(graph, golden.prepare(graph, images(net, 5)))


def test_fast_keeps_what_is_asked_for():
    net = random_graph(3)
    graph = quantize(net, images(net, 8))
    x = golden.prepare(graph, images(net, 5))
    assert list(fast.run(graph, x, keep=["argmax"])) == ["argmax"]
    assert fast.run(graph, x[:0])["argmax"].shape == (0, 1)


def test_fast_is_exact_beyond_float64():
    """Products whose sum float64 cannot hold go another way."""
    wide = IntType(40, False)
    net = Builder((2, 3, 3)).conv(1, (3, 3)).graph()
    start = replace(net.input, type=wide, scale=(1.0,))
    layer = replace(net.output, type=IntType(64, True), scale=(1.0,))
    weight = np.full((1, 2, 3, 3), 3**9)
    graph = Graph("n", (start, layer), {layer.weight: weight})
    x = np.full((1, 2, 3, 3), wide.high)
    found = fast.run(graph, x)[layer.name]
    assert found.item() == 18 * 3**9 * wide.high == golden.run(graph, x)[layer.name].item()


def test_argmax_takes_the_first_of_equals():
    net = Builder((4,)).linear(4).graph()
    net = replace(net, tensors={"linear1.weight": np.eye(4)})
    graph = quantize(net, np.random.default_rng(0).random((9, 4)))
    x = np.array([[3, 7, 7, 1], [5, 5, 5, 5], [0, 0, 0, 1]])
    assert golden.run(graph, x)["argmax"].ravel().tolist() == [1, 0, 3]
    _agree(graph, x)


def test_padded_taps_never_win_a_max_pool():
    net = Builder((1, 4, 4)).pool(MaxPool, (3, 3), (2, 2), (1, 1)).graph()
    start = replace(net.input, type=IntType(8, True), scale=(1.0,))
    pool = replace(net.output, type=IntType(8, True), scale=(1.0,))
    graph = Graph("n", (start, pool))
    x = np.full((1, 1, 4, 4), -128)
    assert (golden.run(graph, x)[pool.name] == -128).all()
    _agree(graph, x)


class TestPrepare:
    def graph(self, signed, **fields):
        net = Builder((1, 2, 2), signed=signed).conv(2, (2, 2)).norm().graph()
        net = net.with_nodes((replace(net.input, **fields), *net.nodes[1:]))
        return quantize(net, images(net, 4))

    def test_pixels_of_an_unsigned_input_are_themselves(self):
        pixels = np.arange(256, dtype=np.uint8).reshape(64, 1, 2, 2)
        assert np.array_equal(golden.prepare(self.graph(False), pixels), pixels)

    def test_mean_and_std(self):
        graph = self.graph(True, mean=(0.5,), std=(0.25,))
        pixels = np.array([0, 255, 128, 100], np.uint8).reshape(1, 1, 2, 2)
        step = graph.input.scale[0]
        expected = np.floor((pixels / 255 - 0.5) / 0.25 / step + 0.5)
        assert np.array_equal(golden.prepare(graph, pixels), np.clip(expected, -128, 127))

    def test_real_values_round_half_up_and_saturate(self):
        graph = self.graph(False)
        real = np.array([0.5, 1.5, -3, 999], np.float32).reshape(1, 1, 2, 2)
        step = graph.input.scale[0]
        assert golden.prepare(graph, real * step).ravel().tolist() == [1, 2, 0, 255]

    def test_refused_shapes(self):
        with pytest.raises(InputError, match=r"image takes \(N, 1, 2, 2\); give images of"):
            golden.prepare(self.graph(False), np.zeros((1, 1, 3, 3), np.uint8))


class TestRefusals:
    def graph(self):
        net = Builder((1, 2, 2)).conv(2, (2, 2)).norm().graph()
        return quantize(net, images(net, 4))

    @pytest.mark.parametrize("run", [golden.run, fast.run])
    def test_input(self, run):
        with pytest.raises(InputError, match=r"takes integers of shape .* call prepare first"):
            run(self.graph(), np.zeros((1, 1, 2, 2)))
        with pytest.raises(CheckFailed, match=r"image holds 300\.\.300, outside its type uint8"):
            run(self.graph(), np.full((1, 1, 2, 2), 300))

    @pytest.mark.parametrize("run", [golden.run, fast.run])
    def test_overflow(self, run):
        graph = self.graph()
        narrow = replace(graph.nodes[1], type=IntType(2, True))
        graph = graph.with_nodes((graph.nodes[0], narrow, *graph.nodes[2:]))
        with pytest.raises(CheckFailed, match=r"conv2d1 holds .*, outside its type int2"):
            run(graph, np.full((1, 1, 2, 2), 255))
