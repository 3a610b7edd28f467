"""What cannot become hardware is refused once, each operator with its reason and a rewrite."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hwgen.errors import UnsupportedModel
from hwgen.frontend import from_torch

X = torch.rand(2, 4, 8, 8)


class Function(nn.Module):
    """A function of one tensor as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


CASES = [
    (nn.Conv2d(4, 4, 3, groups=2), "groups=2 is not supported; use groups=1"),
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
    (Function(lambda x: x + x), "residual connection. is not supported yet"),
    (Function(lambda x: x.view(2, 8, 4, 8)), "is no flatten; keep"),
    (Function(lambda x: x + torch.ones(8, 8)), "is not one number per channel"),
    (Function(lambda x: 1 / x), "it divides by the input|no hardware"),
    (Function(lambda x: x.mean((2, 3))), "use nn.AdaptiveAvgPool2d"),
    (Function(lambda x: F.dropout(x, training=True)), "dropout is in training mode"),
    (
        Function(lambda x: torch.cat(x.split(2, 1), 1)),
        r"split .* it has no hardware.*\n.*cat .* make the model one chain",
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
    module = nn.Sequential(nn.Conv2d(4, 4, 1, groups=4), nn.Tanh(), nn.ReLU(), nn.GELU())
    with pytest.raises(UnsupportedModel) as caught:
        from_torch(module, X)
    assert len(caught.value.problems) == 3
    assert caught.value.problems[0].startswith("layer_0 (aten::conv2d): groups=4")


def test_training_mode_program():
    program = torch.export.export(nn.Sequential(nn.BatchNorm2d(4)).train(), (X,))
    with pytest.raises(UnsupportedModel, match="statistics of the batch"):
        from_torch(program, X)


def test_ceil_mode_that_changes_nothing_is_fine():
    graph = from_torch(nn.MaxPool2d(2, ceil_mode=True), X)
    assert graph.output.shape == (4, 4, 4)
