"""A small network of one-bit layers for 28x28 digits."""

from collections import OrderedDict

from torch import nn

from hwgen.nn import BinaryWeightConv2d, Sign, XnorConv2d, XnorLinear


def digits_xnor(classes: int = 10) -> nn.Sequential:
    """Return the untrained network: images (N, 1, 28, 28) -> scores (N, classes).

    The first layer has binary weights and 8-bit inputs, the last one multiplies; between them
    weights and activations have one bit. Pooling comes behind the signs, where it is an OR.
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
        ("conv3", XnorConv2d(64, 64, 3)),  # -> 5
        ("bn3", nn.BatchNorm2d(64)),
        ("sign3", Sign()),
        ("flatten", nn.Flatten()),
        ("fc1", XnorLinear(1600, 128)),
        ("bn4", nn.BatchNorm1d(128)),
        ("sign4", Sign()),
        ("fc2", nn.Linear(128, classes)),
    ]
    return nn.Sequential(OrderedDict(layers))
