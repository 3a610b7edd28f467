"""Residual networks (arXiv 1512.03385), as the AdderNet papers use them (arXiv 1912.13200).

The first convolution and the classifier multiply; all other layers, those of the shortcuts
included, have the network's operator.
"""

from collections.abc import Callable

from hwgen.ir.graph import Graph
from hwgen_sim.outlines.builder import Operator, Sketch

__all__ = ["resnet18", "resnet20", "resnet32", "resnet50", "resnet50_v1"]

Block = Callable[[Sketch, str, int, int], str]
CIFAR, IMAGENET = (3, 32, 32), (3, 224, 224)


def resnet20(operator: Operator, shape=CIFAR) -> Graph:
    """20 layers for 32x32 images, 10 classes."""
    return _small("resnet20", operator, shape, 3)


def resnet32(operator: Operator, shape=CIFAR) -> Graph:
    """32 layers for 32x32 images, 10 classes."""
    return _small("resnet32", operator, shape, 5)


def resnet18(operator: Operator, shape=IMAGENET) -> Graph:
    """18 layers, 1000 classes."""
    return _large("resnet18", operator, shape, _basic, (2, 2, 2, 2), 1)


def resnet50(operator: Operator, shape=IMAGENET) -> Graph:
    """50 layers, 1000 classes; the 3x3 layer of a block has its stride, as in torchvision."""
    return _large("resnet50", operator, shape, _bottleneck, (3, 4, 6, 3), 4)


def resnet50_v1(operator: Operator, shape=IMAGENET) -> Graph:
    """50 layers, 1000 classes; the first layer of a block has its stride, as first published."""
    return _large("resnet50_v1", operator, shape, _bottleneck_v1, (3, 4, 6, 3), 4)


def _small(name: str, operator: Operator, shape: tuple[int, int, int], depth: int) -> Graph:
    net = Sketch(name, shape, operator)
    x = net.relu(net.norm(net.conv("image", 16, 3)))
    for stage, channels in enumerate((16, 32, 64)):
        for n in range(depth):
            x = _basic(net, x, channels, 2 if stage and n == 0 else 1)
    net.linear(net.mean(x), 10)
    return net.graph()


def _large(
    name: str,
    operator: Operator,
    shape: tuple[int, int, int],
    block: Block,
    depths: tuple[int, ...],
    expansion: int,
) -> Graph:
    net = Sketch(name, shape, operator)
    x = net.max_pool(net.relu(net.norm(net.conv("image", 64, 7, 2))), 3, 2, 1)
    for stage, depth in enumerate(depths):
        for n in range(depth):
            x = block(net, x, expansion * (64 << stage), 2 if stage and n == 0 else 1)
    net.linear(net.mean(x), 1000)
    return net.graph()


def _shortcut(net: Sketch, x: str, channels: int, stride: int) -> str:
    if stride == 1 and net.nodes[x].shape[0] == channels:
        return x
    return net.norm(net.inner(x, channels, 1, stride))


def _basic(net: Sketch, x: str, channels: int, stride: int) -> str:
    y = net.relu(net.norm(net.inner(x, channels, 3, stride)))
    y = net.norm(net.inner(y, channels, 3))
    return net.relu(net.add(y, _shortcut(net, x, channels, stride)))


def _bottleneck(net: Sketch, x: str, channels: int, stride: int) -> str:
    return _narrow(net, x, channels, 1, stride)


def _bottleneck_v1(net: Sketch, x: str, channels: int, stride: int) -> str:
    return _narrow(net, x, channels, stride, 1)


def _narrow(net: Sketch, x: str, channels: int, first: int, second: int) -> str:
    width = channels // 4
    y = net.relu(net.norm(net.inner(x, width, 1, first)))
    y = net.relu(net.norm(net.inner(y, width, 3, second)))
    y = net.norm(net.inner(y, channels, 1))
    return net.relu(net.add(y, _shortcut(net, x, channels, first * second)))
