"""CNV, the binary network of FINN (arXiv:1612.07119), for 32x32 colour images."""

from collections import OrderedDict

from torch import nn

from hwgen.nn import BinaryWeightConv2d, Sign, XnorConv2d, XnorLinear


def cnv_xnor(classes: int = 10) -> nn.Sequential:
    """Return the untrained network: images (N, 3, 32, 32) -> scores (N, classes).

    All weights and, behind the first layer, all inputs have one bit. Convolutions are not padded:
    32 -> 30 -> 28 -> pool 14 -> 12 -> 10 -> pool 5 -> 3 -> 1. A batch norm gives the scores.
    """
    channels = (3, 64, 64, 128, 128, 256, 256)
    layers: list[tuple[str, nn.Module]] = []
    for i in range(1, 7):
        conv = BinaryWeightConv2d if i == 1 else XnorConv2d
        layers += [
            (f"conv{i}", conv(channels[i - 1], channels[i], 3)),
            (f"bn{i}", nn.BatchNorm2d(channels[i])),
            (f"sign{i}", Sign()),
        ]
        if i in (2, 4):
            layers.append((f"pool{i // 2}", nn.MaxPool2d(2)))
    layers.append(("flatten", nn.Flatten()))
    for i, features in ((7, 256), (8, 512)):
        layers += [
            (f"fc{i}", XnorLinear(features, 512)),
            (f"bn{i}", nn.BatchNorm1d(512)),
            (f"sign{i}", Sign()),
        ]
    layers += [("fc9", XnorLinear(512, classes)), ("bn9", nn.BatchNorm1d(classes))]
    return nn.Sequential(OrderedDict(layers))
