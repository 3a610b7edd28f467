"""ResNet-20 for 32x32 colour images with adder layers where most of the arithmetic is."""

from collections import OrderedDict
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hwgen.nn import AdderConv2d

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
"""Of CIFAR-10, per channel: real value = (pixel / 255 - mean) / std."""


class Block(nn.Module):
    """relu(bn(adder(relu(bn(adder(x))))) + shortcut(x)); the shortcut is x where shapes agree."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = AdderConv2d(inputs, outputs, 3, stride, 1)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = AdderConv2d(outputs, outputs, 3, 1, 1)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential()
        if (inputs, stride) != (outputs, 1):
            self.downsample.append(AdderConv2d(inputs, outputs, 1, stride))
            self.downsample.append(nn.BatchNorm2d(outputs))
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu1(self.bn1(self.conv1(x)))
        return self.relu2(self.bn2(self.conv2(y)) + self.downsample(x))


def resnet20_adder() -> nn.Sequential:
    """Return the untrained network: images (N, 3, 32, 32) -> scores (N, 10).

    The first convolution and the classifier (a 1x1 convolution) multiply; the rest does not.
    """
    layers: list[tuple[str, nn.Module]] = [
        ("conv1", nn.Conv2d(3, 16, 3, padding=1, bias=False)),
        ("bn1", nn.BatchNorm2d(16)),
        ("relu", nn.ReLU()),
        ("layer1", nn.Sequential(Block(16, 16, 1), Block(16, 16, 1), Block(16, 16, 1))),
        ("layer2", nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))),  # -> 16
        ("layer3", nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))),  # -> 8
        ("avgpool", nn.AvgPool2d(8)),
        ("fc", nn.Conv2d(64, 10, 1, bias=False)),
        ("bn2", nn.BatchNorm2d(10)),
        ("flatten", nn.Flatten()),
    ]
    return nn.Sequential(OrderedDict(layers))


def from_official(arrays: Mapping[str, NDArray]) -> dict[str, Tensor]:
    """State dict of `resnet20_adder` from arrays named as in AdderNet's resnet20.py.

    The names agree but for adder weights, which are called ``adder`` there.
    """
    return {
        name.replace(".adder", ".weight"): torch.tensor(np.asarray(value))
        for name, value in arrays.items()
    }
