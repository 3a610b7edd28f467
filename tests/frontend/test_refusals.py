"""What cannot become hardware is refused once, each operator with its reason and a rewrite."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hwgen.errors import UnsupportedModel
from hwgen.frontend import from_torch
from hwgen.nn import WinogradAdderConv2d

W = torch.full((2, 4, 1, 1), 0.3)
X = torch.rand(2, 4, 8, 8)


class Function(nn.Module):
    """A function of one tensor as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def annealing():
    """A layer whose training has not ended."""
    layer = WinogradAdderConv2d(4, 2)
    layer.set_exponent(1.5)
    return layer


CASES = [
    (nn.Conv2d(4, 4, 3, dilation=2), r"dilation=\(2, 2\) is not supported; use dilation=1"),
    (nn.Conv2d(4, 4, 2, padding="same"), "even kernel is lopsided; give padding as a number"),
    (nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"), "use the padding of the layer"),
    (nn.ConvTranspose2d(4, 4, 3), "it has no hardware; build it from conv2d"),
    (nn.MaxPool2d(3, ceil_mode=True), "ceil_mode=True adds a partial window to 8 elements; use"),
    (nn.MaxPool2d(2, dilation=2), "dilation=.* is not supported"),
    (nn.AvgPool2d(3, padding=1, count_include_pad=False), "use count_include_pad=True"),
    (nn.AvgPool2d(2, divisor_override=3), "leave divisor_override out"),
    (nn.AdaptiveAvgPool2d(3), "from 8x8 to 3x3 has unequal windows"),
    (nn.BatchNorm2d(4, track_running_stats=False), "statistics of the batch; use track_running"),
    (nn.Sigmoid(), "it has no hardware; use ReLU"),
    (nn.LogSoftmax(1), "remove it for inference"),
    (nn.Linear(8, 2), r"its input has shape \(2, 4, 8, 8\) and not \(N, F\); flatten before it"),
    (Function(lambda x: x * x.relu()), "combines two feature maps, and not by a sum; add or"),
    (Function(lambda x: x - x.relu()), "combines two feature maps, and not by a sum; add or"),
    (Function(lambda x: x + x[:, :1]), r"shapes \(2, 4, 8, 8\) and \(2, 1, 8, 8\); add feature"),
    (
        Function(lambda x: torch.add(x, x.relu(), alpha=2)),
        "alpha=2 scales one of two feature maps; multiply",
    ),
    (Function(lambda x: torch.cat([x, x], 2)), "along axis 2; concatenate the channels, dim=1"),
    (Function(lambda x: torch.cat([x, torch.ones(2, 1, 8, 8)], 1)), "its parts is a constant"),
    (Function(lambda x: x[:, :, 2:]), "it cuts axis 2; cut channels only"),
    (Function(lambda x: x[:, ::2]), "it cuts axis 1 in steps of 2; cut channels only"),
    (Function(lambda x: x[:, :, ::2, ::2]), "a convolution of stride 2 skips pixels"),
    (Function(lambda x: x.narrow(3, 0, 4)), "it cuts axis 3; cut channels only"),
    (Function(lambda x: x.split(4, 2)[0]), "split .* it cuts axis 2; cut channels only"),
    (Function(lambda x: x[:, 0]), "keep the axis"),
    (nn.Upsample(scale_factor=1.5), "from 8x8 to 12x12 has no whole factor; use one integer"),
    (nn.Upsample(scale_factor=(1, 2)), "from 8x8 to 8x16 has no whole factor"),
    (nn.Upsample(scale_factor=2.1), "from 8x8 to 16x16 has no whole factor"),
    (nn.Upsample(scale_factor=2, mode="bilinear"), "use nearest upsampling, or pixel shuffle"),
    (annealing(), r"winograd_power_conv2d.*end the training with set_exponent\(1\)"),
    (Function(lambda x: torch.ops.hwgen.xnor_conv2d(x, W, [1, 1], [0, 0], "zero")), "-1 and"),
    (Function(lambda x: torch.ops.hwgen.pow2_conv2d(x, W, [1, 1], [0, 0])), "powers of two; use"),
    (Function(lambda x: torch.ops.hwgen.quant_relu(x, torch.tensor(-1.0), 2)), "one positive step"),
    (Function(lambda x: torch.ops.hwgen.power(x, torch.tensor([-1.0]))), "is not positive; use"),
    (Function(lambda x: x.view(2, 8, 4, 8)), "is no flatten; keep"),
    (Function(lambda x: x + torch.ones(8, 8)), "is not one number per channel"),
    (Function(lambda x: 1 / x), "it divides by the input|no hardware"),
    (Function(lambda x: x.mean(1)), r"mean over the axes \[1\]; use a mean over \(2, 3\)"),
    (Function(lambda x: F.dropout(x, training=True)), "dropout is in training mode"),
    (
        Function(lambda x: torch.cat(x.split(2, 2), 2)),
        r"split .* it cuts axis 2.*\n.*cat .* concatenates along axis 2",
    ),
    (Function(lambda x: x if x.sum() > 0 else -x), "torch.export cannot trace it"),
    (Function(lambda x: (x, x * 2)), "returns 2 values; take one tensor and return one"),
]


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize(("module", "sentence"), CASES, ids=[str(i) for i in range(len(CASES))])
def test_refused(module, sentence):
    with pytest.raises(UnsupportedModel, match=sentence):
        from_torch(module, X)


def test_lists_all_offenders_at_once():
    module = nn.Sequential(nn.Conv2d(4, 4, 3, dilation=2), nn.Tanh(), nn.ReLU(), nn.GELU())
    with pytest.raises(UnsupportedModel) as caught:
        from_torch(module, X)
    assert len(caught.value.problems) == 3
    assert caught.value.problems[0].startswith("layer_0 (aten::conv2d): dilation=(2, 2)")


def test_training_mode_program():
    program = torch.export.export(nn.Sequential(nn.BatchNorm2d(4)).train(), (X,))
    with pytest.raises(UnsupportedModel, match="statistics of the batch"):
        from_torch(program, X)


def test_ceil_mode_that_changes_nothing_is_fine():
    graph = from_torch(nn.MaxPool2d(2, ceil_mode=True), X)
    assert graph.output.shape == (4, 4, 4)
