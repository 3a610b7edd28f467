"""The adder layers against formulas written another way, in float64."""

import itertools
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

from hwgen.nn import ETA, AdderConv2d, AdderLinear

# N, Cin, H, W, Cout, kernel, stride, padding
CONVOLUTIONS = [
    (1, 1, 1, 1, 1, 1, 1, 0),
    (3, 2, 7, 9, 5, 3, 1, 1),
    (2, 3, 11, 6, 4, (2, 3), (2, 1), (1, 2)),
    (2, 1, 5, 5, 3, 5, 1, 4),
    (5, 9, 4, 4, 7, 1, 2, 0),
    (33, 2, 6, 6, 3, 3, 1, 0),  # more pixels than one tile
    (1, 3, 3, 300, 2, (3, 2), (1, 3), 0),
    (2, 4, 30, 30, 17, 3, (3, 2), (0, 1)),
]
LINEARS = [(1, 1, 1), (1, 9, 5), (7, 16, 3), (3, 5, 300), (300, 23, 4)]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-13}
DTYPES = list(TOLERANCE)


def windows(x, layer):
    """Yield every output row, column and its window (N, Cin, kh, kw), cut with plain slices."""
    (kh, kw), (sh, sw), (ph, pw) = layer.kernel_size, layer.stride, layer.padding
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    rows = range(0, padded.shape[2] - kh + 1, sh)
    columns = range(0, padded.shape[3] - kw + 1, sw)
    for (i, y), (j, z) in itertools.product(enumerate(rows), enumerate(columns)):
        yield i, j, y, z, padded[:, :, y : y + kh, z : z + kw]


def expected_gradients(x, w, g, layer):
    """Scatter each output pixel's gradient back, one window at a time."""
    (kh, kw), (ph, pw) = layer.kernel_size, layer.padding
    g_x = np.zeros((*x.shape[:2], x.shape[2] + 2 * ph, x.shape[3] + 2 * pw))
    g_w = np.zeros(w.shape)
    for i, j, y, z, window in windows(x, layer):
        difference = window[:, None] - w[None]
        weighted = g[:, :, i, j][:, :, None, None, None]
        g_w += (weighted * difference).sum(0)
        g_x[:, :, y : y + kh, z : z + kw] -= (weighted * np.clip(difference, -1, 1)).sum(1)
    return g_x[:, :, ph : ph + x.shape[2], pw : pw + x.shape[3]], g_w


def conv_case(case, dtype):
    n, c, h, w, out, kernel, stride, padding = case
    torch.manual_seed(0)
    layer = AdderConv2d(c, out, kernel, stride, padding).to(dtype)
    return layer, torch.randn(n, c, h, w, dtype=dtype, requires_grad=True)


def linear_case(case, dtype):
    n, k, out = case
    torch.manual_seed(0)
    return AdderLinear(k, out).to(dtype), torch.randn(n, k, dtype=dtype, requires_grad=True)


def as_double(tensor):
    return tensor.detach().double().numpy()


def assert_near(actual, expected, dtype):
    scale = max(1.0, np.abs(expected).max())
    assert actual.dtype == dtype
    assert actual.shape == expected.shape
    assert np.abs(as_double(actual) - expected).max() <= TOLERANCE[dtype] * scale


