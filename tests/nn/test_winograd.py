"""The Winograd adder layer against loops over tiles and against the convolution it comes from."""

import itertools
import re

import numpy as np
import pytest
import torch

from hwgen.nn import ETA, WinogradAdderConv2d

B = np.array([[1, 0, 0, 0], [0, 1, -1, 1], [-1, 1, 1, 0], [0, 0, 0, -1]])
G = np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]]) / 2
A_STANDARD = np.array([[1, 0], [1, 1], [1, -1], [0, -1]])
# rows of A by their signs: A = diag(signs) A_STANDARD
SIGNS = [(-1, 1, 1, -1), (1, 1, -1, 1), (1, -1, -1, 1), (-1, -1, 1, -1)]
SHAPES = [  # N, C, H, W, O, padding
    (1, 1, 4, 4, 1, 0),
    (2, 3, 6, 8, 4, 1),
    (1, 2, 5, 6, 3, 1),  # odd rows
    (2, 2, 7, 5, 3, (0, 1)),
    (1, 1, 1, 1, 2, 1),
]


def tiles(x, padding):
    """Yield tile row, tile column and the padded 4x4 tile (N, C, 4, 4)."""
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    rows, columns = x.shape[2] + 2 * ph - 2, x.shape[3] + 2 * pw - 2
    framed = np.zeros((*x.shape[:2], rows + 3, columns + 3))
    framed[:, :, ph : ph + x.shape[2], pw : pw + x.shape[3]] = x
    for i, j in itertools.product(range(0, rows, 2), range(0, columns, 2)):
        yield i, j, framed[:, :, i : i + 4, j : j + 4]


def reference(x, w, padding, a, combine):
    """Y tile by tile; ``combine`` takes V (N, 1, C, 4, 4) and w (O, C, 4, 4) to M (N, O, 4, 4)."""
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    height, width = x.shape[2] + 2 * ph - 2, x.shape[3] + 2 * pw - 2
    y = np.zeros((len(x), len(w), height + 1, width + 1))
    for i, j, d in tiles(x, padding):
        m = combine((B.T @ d @ B)[:, None], w)
        y[:, :, i : i + 2, j : j + 2] = a.T @ m @ a
    return y[:, :, :height, :width]


def output_matrix(variant):
    return np.diag(SIGNS[variant]) @ A_STANDARD


def lp(exponent):
    return lambda v, w: -(np.abs(w - v) ** exponent).sum(2)


def make(shape, dtype=torch.float64, variant=0):
    n, c, h, w, outputs, padding = shape
    torch.manual_seed(0)
    layer = WinogradAdderConv2d(c, outputs, padding, variant).to(dtype)
    return layer, torch.randn(n, c, h, w, dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("variant", range(4))
def test_forward(shape, variant, dtype):
    layer, x = make(shape, dtype, variant)
    operands = x.detach().double().numpy(), layer.weight.detach().double().numpy()
    expected = reference(*operands, shape[-1], output_matrix(variant), lp(1))
    assert np.allclose(layer(x).detach().numpy(), expected, atol=1e-4)


def test_with_products_the_transforms_make_a_convolution():
    """The same tiles, B and A with products and G g G' are a 3x3 convolution: A and B are right."""
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal((1, 2, 6, 7)), rng.standard_normal((3, 2, 3, 3))
    kernels = G @ g @ G.T
    products = reference(x, kernels, 1, A_STANDARD, lambda v, w: (w * v).sum(2))
    expected = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(g), padding=1)
    assert np.allclose(products, expected)


@pytest.mark.parametrize("variant", range(4))
def test_every_output_has_five_positive_terms(variant):
    a = output_matrix(variant)
    for u, v in itertools.product(range(2), repeat=2):
        assert (np.outer(a[:, u], a[:, v]) > 0).sum() == 5


@pytest.mark.parametrize("exponent", [1.25, 1.5, 2.0])
@pytest.mark.parametrize("shape", SHAPES[1:4], ids=str)
def test_other_exponents(shape, exponent):
    layer, x = make(shape)
    layer.set_exponent(exponent)
    operands = x.detach().numpy(), layer.weight.detach().numpy()
    expected = reference(*operands, shape[-1], output_matrix(0), lp(exponent))
    assert np.allclose(layer(x).detach().numpy(), expected)


def autograd_gradients(x, w, g, padding, distance):
    """Gradients by torch, through transforms written as matrix products tile by tile."""
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    height, width = g.shape[2:]
    b, a = torch.tensor(B).double(), torch.tensor(output_matrix(0)).double()
    framed = torch.nn.functional.pad(x, (pw, pw + 1, ph, ph + 1))
    total = 0.0
    for i, j in itertools.product(range(0, height, 2), range(0, width, 2)):
        v = b.T @ framed[:, :, i : i + 4, j : j + 4] @ b
        y = a.T @ -distance(w[None] - v[:, None]).sum(2) @ a
        part = g[:, :, i : i + 2, j : j + 2]
        total = total + (part * y[:, :, : part.shape[2], : part.shape[3]]).sum()
    return torch.autograd.grad(total, (x, w))


