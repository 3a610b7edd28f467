"""ResNet-20 of eight channels for 32x32 colour images, with Winograd adder layers."""

from collections import OrderedDict

from torch import Tensor, nn

from hwgen.nn import AdderConv2d, WinogradAdderConv2d


class Block(nn.Module):
    """relu(bn(adder(relu(bn(adder(x))))) + shortcut(x)); the shortcut is x where shapes agree.

    Adder layers of stride 1 are Winograd's; those of stride 2, and 1x1 shortcuts, are direct.
    """

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        if stride == 1:
            self.conv1 = WinogradAdderConv2d(inputs, outputs)
        else:
            self.conv1 = AdderConv2d(inputs, outputs, 3, stride, 1)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = WinogradAdderConv2d(outputs, outputs)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential()
        if (inputs, stride) != (outputs, 1):
            self.downsample.append(AdderConv2d(inputs, outputs, 1, stride))
            self.downsample.append(nn.BatchNorm2d(outputs))
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu1(self.bn1(self.conv1(x)))
        return self.relu2(self.bn2(self.conv2(y)) + self.downsample(x))


def resnet20_winograd(
    width: int = 8, blocks: int = 3, stride: int = 2, classes: int = 10
) -> nn.Sequential:
    """Return the untrained network: images (N, 3, 32, 32) -> scores (N, classes).

    Three stages of ``blocks`` blocks have width, 2*width and 4*width channels; ``stride`` is the
    first layer's. The original has 16, 3 and 1. The first and the last layer multiply.
    """

    def stage(inputs: int, outputs: int, step: int) -> nn.Sequential:
        rest = (Block(outputs, outputs, 1) for _ in range(blocks - 1))
        return nn.Sequential(Block(inputs, outputs, step), *rest)

    layers: list[tuple[str, nn.Module]] = [
        ("conv1", nn.Conv2d(3, width, 3, stride, 1, bias=False)),
        ("bn1", nn.BatchNorm2d(width)),
        ("relu", nn.ReLU()),
        ("layer1", stage(width, width, 1)),
        ("layer2", stage(width, 2 * width, 2)),
        ("layer3", stage(2 * width, 4 * width, 2)),
        ("avgpool", nn.AvgPool2d(8 // stride)),
        ("flatten", nn.Flatten()),
        ("fc", nn.Linear(4 * width, classes)),
    ]
    return nn.Sequential(OrderedDict(layers))
