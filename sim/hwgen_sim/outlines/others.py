"""VGG-small, EDSR with ordinary, adder or shift-ghost layers, and GhostNet."""

from hwgen.ir.graph import Graph
from hwgen_sim.outlines.builder import Operator, Sketch

__all__ = ["edsr_ghost_x2", "edsr_x2", "edsr_x4", "ghostnet", "vgg_small"]

HD = (720, 1280)  # what super-resolution papers scale up to


def vgg_small(operator: Operator, shape=(3, 32, 32)) -> Graph:
    """Six 3x3 layers of 128, 256 and 512 channels and a classifier, for 32x32 images."""
    net = Sketch("vgg_small", shape, operator)
    x = net.relu(net.norm(net.conv("image", 128, 3)))
    x = net.relu(net.norm(net.max_pool(net.inner(x, 128, 3), 2, 2)))
    for channels in (256, 512):
        x = net.relu(net.norm(net.inner(x, channels, 3)))
        x = net.relu(net.norm(net.max_pool(net.inner(x, channels, 3), 2, 2)))
    net.linear(x, 10)
    return net.graph()


def edsr_x2(operator: Operator, shape=(3, HD[0] // 2, HD[1] // 2)) -> Graph:
    """EDSR (arXiv 1707.02921), 32 blocks of 256 channels, twice the size."""
    return _edsr("edsr_x2", operator, shape, (2,), ghost=False)


def edsr_x4(operator: Operator, shape=(3, HD[0] // 4, HD[1] // 4)) -> Graph:
    """The same, four times the size."""
    return _edsr("edsr_x4", operator, shape, (2, 2), ghost=False)


def edsr_ghost_x2(operator: Operator, shape=(3, HD[0] // 2, HD[1] // 2)) -> Graph:
    """EDSR whose blocks shift half of their channels (GhostSR, arXiv 2101.08525)."""
    return _edsr("edsr_ghost_x2", operator, shape, (2,), ghost=True)


def _edsr(
    name: str,
    operator: Operator,
    shape: tuple[int, int, int],
    factors: tuple[int, ...],
    ghost: bool,
) -> Graph:
    """The blocks alone have the network's operator; adder layers have a batch norm (AdderSR)."""
    net = Sketch(name, shape, operator)
    x = head = net.conv("image", 256, 3)
    for _ in range(32):
        y = net.relu(_layer(net, x, ghost))
        x = net.add(_layer(net, y, ghost), x)
    x = net.add(net.conv(x, 256, 3), head)
    for factor in factors:
        x = net.shuffle(net.conv(x, 256 * factor**2, 3), factor)
    net.conv(x, 3, 3)
    return net.graph()


def _layer(net: Sketch, x: str, ghost: bool) -> str:
    if ghost:
        half = net.inner(x, 128, 3)
        return net.concat(half, net.shifted(half))
    y = net.inner(x, 256, 3)
    return y if net.operator == "multiply" else net.norm(y)


# kernel, expanded channels, channels, stride (arXiv 1911.11907, table 7)
BOTTLENECKS = (
    (3, 16, 16, 1), (3, 48, 24, 2), (3, 72, 24, 1), (5, 72, 40, 2), (5, 120, 40, 1),
    (3, 240, 80, 2), (3, 200, 80, 1), (3, 184, 80, 1), (3, 184, 80, 1), (3, 480, 112, 1),
    (3, 672, 112, 1), (5, 672, 160, 2), (5, 960, 160, 1), (5, 960, 160, 1), (5, 960, 160, 1),
    (5, 960, 160, 1),
)  # fmt: skip


def ghostnet(operator: Operator, shape=(3, 224, 224)) -> Graph:
    """GhostNet (arXiv 1911.11907) without its squeeze-and-excite parts, which no node can express.

    The 1x1 layers have the network's operator; depthwise layers multiply.
    """
    net = Sketch("ghostnet", shape, operator)
    x = net.relu(net.norm(net.conv("image", 16, 3, 2)))
    for kernel, expanded, channels, stride in BOTTLENECKS:
        x = _bottleneck(net, x, kernel, expanded, channels, stride)
    x = net.relu(net.norm(net.inner(x, 960, 1)))
    x = net.relu(net.conv(net.mean(x), 1280, 1))
    net.linear(x, 1000)
    return net.graph()


def _bottleneck(net: Sketch, x: str, kernel: int, expanded: int, channels: int, stride: int) -> str:
    y = _ghost(net, x, expanded, active=True)
    if stride > 1:
        y = net.norm(net.conv(y, expanded, kernel, stride, groups=expanded))
    y = _ghost(net, y, channels, active=False)
    if stride == 1 and net.nodes[x].shape[0] == channels:
        return net.add(y, x)
    source = net.nodes[x].shape[0]
    x = net.norm(net.conv(x, source, kernel, stride, groups=source))
    return net.add(y, net.norm(net.inner(x, channels, 1)))


def _ghost(net: Sketch, x: str, channels: int, active: bool) -> str:
    half = -(-channels // 2)
    primary = net.norm(net.inner(x, half, 1))
    primary = net.relu(primary) if active else primary
    cheap = net.norm(net.conv(primary, half, 3, groups=half))
    cheap = net.relu(cheap) if active else cheap
    return net.first(net.concat(primary, cheap), channels)