def scaled_like_adder_layers(gradient):
    return gradient / gradient.norm() * ETA * gradient.numel() ** 0.5


@pytest.mark.parametrize("shape", SHAPES[1:4], ids=str)
class TestGradients:
    def found(self, layer, x):
        y = layer(x)
        g = torch.randn_like(y)
        return g, *torch.autograd.grad(y, (x, layer.weight), g)

    def test_exponent_above_one_is_exact(self, shape):
        layer, x = make(shape)
        layer.set_exponent(1.5)
        g, g_x, g_w = self.found(layer, x)
        power = autograd_gradients(x, layer.weight, g, shape[-1], lambda d: d.abs() ** 1.5)
        assert torch.allclose(g_x, power[0])
        assert torch.allclose(g_w, scaled_like_adder_layers(power[1]))

    def test_exponent_one_is_adder_nets(self, shape):
        """Full precision is the slope of d**2/2, a clipped one that of the Huber function."""
        layer, x = make(shape)
        g, g_x, g_w = self.found(layer, x)

        def huber(d):
            return torch.nn.functional.huber_loss(d, torch.zeros_like(d), reduction="none")

        operands = (x, layer.weight, g, shape[-1])
        assert torch.allclose(g_x, autograd_gradients(*operands, huber)[0])
        full = autograd_gradients(*operands, lambda d: d**2 / 2)[1]
        assert torch.allclose(g_w, scaled_like_adder_layers(full))

    def test_float32_agrees_with_float64(self, shape):
        results = []
        for dtype in (torch.float32, torch.float64):
            layer, _ = make(shape)
            x = make(shape)[1].detach().to(dtype).requires_grad_()
            y = layer.to(dtype)(x)
            results.append(torch.autograd.grad(y.square().sum(), (x, layer.weight)))
        for single, double in zip(*results, strict=True):
            assert torch.allclose(single.double(), double, rtol=1e-3, atol=1e-3)


def test_learns_down_the_exponents():
    torch.manual_seed(0)
    layer, teacher = WinogradAdderConv2d(2, 3), WinogradAdderConv2d(2, 3)
    norm = torch.nn.BatchNorm2d(3)
    optimizer = torch.optim.SGD([*layer.parameters(), *norm.parameters()], lr=0.05)
    losses = []
    for step in range(40):
        layer.set_exponent(max(1.0, 2 - step / 20))
        x = torch.randn(4, 2, 8, 8)
        with torch.no_grad():
            target = torch.nn.functional.batch_norm(teacher(x), None, None, training=True)
        loss = (norm(layer(x)) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert layer.exponent == 1
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_empty_batch():
    layer, x = WinogradAdderConv2d(2, 3), torch.zeros(0, 2, 4, 4, requires_grad=True)
    y = layer(x)
    assert y.shape == (0, 3, 4, 4)
    y.sum().backward()
    assert x.grad.shape == x.shape


@pytest.mark.parametrize("exponent", [1.0, 1.5])
def test_operators_keep_their_contract(exponent):
    x = torch.randn(1, 2, 5, 4, requires_grad=True)
    weight = torch.randn(3, 2, 4, 4, requires_grad=True)
    ops, operands = torch.ops.hwgen, (x, weight, [1, 1], 1)
    if exponent == 1:
        torch.library.opcheck(ops.winograd_adder_conv2d.default, operands)
    else:
        torch.library.opcheck(ops.winograd_power_conv2d.default, (*operands, exponent))


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: WinogradAdderConv2d(1, 2, variant=4), "variant must be between 0 and 3, not 4"),
        (lambda: WinogradAdderConv2d(1, 2, padding=-1), "padding must be at least 0, not -1"),
        (
            lambda: WinogradAdderConv2d(1, 2).set_exponent(0.5),
            "exponent must be between 1 and 2, not 0.5",
        ),
        (
            lambda: WinogradAdderConv2d(1, 2, 0)(torch.zeros(1, 1, 2, 5)),
            "x must be at least as large as the kernel, not (1, 1, 2, 5)",
        ),
        (
            lambda: WinogradAdderConv2d(3, 2)(torch.zeros(1, 1, 5, 5)),
            "x must be of shape (N, 3, H, W), not (1, 1, 5, 5)",
        ),
    ],
)
def test_says_what_must_be(build, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        build()
