"""A one-bit network for 28x28 digits that an iCE40UP5K can hold."""

from collections import OrderedDict

from torch import nn

from hwgen.nn import BinaryWeightConv2d, Sign, XnorConv2d


def digits_ice(classes: int = 10) -> nn.Sequential:
    """Return the untrained network: images (N, 1, 28, 28) -> scores (N, classes).

    As digits_xnor, without its hidden layer of 204,800 weights: 61,728 bits of weights in all.
    """
    layers: list[tuple[str, nn.Module]] = [
        ("conv1", BinaryWeightConv2d(1, 32, 3, padding=1)),  # 28
        ("bn1", nn.BatchNorm2d(32)),
        ("sign1", Sign()),
        ("pool1", nn.MaxPool2d(2)),  # -> 14
        ("conv2", XnorConv2d(32, 64, 3, padding=1)),
        ("bn2", nn.BatchNorm2d(64)),
        ("sign2", Sign()),
        ("pool2", nn.MaxPool2d(2)),  # -> 7
        ("conv3", XnorConv2d(64, 48, 3)),  # -> 5
        ("bn3", nn.BatchNorm2d(48)),
        ("sign3", Sign()),
        ("pool3", nn.MaxPool2d(2)),  # -> 2
        ("flatten", nn.Flatten()),
        ("fc", nn.Linear(192, classes)),
    ]
    return nn.Sequential(OrderedDict(layers))
