"""Whole graphs: structure, types, accuracy in real values, and refusals."""

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.inputs import to_real
from hwgen.ir.evaluate import evaluate
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AdderConv2d, AdderLinear, AvgPool, MaxPool, Requantize
from hwgen.ir.serialize import load_graph, save_graph
from hwgen.quantize import Policy, prove, quantize
from hwgen_sim import fast, golden

from .graphs import Builder, images, random_graph


def _net(signed=False) -> Graph:
    chain = Builder((1, 12, 12), signed=signed).conv(4, (3, 3), bias=True).norm()
    chain.pool(MaxPool, (2, 2), (2, 2)).conv(6, (3, 3), kind=AdderConv2d).norm()
    return chain.pool(AvgPool, (3, 3)).flatten().linear(5, bias=True).graph()


def _kinds(graph: Graph) -> list[tuple[str, str]]:
    return [(node.name, str(node.type)) for node in graph.nodes]


def test_structure():
    graph = quantize(_net(), images(_net(), 8))
    assert [(name, kind.startswith("uint")) for name, kind in _kinds(graph)] == [
        ("image", True),
        ("conv2d1", False),
        ("batchnorm2", True),
        ("maxpool4", True),
        ("adderconv2d5", False),
        ("batchnorm6", True),
        ("avgpool8", True),
        ("avgpool8_requantize", True),
        ("flatten9", True),
        ("linear10", False),
        ("argmax", True),
    ]
    assert graph["batchnorm2"].inputs == ("conv2d1",)
    assert graph["flatten9"].inputs == ("avgpool8_requantize",)
    assert (graph.output.shape, graph.output.scale, str(graph.output.type)) == (
        (1,),
        (1.0,),
        "uint3",
    )


def test_scales():
    pixels = images(_net(), 8)
    graph = quantize(_net(), pixels)
    largest = evaluate(_net(), pixels / 255)["avgpool8"].max()
    assert graph["image"].scale == (1 / 255,)
    assert len(graph["conv2d1"].scale) == 4
    assert graph["adderconv2d5"].scale == graph["batchnorm2"].scale
    assert graph["avgpool8"].scale[0] * 9 == pytest.approx(graph["batchnorm6"].scale[0])
    assert 0.1 <= graph["avgpool8_requantize"].scale[0] * 255 / largest <= 1.0001
    assert len(graph["linear10"].scale) == 1
    assert graph.tensors["linear10.bias"].dtype == np.int64


def test_input_type_follows_the_sign_of_the_normalized_pixels():
    for signed, expected in ((False, "uint8"), (True, "int8")):
        net = _net(signed)
        graph = quantize(net, images(net, 4))
        assert str(graph.input.type) == expected
        ends = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1) * np.ones((1, 1, 12, 12), np.uint8)
        real = golden.prepare(graph, ends) * graph.input.scale[0]
        assert np.allclose(real, to_real(ends, net.input.mean, net.input.std), atol=0.01)


@pytest.mark.parametrize("bits", range(4, 17))
def test_every_width(bits):
    net = _net(signed=True)
    graph = quantize(net, images(net, 8), Policy(bits=bits))
    assert graph["batchnorm2"].type.bits == bits
    assert graph.input.type.bits == max(bits, 8)
    for node in graph.nodes:
        if isinstance(node, Requantize):
            assert np.abs(graph.tensors[node.multiplier]).max() < 1 << 17
            assert 0 <= node.shift <= 40
    weight = graph.tensors["adderconv2d5.weight"]
    assert graph["maxpool4"].type.holds(weight)


@pytest.mark.parametrize("calibration", ["mse", "percentile"])
@pytest.mark.parametrize("seed", range(8))
def test_close_to_float(seed, calibration):
    net = random_graph(seed)
    graph = quantize(net, images(net, 32), Policy(bits=12, edge_bits=12, calibration=calibration))
    x = images(net, 16, seed=1)
    real = evaluate(net, to_real(x, net.input.mean, net.input.std))[net.output.name]
    scores = graph.nodes[-2]
    found = fast.run(graph, golden.prepare(graph, x))[scores.name] * np.array(scores.scale)
    assert np.abs(found - real).max() <= 0.03 * np.abs(real).max()


