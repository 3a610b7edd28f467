"""Ghost layers: shifted copies against single pixels, GhostNet's module, shortcuts, powers."""

import itertools
import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hwgen.nn import (
    AdderConv2d,
    GhostModule,
    GhostShift2d,
    Pow2Conv2d,
    PowerActivation,
    SelfShortcut,
)


def shifted(x, offsets):
    """Pixel by pixel: x[c, i + dy, j + dx], 0 outside."""
    y = torch.zeros_like(x)
    height, width = x.shape[2:]
    for c, i, j in itertools.product(*map(range, x.shape[1:])):
        dy, dx = offsets[c % len(offsets)]
        if 0 <= i + dy < height and 0 <= j + dx < width:
            y[:, c, i, j] = x[:, c, i + dy, j + dx]
    return y


OFFSETS = [
    *([(dy, dx)] for dy in (-1, 0, 1) for dx in (-1, 0, 1)),
    [(0, 1), (-1, 0), (0, 1)],
    [(5, 0)],
    [(2, -3)],
]


@pytest.mark.parametrize("offsets", OFFSETS, ids=str)
def test_shift2d(offsets):
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    flat = [step for offset in offsets for step in offset]
    assert torch.equal(torch.ops.hwgen.shift2d(x, flat), shifted(x, offsets))
    assert torch.autograd.gradcheck(lambda t: torch.ops.hwgen.shift2d(t, flat), (x,))


