"""ResNet-20 of eight channels for 32x32 colour images, with ordinary convolutions."""

from collections import OrderedDict

from torch import Tensor, nn


class Block(nn.Module):
    """relu(bn(conv(relu(bn(conv(x))))) + shortcut(x)); the shortcut is x where shapes agree."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential()
        if (inputs, stride) != (outputs, 1):
            self.downsample.append(nn.Conv2d(inputs, outputs, 1, stride, bias=False))
            self.downsample.append(nn.BatchNorm2d(outputs))
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu1(self.bn1(self.conv1(x)))
        return self.relu2(self.bn2(self.conv2(y)) + self.downsample(x))


def resnet20_cnn(
    width: int = 8, blocks: int = 3, stride: int = 2, classes: int = 10
) -> nn.Sequential:
    """Return the untrained network: images (N, 3, 32, 32) -> scores (N, classes).

    Three stages of ``blocks`` blocks have width, 2*width and 4*width channels; ``stride`` is the
    first layer's. The original has 16, 3 and 1.
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