def test_int8_within_tolerance():
    net = _net()
    graph = quantize(net, images(net, 32))
    x = images(net, 32, seed=1)
    real = evaluate(net, to_real(x, net.input.mean, net.input.std))["linear10"]
    found = golden.run(graph, golden.prepare(graph, x))["linear10"] * graph["linear10"].scale[0]
    assert np.abs(found - real).mean() <= 0.03 * np.abs(real).mean()


def test_more_bits_are_closer():
    net = _net()
    x = images(net, 16, seed=1)
    real = evaluate(net, to_real(x, net.input.mean, net.input.std))["linear10"]
    errors = []
    for bits in (4, 6, 8, 10):
        graph = quantize(net, images(net, 32), Policy(bits=bits, edge_bits=12))
        found = fast.run(graph, golden.prepare(graph, x))["linear10"] * graph["linear10"].scale[0]
        errors.append(np.abs(found - real).mean())
    assert errors == sorted(errors, reverse=True)


def test_layers_without_batch_norm():
    chain = Builder((2, 6, 6)).conv(3, (3, 3), kind=AdderConv2d).conv(3, (3, 3)).relu()
    graph = quantize(chain.flatten().linear(2).graph(), images(chain.graph(), 4))
    assert [node.name for node in graph.nodes[1:5]] == [
        "adderconv2d1", "adderconv2d1_requantize", "conv2d2", "relu3",
    ]  # fmt: skip


def test_last_adder_layer_gives_its_excess_back_exactly():
    net = Builder((5,), signed=True).linear(4, AdderLinear).graph()
    graph = quantize(net, np.random.default_rng(0).uniform(-0.3, 0.3, (50, 5)))
    assert [node.kind for node in graph.nodes[1:]] == ["adder_linear", "requantize", "argmax"]
    x = golden.prepare(graph, np.random.default_rng(1).normal(size=(20, 5)))
    weight = np.rint(net.tensors["adderlinear1.weight"] / graph.input.scale[0])
    expected = -np.abs(x[:, None] - weight).sum(axis=2)
    assert np.array_equal(golden.run(graph, x)["adderlinear1_requantize"], expected)


def test_last_batch_norm_gets_more_bits():
    net = Builder((5,)).linear(4).norm(relu=False).graph()
    graph = quantize(net, np.random.default_rng(0).random((50, 5)))
    assert str(graph["batchnorm2"].type) == "int16"


def test_images_out_have_no_argmax():
    net = Builder((2, 6, 6)).conv(3, (3, 3)).graph()
    assert quantize(net, images(net, 2)).output.name == "conv2d1"


def test_files(tmp_path):
    graph = quantize(_net(), images(_net(), 4))
    paths = tmp_path / "2-quantized.json", tmp_path / "2-tensors.npz"
    save_graph(graph, *paths)
    again = load_graph(*paths)
    assert again == graph
    assert prove(again) == prove(graph)


def test_is_deterministic():
    one, two = (quantize(_net(), images(_net(), 8)) for _ in range(2))
    assert one == two
    assert all(np.array_equal(one.tensors[key], two.tensors[key]) for key in one.tensors)


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        (np.zeros((0, 1, 12, 12), np.uint8), "there are no calibration samples"),
        (np.full((1, 1, 12, 12), np.nan), "hold NaN or infinity"),
        (np.zeros((1, 3, 12, 12), np.uint8), r"the model takes \(N, 1, 12, 12\)"),
        (np.zeros((1, 1, 12, 12), np.int64), "must be uint8 or float, not int64"),
    ],
)
def test_refused_samples(samples, sentence):
    with pytest.raises(InputError, match=sentence):
        quantize(_net(), samples)


def test_refuses_integers():
    graph = quantize(_net(), images(_net(), 4))
    with pytest.raises(InputError, match="holds integers already"):
        quantize(graph, images(_net(), 4))
