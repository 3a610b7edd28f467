"""Small networks for the front end's tests."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hwgen.nn import AdderConv2d, AdderLinear


def settled(module: nn.Module) -> nn.Module:
    """Batch norms with statistics that are neither 0 nor 1, as after training."""
    generator = torch.Generator().manual_seed(0)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.running_mean.copy_(torch.randn(layer.num_features, generator=generator))
            layer.running_var.copy_(torch.rand(layer.num_features, generator=generator) + 0.5)
    return module.eval()


class Everything(nn.Module):
    """Every supported operator once, as modules and as functions."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(4)
        self.block = nn.Sequential(
            AdderConv2d(4, 6, (3, 1), stride=(1, 2), padding=(1, 0), bias=True), nn.BatchNorm2d(6)
        )
        self.drop = nn.Dropout()
        self.fc1 = AdderLinear(6, 5, bias=True)
        self.bn2 = nn.BatchNorm1d(5)
        self.fc2 = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = F.avg_pool2d(torch.relu_(self.block(x)), 2, stride=1, padding=1)
        x = F.adaptive_avg_pool2d(x, 1)
        x = x.view(x.size(0), -1) * 2 + 1
        return self.fc2(self.bn2(self.fc1(self.drop(x))))


def small() -> nn.Sequential:
    """A convolution and an adder layer with batch norms."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        AdderConv2d(3, 4, 3, stride=2),
        nn.BatchNorm2d(4),
        nn.Flatten(),
        nn.Linear(4, 3),
    )


class _Adder(torch.autograd.Function):
    @staticmethod
    def forward(ctx, columns, weight):
        ctx.save_for_backward(columns, weight)
        return -(weight.unsqueeze(2) - columns.unsqueeze(0)).abs().sum(1)

    @staticmethod
    def backward(ctx, gradient):
        raise NotImplementedError


class adder2d(nn.Module):
    """Attributes and arithmetic of the layer in the AdderNet paper's code."""

    def __init__(self, input_channel, output_channel, kernel_size, stride=1, padding=0, bias=False):
        super().__init__()
        self.stride, self.padding, self.kernel_size = stride, padding, kernel_size
        self.input_channel, self.output_channel = input_channel, output_channel
        self.adder = nn.Parameter(
            torch.randn(output_channel, input_channel, kernel_size, kernel_size)
        )
        self.bias = bias
        if bias:
            self.b = nn.Parameter(torch.rand(output_channel))

    def forward(self, x):
        k, count = self.kernel_size, x.shape[0]
        height = (x.shape[2] - k + 2 * self.padding) // self.stride + 1
        width = (x.shape[3] - k + 2 * self.padding) // self.stride + 1
        columns = F.unfold(x, k, padding=self.padding, stride=self.stride)
        columns = columns.permute(1, 2, 0).contiguous().view(columns.shape[1], -1)
        out = _Adder.apply(columns, self.adder.view(self.output_channel, -1))
        out = out.view(self.output_channel, height, width, count).permute(3, 0, 1, 2).contiguous()
        return out + self.b.view(1, -1, 1, 1) if self.bias else out
