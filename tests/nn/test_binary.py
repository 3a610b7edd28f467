"""Sign, the XNOR layers and the binary-weight layers against loops over single products."""

import itertools
import re

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from hwgen.nn import (
    BinaryWeightConv2d,
    BinaryWeightLinear,
    QuantReLU,
    Sign,
    XnorConv2d,
    XnorLinear,
)

PADS = {"zero": 0, "plus": 1, "minus": -1}


def sgn(values):
    return np.where(values < 0, -1, 1)


def binary_sums(x, w, stride, padding, pad_value):
    """Sum of products of signs; taps outside hold ``pad_value``. Loops over everything."""
    n, c, height, width = x.shape
    outputs, _, kh, kw = w.shape
    size = [(s + 2 * padding - k) // stride + 1 for s, k in ((height, kh), (width, kw))]
    sums = np.zeros((n, outputs, *size))
    for b, o, i, j in itertools.product(*map(range, sums.shape)):
        for d, u, v in itertools.product(range(c), range(kh), range(kw)):
            y, z = i * stride + u - padding, j * stride + v - padding
            inside = 0 <= y < height and 0 <= z < width
            tap = sgn(x[b, d, y, z]) if inside else pad_value
            sums[b, o, i, j] += tap * sgn(w[o, d, u, v])
    return sums


def test_sign_of_zero_is_plus_one():
    x = torch.tensor([-2.0, -0.0, 0.0, 1e-30, 3.0])
    assert Sign()(x).tolist() == [-1, 1, 1, 1, 1]


def test_gradient_of_sign_stops_beyond_one():
    x = torch.tensor([-1.5, -1.0, 0.3, 1.0, 1.01], requires_grad=True)
    (Sign()(x) * torch.arange(1.0, 6)).sum().backward()
    assert x.grad.tolist() == [0, 2, 3, 4, 0]


@pytest.mark.parametrize("pad", PADS)
@pytest.mark.parametrize(("stride", "padding", "kernel"), [(1, 1, 3), (2, 2, (3, 2)), (1, 0, 1)])
def test_xnor_conv2d(pad, stride, padding, kernel):
    torch.manual_seed(0)
    layer = XnorConv2d(3, 4, kernel, stride, padding, pad, bias=True)
    with torch.no_grad():
        layer.bias.copy_(torch.arange(4.0))
        layer.weight[0, 0, 0, 0] = 0
    x = torch.randn(2, 3, 5, 6).round()  # with zeros
    weight = layer.weight.detach().numpy()
    sums = binary_sums(x.numpy(), weight, stride, padding, PADS[pad])
    alpha = np.array([np.abs(kernel).sum() / kernel.size for kernel in weight])
    expected = sums * alpha[:, None, None] + np.arange(4)[:, None, None]
    assert np.allclose(layer(x).detach().numpy(), expected, atol=1e-5)


def test_xnor_linear():
    torch.manual_seed(0)
    layer, x = XnorLinear(7, 3), torch.randn(2, 5, 7).round()
    w = layer.weight.detach().numpy()
    matches = (sgn(x.numpy())[:, :, None] == sgn(w)).sum(-1)
    expected = (2 * matches - 7) * np.abs(w).mean(1)
    assert np.allclose(layer(x).detach().numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("pad", PADS)
def test_xnor_gradients_are_those_of_a_convolution(pad):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 5, 6, dtype=torch.float64, requires_grad=True)
    w = torch.randn(4, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    y = torch.ops.hwgen.xnor_conv2d(x, w, [2, 1], [1, 2], pad)
    framed = F.pad(x, (2, 2, 1, 1), value=float(PADS[pad]))
    reference = F.conv2d(framed, w, stride=(2, 1))
    g = torch.randn_like(y)
    found, expected = (torch.autograd.grad(out, (x, w), g) for out in (y, reference))
    assert all(torch.allclose(a, b) for a, b in zip(found, expected, strict=True))


def test_xnor_linear_gradients():
    x = torch.randn(2, 3, 5, dtype=torch.float64, requires_grad=True)
    w = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(torch.ops.hwgen.xnor_linear, (x, w))


def test_weight_gradient_has_both_parts():
    """d/dw of mean|w| * sign(w): the scale's part, and the straight-through part of the sign."""
    layer = XnorLinear(2, 1)
    layer.weight.data = torch.tensor([[0.5, -1.5]])
    layer(torch.tensor([[3.0, -2.0]])).sum().backward()
    # y = alpha * (s1*1 + s2*-1), alpha = 1, both signs match: sum 2
    scale = 2 * torch.tensor([0.5, -0.5])
    through = torch.tensor([1.0 * 1, 0.0])  # |-1.5| > 1 stops
    assert torch.allclose(layer.weight.grad, (scale + through)[None])


def test_binary_weight_layers():
    torch.manual_seed(0)
    conv, x = BinaryWeightConv2d(3, 4, 3, 2, 1, bias=True), torch.randn(2, 3, 6, 5)
    weight = conv.weight.detach()
    scaled = torch.stack([sum(w.abs().flatten()) / w.numel() * torch.sign(w) for w in weight])
    expected = F.conv2d(x, scaled, conv.bias, 2, 1)
    assert torch.allclose(conv(x), expected, atol=1e-5)
    linear, rows = BinaryWeightLinear(5, 3), torch.randn(4, 5)
    w = linear.weight.detach()
    assert torch.allclose(linear(rows), rows @ (w.abs().mean(1, keepdim=True) * w.sign()).T)


class TestQuantReLU:
    @pytest.mark.parametrize("bits", [1, 2, 3, 4])
    def test_levels(self, bits):
        layer = QuantReLU(bits, step=0.5)
        levels = 0.5 * np.arange(2**bits)
        x = np.linspace(-2, 10, 1001, dtype=np.float32)
        nearest = np.abs(x[:, None] - levels).argmin(1)
        ties = np.isclose((x / 0.5) % 1, 0.5)
        found = layer(torch.tensor(x)).numpy()
        assert np.array_equal(found[~ties], levels[nearest][~ties])

    def test_ties_go_up(self):
        assert QuantReLU(2, step=1.0)(torch.tensor([-0.5, 0.5, 1.5, 2.5])).tolist() == [0, 1, 2, 3]

    def test_gradients(self):
        layer = QuantReLU(2)
        with torch.no_grad():
            layer.step.fill_(0.5)
        x = torch.tensor([-0.3, 0.1, 0.6, 1.5, 4.0], requires_grad=True)
        g = torch.tensor([1.0, 2, 3, 4, 5])
        (layer(x) * g).sum().backward()
        assert x.grad.tolist() == [0, 2, 3, 4, 0]
        # below 0: 0; inside: round(v) - v; above: 3; v = 0.2, 1.2, 3
        expected = (2 * (0 - 0.2) + 3 * (1 - 1.2) + 0 + 5 * 3) / (5 * 3) ** 0.5
        assert layer.step.grad.item() == pytest.approx(expected, rel=1e-5)

    def test_given_step_is_no_parameter(self):
        assert not list(QuantReLU(2, step=0.1).parameters())
        assert len(list(QuantReLU(2).parameters())) == 1

    def test_first_step_is_lsq_of_a_normal_input(self):
        torch.manual_seed(0)
        mean = torch.randn(200_000).relu().mean()
        for bits in (1, 2, 3, 4):
            expected = 2 * mean / (2**bits - 1) ** 0.5
            assert QuantReLU(bits).step.item() == pytest.approx(expected.item(), rel=0.02)


def test_operators_keep_their_contract():
    x, w = torch.randn(2, 3, 5, 5).sign().requires_grad_(), torch.randn(4, 3, 3, 3).sign()
    ops = torch.ops.hwgen
    torch.library.opcheck(ops.sign.default, (torch.randn(3, 4, requires_grad=True),))
    conv = (x, w.requires_grad_(), [2, 1], [0, 1], "plus")
    torch.library.opcheck(ops.xnor_conv2d.default, conv)
    rows, matrix = torch.randn(2, 5, requires_grad=True), torch.randn(4, 5, requires_grad=True)
    torch.library.opcheck(ops.xnor_linear.default, (rows, matrix))
    step = torch.tensor(0.3, requires_grad=True)
    torch.library.opcheck(ops.quant_relu.default, (rows, step, 3))


@pytest.mark.parametrize(
    ("build", "error", "sentence"),
    [
        (lambda: XnorConv2d(0, 2, 3), ValueError, "in_channels must be at least 1, not 0"),
        (
            lambda: XnorConv2d(1, 2, 3, pad="one"),
            ValueError,
            "pad must be one of 'zero', 'plus', 'minus', not 'one'",
        ),
        (lambda: BinaryWeightConv2d(1, 2, 3, 0), ValueError, "stride must be at least 1, not 0"),
        (lambda: QuantReLU(5), ValueError, "bits must be between 1 and 4, not 5"),
        (lambda: QuantReLU(2.0), TypeError, "bits must be an integer, not 2.0"),
        (lambda: QuantReLU(2, step=0), ValueError, "step must be positive and finite, not 0"),
        (lambda: QuantReLU(2, step="1"), TypeError, "step must be a number, not '1'"),
        (
            lambda: XnorConv2d(3, 2, 3)(torch.zeros(1, 2, 5, 5)),
            ValueError,
            "x must be of shape (N, 3, H, W), not (1, 2, 5, 5)",
        ),
    ],
)
def test_says_what_must_be(build, error, sentence):
    with pytest.raises(error, match=f"^{re.escape(sentence)}"):
        build()
