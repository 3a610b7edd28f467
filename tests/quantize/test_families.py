"""Networks of all layer families through import and quantizer, against torch and by formulas."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hwgen import nn as hnn
from hwgen.errors import InputError
from hwgen.frontend import from_torch
from hwgen.frontend.integer_torch import run_integer_torch
from hwgen.ir.nodes import Add, AvgPool, Lut, Threshold
from hwgen.quantize import Policy, quantize
from hwgen.quantize.functions import thresholds
from hwgen.quantize.refit import refit
from hwgen_rtl.numerics import BIPOLAR, IntType
from hwgen_sim import golden

SHAPE = (3, 8, 8)


def norm(channels: int) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(channels)
    with torch.no_grad():
        layer.weight.copy_(torch.rand(channels) * 2 - 0.7)  # some negative
        layer.bias.normal_()
    return layer


class Residual(nn.Module):
    """relu(bn(layer(x)) + x)."""

    def __init__(self, layer: nn.Module, channels: int):
        super().__init__()
        self.layer, self.norm = layer, norm(channels)

    def forward(self, x):
        return torch.relu(self.norm(self.layer(x)) + x)


class Ghosts(nn.Module):
    """Shifted copies beside a convolution."""

    def __init__(self):
        super().__init__()
        self.ghost = hnn.GhostShift2d(nn.Conv2d(4, 4, 3, padding=1), 4, per_channel=True)

    def forward(self, x):
        return torch.relu(self.ghost(x))


def head(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), norm(4), nn.ReLU(), *layers)


def tail(channels: int = 4) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 5)]


NETS = {
    "adder": lambda: head(Residual(hnn.AdderConv2d(4, 4, 3, padding=1), 4), *tail()),
    "winograd": lambda: head(Residual(hnn.WinogradAdderConv2d(4, 4, variant=1), 4), *tail()),
    "ghost": lambda: head(Ghosts(), *tail(8)),
    "pow2": lambda: head(hnn.Pow2Conv2d(4, 4, 3, padding=1), norm(4), nn.ReLU(), *tail()),
    "depthwise": lambda: head(nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.ReLU(), *tail()),
    "groups": lambda: head(nn.Conv2d(4, 6, 3, groups=2), nn.ReLU(), *tail(6)),
    "binary weights": lambda: head(hnn.BinaryWeightConv2d(4, 6, 3), norm(6), nn.ReLU(), *tail(6)),
    "prelu": lambda: head(nn.Conv2d(4, 4, 3), nn.PReLU(4), *tail()),
    "hardswish": lambda: head(nn.Conv2d(4, 4, 3), nn.Hardswish(), *tail()),
    "power": lambda: head(nn.Conv2d(4, 4, 3), hnn.PowerActivation(4), *tail()),
    "shuffle": lambda: head(nn.PixelShuffle(2), nn.Upsample(scale_factor=2), nn.Conv2d(1, 2, 3)),
    "few levels": lambda: head(nn.Conv2d(4, 4, 3), norm(4), hnn.QuantReLU(2, 0.4), *tail()),
}
SIGNS = {
    f"xnor {pad}": lambda pad=pad: head(
        hnn.XnorConv2d(4, 6, 3, padding=1, pad=pad), norm(6), hnn.XnorConv2d(6, 4, 3), *tail()
    )
    for pad in ("zero", "plus", "minus")
}


def made(nets, name, seed=0):
    torch.manual_seed(seed)
    module = nets[name]().eval()
    pixels = np.random.default_rng(seed).integers(0, 256, (24, *SHAPE), dtype=np.uint8)
    return module, from_torch(module, torch.rand(2, *SHAPE)), pixels


def real_output(graph, pixels):
    """Real values of the scores before argmax, and all integers."""
    values = golden.run(graph, golden.prepare(graph, pixels))
    scores = graph.output if graph.output.kind != "argmax" else graph[graph.output.inputs[0]]
    scale = np.array(scores.scale).reshape(-1, *[1] * (len(scores.shape) - 1))
    return values[scores.name] * scale, values


@pytest.mark.parametrize("name", [*NETS, *SIGNS])
@pytest.mark.parametrize("bits", [2, 5, 8])
def test_golden_equals_integer_torch(name, bits):
    _, graph, pixels = made(NETS | SIGNS, name)
    integers = quantize(graph, pixels, Policy(bits=bits))
    _, values = real_output(integers, pixels)
    for node, found in run_integer_torch(integers, values["image"]).items():
        np.testing.assert_array_equal(values[node], found, err_msg=node)


@pytest.mark.parametrize("name", NETS)
def test_many_bits_come_close_to_float(name):
    module, graph, pixels = made(NETS, name)
    policy = Policy(bits=10, edge_bits=12, residual_bits=14)
    found, _ = real_output(quantize(graph, pixels, policy), pixels)
    with torch.no_grad():
        wanted = module(torch.from_numpy(pixels / 255).float()).numpy()
    assert np.abs(found - wanted).max() < 0.05 * np.ptp(wanted) + 1e-3


def test_binary_network_keeps_its_signs():
    module, graph, pixels = made(SIGNS, "xnor zero")
    integers = quantize(graph, pixels)
    assert [n.type for n in integers.nodes if isinstance(n, Threshold)] == [BIPOLAR] * 2
    _, values = real_output(integers, pixels)
    with torch.no_grad():
        signs = torch.sign(module[:3](torch.from_numpy(pixels / 255).float())).numpy()
    first = next(n.name for n in integers.nodes if isinstance(n, Threshold))
    assert np.mean(values[first] == np.where(signs >= 0, 1, -1)) > 0.99


def test_a_sign_behind_pooled_signs_costs_nothing():
    torch.manual_seed(0)
    net = head(hnn.Sign(), nn.MaxPool2d(2), hnn.XnorConv2d(4, 2, 3)).eval()
    graph = from_torch(net, torch.rand(2, *SHAPE))
    pixels = np.random.default_rng(0).integers(0, 256, (8, *SHAPE), dtype=np.uint8)
    kinds = [node.kind for node in quantize(graph, pixels).nodes]
    assert [node.kind for node in graph.nodes].count("sign") == 2
    assert kinds.count("threshold") == 1


def test_both_operands_of_a_sum_have_one_scale():
    _, graph, pixels = made(NETS, "adder")
    integers = quantize(graph, pixels, Policy(bits=4, residual_bits=9))
    (total,) = (node for node in integers.nodes if isinstance(node, Add))
    a, b = (integers[name] for name in total.inputs)
    assert a.scale == b.scale == total.scale
    assert max(a.type.bits, b.type.bits) <= 9
    assert next(n for n in integers.nodes if isinstance(n, AvgPool)).kernel == (8, 8)


def test_a_value_read_twice_in_one_way_is_computed_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)

        def forward(self, x):
            x = torch.relu(x)
            return torch.cat([torch.relu(self.a(x)), torch.relu(self.b(x))], 1)

    graph = from_torch(Twice().eval(), torch.rand(2, *SHAPE))
    pixels = np.random.default_rng(0).integers(0, 256, (8, *SHAPE), dtype=np.uint8)
    kinds = [node.kind for node in quantize(graph, pixels).nodes]
    assert kinds.count("requantize") == 3


def test_tables_hold_the_function():
    _, graph, pixels = made(NETS, "hardswish")
    integers = quantize(graph, pixels)
    (lut,) = (node for node in integers.nodes if isinstance(node, Lut))
    before = integers[lut.inputs[0]]
    points = torch.arange(before.type.low, before.type.high + 1) * before.scale[0]
    wanted = F.hardswish(points.double()).numpy() / lut.scale[0]
    clipped = np.clip(wanted, lut.type.low, lut.type.high)
    assert np.abs(integers.tensors[lut.table][0] - clipped).max() <= 0.5


def test_thresholds_are_the_comparison_itself():
    rng = np.random.default_rng(1)
    gain = np.array([0.0, 0.0, *rng.normal(size=30)])
    offset = np.array([0.5, -0.5, *rng.normal(size=30) * 20])
    excess = rng.integers(0, 9, 32)
    levels = np.array([-1.3, 0.2, 4.4])
    kind = IntType(6, signed=True)
    steps, direction = thresholds(gain, offset, excess, levels, kind.low, kind.high)
    for q in range(kind.low, kind.high + 1):
        wanted = (gain * (q - excess) + offset)[:, None] >= levels
        np.testing.assert_array_equal(direction[:, None] * q >= steps, wanted)


def test_zero_is_plus_one():
    steps, direction = thresholds(np.ones(1), np.zeros(1), np.zeros(1), np.zeros(1), -8, 7)
    assert (steps.item(), direction.item()) == (0, 1)


def test_refit_is_the_regression_line():
    rng = np.random.default_rng(2)
    acc = rng.normal(size=(5, 3, 4, 4))
    wanted = acc * np.array([2.0, -1.0, 0.5])[:, None, None] + rng.normal(size=acc.shape)
    acc[:, 2] = 7.0
    gain, offset = refit(acc, wanted, np.array([1.0, 1.0, 0.25]))
    slope, shift = np.polyfit(acc[:, 0].ravel(), wanted[:, 0].ravel(), 1)
    assert (gain[0], offset[0]) == pytest.approx((slope, shift))
    assert tuple(gain[1:]) == (1.0, 0.25)  # the sign would turn; nothing varies
    assert offset[1] == pytest.approx(wanted[:, 1].mean() - acc[:, 1].mean())


class TestRefusals:
    def refused(self, module) -> str:
        graph = from_torch(module.eval(), torch.rand(2, *SHAPE))
        pixels = np.random.default_rng(0).integers(0, 256, (8, *SHAPE), dtype=np.uint8)
        with pytest.raises(InputError) as found:
            quantize(graph, pixels)
        return str(found.value)

    def test_xnor_without_signs(self):
        class Bare(nn.Module):
            def forward(self, x):
                weight = torch.ones(4, 3, 3, 3, dtype=x.dtype)
                return torch.ops.hwgen.xnor_conv2d(x, weight, [1, 1], [0, 0], "zero")

        assert self.refused(Bare()) == (
            "xnor_conv2d (xnor_conv2d) reads image, whose type is uint8 and not bipolar; "
            "put hwgen.nn.Sign in front of it."
        )

    def test_signs_beside_other_values(self):
        class Mixed(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv, self.sign = nn.Conv2d(3, 4, 1), hnn.Sign()
                self.last = nn.Conv2d(8, 2, 1)

            def forward(self, x):
                x = self.conv(x)
                return self.last(torch.cat([self.sign(x), torch.relu(x)], 1))

        found = self.refused(Mixed())
        assert "(concat) joins sign, of -1 and +1, with relu, whose scales cannot be" in found
        assert found.endswith("put hwgen.nn.Sign behind the concat.")