def assert_scaled(actual, raw, dtype):
    """AdderNet's local rate: the direction of the raw gradient, the norm eta * sqrt(n)."""
    unit = raw / np.sqrt(np.square(raw).sum())
    assert_near(actual, unit * 0.2 * np.sqrt(raw.size), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
class TestAdderConv2d:
    def test_forward(self, case, dtype):
        layer, x = conv_case(case, dtype)
        y = layer(x)
        expected = np.zeros(y.shape)
        for i, j, _, _, window in windows(as_double(x), layer):
            for o, kernel in enumerate(as_double(layer.weight)):
                expected[:, o, i, j] = -np.abs(window - kernel).sum((1, 2, 3))
        assert_near(y, expected, dtype)

    def test_gradients(self, case, dtype):
        layer, x = conv_case(case, dtype)
        y = layer(x)
        g = torch.randn_like(y)
        y.backward(g)
        operands = [as_double(t) for t in (x, layer.weight, g)]
        g_x, g_w = expected_gradients(*operands, layer)
        assert_near(x.grad, g_x, dtype)
        assert_scaled(layer.weight.grad, g_w, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", LINEARS, ids=str)
class TestAdderLinear:
    def test_forward(self, case, dtype):
        layer, x = linear_case(case, dtype)
        expected = [
            [-sum(abs(p - q) for p, q in zip(a, b, strict=True)) for b in as_double(layer.weight)]
            for a in as_double(x)
        ]
        assert_near(layer(x), np.array(expected), dtype)

    def test_gradients(self, case, dtype):
        layer, x = linear_case(case, dtype)
        y = layer(x)
        g = torch.randn_like(y)
        y.backward(g)
        a, w, weighted = as_double(x), as_double(layer.weight), as_double(g)
        difference = a[:, None] - w[None]
        assert_near(x.grad, -np.einsum("no,nok->nk", weighted, np.clip(difference, -1, 1)), dtype)
        assert_scaled(layer.weight.grad, np.einsum("no,nok->ok", weighted, difference), dtype)


class TestSemantics:
    def test_padded_tap_costs_its_weight(self):
        layer = AdderConv2d(1, 1, 3, padding=1)
        y = layer(torch.zeros(1, 1, 1, 1))
        assert y.item() == pytest.approx(-layer.weight.abs().sum().item(), rel=1e-6)

    def test_bias_is_added(self):
        conv, linear = AdderConv2d(2, 3, 1, bias=True), AdderLinear(4, 3, bias=True)
        image, row = torch.randn(1, 2, 2, 2), torch.randn(2, 4)
        before = conv(image), linear(row)
        with torch.no_grad():
            conv.bias.copy_(torch.tensor([1.0, 2, 3]))
            linear.bias.copy_(torch.tensor([1.0, 2, 3]))
        assert torch.equal(conv(image), before[0] + torch.tensor([1.0, 2, 3])[:, None, None])
        assert torch.equal(linear(row), before[1] + torch.tensor([1.0, 2, 3]))

    def test_linear_takes_leading_dimensions(self):
        layer, x = AdderLinear(5, 4), torch.randn(2, 3, 5, requires_grad=True)
        y = layer(x)
        assert torch.equal(y, layer(x.reshape(6, 5)).reshape(2, 3, 4))
        y.sum().backward()
        assert x.grad.shape == x.shape

    def test_non_contiguous_operands(self):
        layer, x = AdderConv2d(3, 4, 3), torch.randn(2, 3, 8, 8)
        expected = layer(x)
        assert torch.equal(layer(x.to(memory_format=torch.channels_last)), expected)
        layer.to(memory_format=torch.channels_last)
        assert torch.equal(layer(x.mT.contiguous().mT), expected)

    def test_empty_batch(self):
        layer, x = AdderConv2d(1, 2, 3), torch.zeros(0, 1, 5, 5, requires_grad=True)
        y = layer(x)
        assert y.shape == (0, 2, 3, 3)
        y.sum().backward()
        assert x.grad.shape == x.shape

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_half_precision(self, dtype):
        layer, x = AdderConv2d(2, 3, 3), torch.randn(1, 2, 6, 6)
        expected = layer(x)
        y = layer.to(dtype)(x.to(dtype))
        assert y.dtype == dtype
        assert torch.allclose(y.float(), expected, rtol=0.02)

    def test_zero_gradient_stays_zero(self):
        layer, x = AdderLinear(3, 2), torch.randn(4, 3)
        (layer(x) * 0).sum().backward()
        assert not layer.weight.grad.any()

    def test_weight_gradient_ignores_the_scale_of_the_loss(self):
        layer, x = AdderConv2d(2, 3, 3), torch.randn(2, 2, 6, 6)
        norms = []
        for factor in (1, 1000):
            layer.zero_grad()
            (layer(x) * factor).sum().backward()
            norms.append(layer.weight.grad.norm().item())
        assert norms == pytest.approx([ETA * layer.weight.numel() ** 0.5] * 2)

    def test_frozen_operands_get_no_gradient(self):
        layer, x = AdderConv2d(1, 2, 3), torch.randn(1, 1, 5, 5, requires_grad=True)
        layer.weight.requires_grad_(False)
        layer(x).sum().backward()
        assert x.grad is not None
        assert layer.weight.grad is None

    def test_repr_names_the_sizes(self):
        assert repr(AdderLinear(3, 2)) == "AdderLinear(3, 2, bias=False)"
        assert "kernel_size=(3, 3), stride=(1, 1)" in repr(AdderConv2d(1, 2, 3))


class TestDeterminism:
    @pytest.fixture
    def restore_threads(self):
        threads = torch.get_num_threads()
        yield
        torch.set_num_threads(threads)

    @pytest.mark.usefixtures("restore_threads")
    @pytest.mark.parametrize("images", [1, 8])
    def test_threads_change_no_bit_of_outputs_and_input_gradients(self, images):
        torch.manual_seed(0)
        layer, x = AdderConv2d(32, 48, 3, padding=1), torch.randn(images, 32, 30, 30)
        results = []
        for threads in (1, 2, 2):
            torch.set_num_threads(threads)
            leaf = x.clone().requires_grad_()
            y = layer(leaf)
            y.sin().sum().backward()
            results.append((y.detach(), leaf.grad))
        for y, gradient in results[1:]:
            assert torch.equal(y, results[0][0])
            assert torch.equal(gradient, results[0][1])

    @pytest.mark.parametrize("size", [9, 20])  # a tile holds several images, or a part of one
    def test_an_image_does_not_depend_on_its_batch(self, size):
        layer, x = AdderConv2d(3, 5, 3), torch.randn(20, 3, size, size, requires_grad=True)
        y = layer(x)
        alone = torch.cat([layer(image[None]) for image in x])
        assert torch.equal(alone, y)
        (gradient,) = torch.autograd.grad(y.sin().sum(), x)
        (expected,) = torch.autograd.grad(alone.sin().sum(), x)
        assert torch.equal(gradient, expected)


class TestTracing:
    def test_export_gives_one_node_a_layer(self):
        model = torch.nn.Sequential(
            AdderConv2d(1, 2, 3, bias=True), torch.nn.Flatten(), AdderLinear(8, 3)
        )
        example = torch.randn(2, 1, 4, 4)
        exported = torch.export.export(model, (example,), strict=False)
        targets = [n.target for n in exported.graph.nodes if n.op == "call_function"]
        assert targets.count(torch.ops.hwgen.adder_conv2d.default) == 1
        assert targets.count(torch.ops.hwgen.adder_linear.default) == 1
        assert len(targets) == 5  # and the bias's view and addition, and the flattening
        assert torch.equal(exported.module()(example), model(example))

    def test_operators_keep_their_contract(self):
        """Schema, shape rule, autograd registration and tracing agree with what runs."""
        x, weight = (torch.randn(2, 3, 5, 5), torch.randn(4, 3, 3, 3))
        conv, linear = torch.ops.hwgen.adder_conv2d.default, torch.ops.hwgen.adder_linear.default
        operands = x.requires_grad_(), weight.requires_grad_()
        torch.library.opcheck(conv, (*operands, [2, 1], [0, 1]))
        matrix = torch.randn(4, 5, requires_grad=True)
        torch.library.opcheck(linear, (torch.randn(2, 3, 5, requires_grad=True), matrix))


MEMORY_PROBE = """
import resource, torch
from hwgen.nn import AdderConv2d
torch.set_num_threads({threads})
def step(layer, x):
    layer(x).sum().backward()
dtype = getattr(torch, {dtype!r})
step(AdderConv2d(2, 2, 3).to(dtype), torch.randn(1, 2, 5, 5, dtype=dtype, requires_grad=True))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
layer = AdderConv2d({cin}, {cout}, 3, padding=1).to(dtype)
step(layer, torch.randn({n}, {cin}, 32, 32, dtype=dtype, requires_grad=True))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


class TestMemory:
    # All differences at once would be n * 1024 * cout * 9 * cin numbers: 4.8 GB and 1.2 GB here.
    @pytest.mark.parametrize(
        ("dtype", "shape"),
        [
            ("float32", {"threads": 2, "n": 8, "cin": 64, "cout": 256}),
            ("float64", {"threads": 1, "n": 4, "cin": 16, "cout": 256}),
        ],
    )
    def test_step_stays_small(self, dtype, shape):
        code = MEMORY_PROBE.format(dtype=dtype, **shape)
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
        )
        assert float(done.stdout) < 150  # MiB


class TestRefusals:
    @pytest.mark.parametrize(
        ("build", "error", "sentence"),
        [
            (lambda: AdderConv2d(1.5, 2, 3), TypeError, "in_channels must be an integer, not 1.5"),
            (lambda: AdderConv2d(0, 2, 3), ValueError, "in_channels must be at least 1, not 0"),
            (lambda: AdderConv2d(1, -2, 3), ValueError, "out_channels must be at least 1, not -2"),
            (
                lambda: AdderConv2d(1, True, 3),
                TypeError,
                "out_channels must be an integer, not True",
            ),
            (
                lambda: AdderConv2d(1, 2, "3"),
                TypeError,
                "kernel_size must be an integer or a pair of integers, not '3'",
            ),
            (
                lambda: AdderConv2d(1, 2, (3, 3, 3)),
                TypeError,
                "kernel_size must be an integer or a pair of integers, not (3, 3, 3)",
            ),
            (
                lambda: AdderConv2d(1, 2, (3, 0)),
                ValueError,
                "kernel_size must be at least 1, not 0",
            ),
            (
                lambda: AdderConv2d(1, 2, 3, stride=0),
                ValueError,
                "stride must be at least 1, not 0",
            ),
            (
                lambda: AdderConv2d(1, 2, 3, padding=-1),
                ValueError,
                "padding must be at least 0, not -1",
            ),
            (lambda: AdderConv2d(1, 2, 3, bias=1), TypeError, "bias must be True or False, not 1"),
            (lambda: AdderLinear("4", 2), TypeError, "in_features must be an integer, not '4'"),
            (lambda: AdderLinear(4, 0), ValueError, "out_features must be at least 1, not 0"),
            (lambda: AdderLinear(4, 2, bias=0), TypeError, "bias must be True or False, not 0"),
            (
                lambda: AdderConv2d(3, 2, 3)(torch.zeros(1, 2, 5, 5)),
                ValueError,
                "x must be of shape (N, 3, H, W), not (1, 2, 5, 5)",
            ),
            (
                lambda: AdderConv2d(3, 2, 3)(torch.zeros(3, 5, 5)),
                ValueError,
                "x must be of shape (N, 3, H, W), not (3, 5, 5)",
            ),
            (
                lambda: AdderConv2d(1, 2, 3)(torch.zeros(1, 1, 5, 2)),
                ValueError,
                "x must be at least as large as the kernel, not (1, 1, 5, 2)",
            ),
            (
                lambda: AdderConv2d(1, 2, 3)(torch.zeros(1, 1, 5, 5, dtype=torch.float64)),
                TypeError,
                "x must be of the weight's type torch.float32, not torch.float64",
            ),
            (
                lambda: AdderLinear(4, 2)(torch.zeros(1, 3)),
                ValueError,
                "x must be of shape (..., 4), not (1, 3)",
            ),
            (
                lambda: AdderLinear(4, 2)(torch.zeros(1, 4, dtype=torch.int64)),
                TypeError,
                "x must be of the weight's type torch.float32, not torch.int64",
            ),
        ],
    )
    def test_says_what_must_be(self, build, error, sentence):
        with pytest.raises(error, match=f"^{re.escape(sentence)}"):
            build()
