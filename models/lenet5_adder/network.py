"""LeNet-5 for 28x28 digits with adder layers where most of the arithmetic is."""

from collections import OrderedDict

from torch import nn

from hwgen.nn import AdderConv2d, AdderLinear


def lenet5_adder(classes: int = 10) -> nn.Sequential:
    """Return the untrained network: images (N, 1, 28, 28) -> scores (N, classes).

    The first convolution and the last linear layer multiply; the layers between do not.
    """
    layers: list[tuple[str, nn.Module]] = [
        ("conv1", nn.Conv2d(1, 6, 5, bias=False)),  # 28 -> 24
        ("bn1", nn.BatchNorm2d(6)),
        ("relu1", nn.ReLU()),
        ("pool1", nn.MaxPool2d(2)),  # -> 12
        ("conv2", AdderConv2d(6, 16, 5)),  # -> 8
        ("bn2", nn.BatchNorm2d(16)),
        ("relu2", nn.ReLU()),
        ("pool2", nn.MaxPool2d(2)),  # -> 4
        ("flatten", nn.Flatten()),
        ("fc1", AdderLinear(256, 120)),
        ("bn3", nn.BatchNorm1d(120)),
        ("relu3", nn.ReLU()),
        ("fc2", AdderLinear(120, 84)),
        ("bn4", nn.BatchNorm1d(84)),
        ("relu4", nn.ReLU()),
        ("fc3", nn.Linear(84, classes)),
    ]
    return nn.Sequential(OrderedDict(layers))