class TestGhostShift2d:
    def point(self, layer, *positions):
        with torch.no_grad():
            layer.direction.uniform_(-0.1, 0.1)
            for row, position in zip(layer.direction, positions, strict=True):
                row[position] = -3.0  # the largest absolute value counts

    def test_hard_in_eval_mode(self):
        torch.manual_seed(0)
        conv = nn.Conv2d(2, 4, 3, padding=1)
        layer, x = GhostShift2d(conv, 3).eval(), torch.randn(2, 2, 5, 6)
        self.point(layer, 2)
        expected = torch.cat([conv(x), shifted(conv(x)[:, :3], [(-1, 1)])], 1)
        assert torch.equal(layer(x), expected)

    def test_one_direction_a_channel(self):
        layer = GhostShift2d(AdderConv2d(1, 3, 3), 3, per_channel=True).eval()
        self.point(layer, 0, 4, 7)
        x = torch.randn(1, 1, 6, 6)
        y = layer.intrinsic(x)
        assert torch.equal(layer(x)[:, 3:], shifted(y, [(-1, -1), (0, 0), (1, 0)]))

    def test_cold_training_is_eval(self):
        layer, x = (
            GhostShift2d(nn.Conv2d(1, 2, 1), 2, True, temperature=0.01),
            torch.randn(1, 1, 4, 4),
        )
        self.point(layer, 3, 8)
        assert torch.allclose(layer.train()(x), layer.eval()(x), atol=1e-6)

    def test_warm_training_tries_directions_as_often_as_the_softmax_says(self):
        torch.manual_seed(0)
        draws, odds = 4000, torch.tensor([0.0, 0.1, 1.0, 0.2, 0.5, 0, 0, 0, 0.7])
        layer = GhostShift2d(nn.Identity(), draws, True, init=draws, temperature=0.5)
        with torch.no_grad():
            layer.direction.copy_(odds * torch.tensor([1, -1, -1, 1, 1, 1, 1, 1, -1]))
        x = torch.zeros(1, draws, 3, 3)
        x[:, :, 1, 1] = 1  # an impulse: its place in the copy tells the direction
        found = layer(x)[0, draws:].mean(0).flip(0, 1).flatten()
        expected = odds.div(0.5).exp()
        assert torch.allclose(found, expected / expected.sum(), atol=0.03)

    def test_learns_a_direction(self):
        torch.manual_seed(3)
        layer = GhostShift2d(nn.Identity(), 2, init=2)
        optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
        for step in range(80):
            layer.temperature = max(0.1, 0.95**step)
            x = torch.randn(4, 2, 8, 8)
            loss = (layer(x)[:, 2:] - shifted_fast(x, 0, -1)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert layer.offsets() == [0, -1]

    def test_loading_weights_in_eval_mode_moves_the_offsets(self):
        layer, x = GhostShift2d(nn.Identity(), 1, init=1).eval(), torch.randn(1, 1, 4, 4)
        self.point(layer, 0)
        layer.eval()
        other = {"direction": F.one_hot(torch.tensor([7]), 9).float()}
        layer.load_state_dict(other)
        program = torch.export.export(layer, (x,), strict=False)
        assert torch.equal(program.module()(x)[:, 1:], shifted(x, [(1, 0)]))


def shifted_fast(x, dy, dx):
    kernel = torch.zeros(x.shape[1], 1, 3, 3)
    kernel[:, :, 1 + dy, 1 + dx] = 1
    return F.conv2d(x, kernel, padding=1, groups=x.shape[1])


@pytest.mark.parametrize(("out", "ratio", "relu"), [(6, 2, True), (7, 2, False), (8, 3, True)])
def test_ghost_module(out, ratio, relu):
    torch.manual_seed(0)
    layer, x = GhostModule(3, out, ratio=ratio, relu=relu).eval(), torch.randn(2, 3, 6, 6)
    init = {6: 3, 7: 4, 8: 3}[out]
    (conv, norm), (cheap, cheap_norm) = layer.primary[:2], layer.cheap[:2]
    y = norm(F.conv2d(x, conv.weight))
    y = y.clamp(0) if relu else y
    z = cheap_norm(F.conv2d(y, cheap.weight, padding=1, groups=init))
    z = z.clamp(0) if relu else z
    found = layer(x)
    assert found.shape == (2, out, 6, 6)
    assert torch.allclose(found, torch.cat([y, z], 1)[:, :out], atol=1e-6)
    assert cheap.weight.shape == (init * (ratio - 1), 1, 3, 3)


def test_self_shortcut():
    layer, x = nn.Conv2d(2, 2, 3, padding=1), torch.randn(1, 2, 4, 4)
    assert torch.equal(SelfShortcut(layer)(x), layer(x) + x)


class TestPower:
    def test_starts_as_the_identity(self):
        x = torch.randn(2, 3, 4)
        assert torch.allclose(PowerActivation(3)(x), x)

    def test_values(self):
        layer = PowerActivation(2)
        with torch.no_grad():
            layer.log_alpha.copy_(torch.tensor([2.0, 0.5]).log())
        x = torch.tensor([[-3.0, -4.0], [2.0, 9.0], [0.0, 0.0]])
        assert torch.allclose(layer(x), torch.tensor([[-9.0, -2.0], [4.0, 3.0], [0.0, 0.0]]))

    @pytest.mark.parametrize("channels", [1, 3])
    def test_gradients(self, channels):
        torch.manual_seed(0)
        x = torch.rand(2, 3, 4, dtype=torch.float64) + 0.1
        x = (x * torch.randn_like(x).sign()).requires_grad_()
        alpha = (torch.rand(channels, dtype=torch.float64) + 0.5).requires_grad_()
        assert torch.autograd.gradcheck(torch.ops.hwgen.power, (x, alpha))

    def test_gradient_at_zero_is_finite(self):
        layer, x = PowerActivation(), torch.zeros(1, 1, requires_grad=True)
        with torch.no_grad():
            layer.log_alpha.fill_(-0.7)
        layer(x).sum().backward()
        assert torch.isfinite(x.grad).all()
        assert layer.log_alpha.grad.item() == 0


class TestPow2:
    def test_weights(self):
        root = 2**0.5
        weight = torch.tensor(
            [0.0, 1.0, 5.0, -0.26, 0.3, -root / 4 * 1.01, 2**-7.4, 2**-7.6, -1e-9]
        )
        rounded = torch.ops.hwgen.pow2_round(weight, -7, 0)
        assert rounded.tolist() == [0, 1, 1, -0.25, 0.25, -0.5, 2**-7, 0, 0]

    def test_layer_is_a_convolution_with_rounded_weights(self):
        torch.manual_seed(0)
        layer, x = Pow2Conv2d(3, 4, 3, 2, 1, p_min=-3, bias=True), torch.randn(2, 3, 6, 5)
        with torch.no_grad():
            layer.bias.normal_()
        powers = [0.0, *(sign * 2.0**p for p in range(-3, 1) for sign in (-1, 1))]
        y = layer(x)
        weight = torch.ops.hwgen.pow2_round(layer.weight, -3, 0).detach()
        assert set(weight.flatten().tolist()) <= set(powers)
        assert torch.allclose(y, F.conv2d(x, weight, layer.bias, 2, 1), atol=1e-6)

    def test_gradient_goes_straight_through(self):
        layer, x = Pow2Conv2d(2, 3, 3, padding=1).double(), torch.randn(1, 2, 5, 5).double()
        y = layer(x)
        g = torch.randn_like(y)
        y.backward(g)
        weight = torch.zeros_like(layer.weight).requires_grad_()  # linear: any weight will do
        (expected,) = torch.autograd.grad(F.conv2d(x, weight, padding=1), weight, g)
        assert torch.allclose(layer.weight.grad, expected)


def test_operators_keep_their_contract():
    x, w = torch.randn(2, 3, 5, 5, requires_grad=True), torch.ones(4, 3, 3, 3, requires_grad=True)
    ops = torch.ops.hwgen
    torch.library.opcheck(ops.pow2_conv2d.default, (x, w, [2, 1], [0, 1]))
    torch.library.opcheck(ops.pow2_round.default, (torch.randn(5, requires_grad=True), -7, 0))
    torch.library.opcheck(ops.shift2d.default, (x, [0, 1]))
    torch.library.opcheck(ops.power.default, (x, torch.ones(3, requires_grad=True)))


@pytest.mark.parametrize(
    ("build", "error", "sentence"),
    [
        (
            lambda: GhostShift2d(nn.Conv2d(1, 3, 1), 4),
            ValueError,
            "ghost must be between 1 and 3, not 4",
        ),
        (lambda: GhostShift2d(nn.ReLU(), 1), TypeError, "init must be an integer, not None"),
        (
            lambda: GhostShift2d(nn.Identity(), 1, init=2)(torch.zeros(1, 3, 4, 4)),
            ValueError,
            "intrinsic must give 2 channels, not 3",
        ),
        (
            lambda: GhostShift2d(nn.Identity(), 1, init=2, temperature=0.0),
            ValueError,
            "temperature must be positive and finite, not 0.0",
        ),
        (
            lambda: torch.ops.hwgen.shift2d(torch.zeros(1, 3, 4, 4), [0, 1, 1, 0]),
            ValueError,
            "x must be of shape (N, 2, H, W), not (1, 3, 4, 4)",
        ),
        (lambda: GhostModule(1, 4, ratio=1), ValueError, "ratio must be at least 2, not 1"),
        (lambda: GhostModule(1, 4, 2), ValueError, "kernel_size must be odd, not 2"),
        (
            lambda: SelfShortcut(nn.Conv2d(1, 2, 1))(torch.zeros(1, 1, 2, 2)),
            ValueError,
            "layer must keep the shape (1, 1, 2, 2), not (1, 2, 2, 2)",
        ),
        (
            lambda: PowerActivation(2)(torch.zeros(1, 3, 2)),
            ValueError,
            "x must be of shape (N, 2, ...), not (1, 3, 2)",
        ),
        (
            lambda: Pow2Conv2d(1, 1, 1, p_min=1),
            ValueError,
            "p_min must be between -64 and 0, not 1",
        ),
    ],
)
def test_says_what_must_be(build, error, sentence):
    with pytest.raises(error, match=f"^{re.escape(sentence)}"):
        build()
