"""A small EDSR that doubles height and width, with shift-ghost, ordinary or adder blocks."""

from collections.abc import Callable

from torch import Tensor, nn

from hwgen.nn import AdderConv2d, GhostShift2d, PowerActivation, SelfShortcut

CHANNELS, BLOCKS = 16, 4


class Edsr(nn.Module):
    """y = nearest(x) + what the body adds: luma (N, 1, H, W) in 0..1 -> (N, 1, 2H, 2W).

    The layers around the blocks are ordinary convolutions.
    """

    def __init__(self, block: Callable[[int], nn.Module]):
        super().__init__()
        self.head = nn.Conv2d(1, CHANNELS, 3, padding=1)
        self.body = nn.Sequential(*(block(CHANNELS) for _ in range(BLOCKS)))
        self.close = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.spread = nn.Conv2d(CHANNELS, 4 * CHANNELS, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)
        self.tail = nn.Conv2d(CHANNELS, 1, 3, padding=1)
        self.nearest = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, x: Tensor) -> Tensor:
        y = self.head(x)
        y = y + self.close(self.body(y))
        return self.tail(self.shuffle(self.spread(y))) + self.nearest(x)


class Residual(nn.Module):
    """x + second(relu(first(x))), all (N, C, H, W)."""

    def __init__(self, first: nn.Module, second: nn.Module):
        super().__init__()
        self.first, self.relu, self.second = first, nn.ReLU(), second

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.relu(self.first(x)))


class AdderBlock(nn.Module):
    """second(power(relu(first(x)))): each adder layer has its own shortcut (N, C, H, W)."""

    def __init__(self, channels: int):
        super().__init__()
        self.first, self.second = _adder(channels), _adder(channels)
        self.relu, self.power = nn.ReLU(), PowerActivation()

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.power(self.relu(self.first(x))))


def _adder(channels: int) -> SelfShortcut:
    norm = nn.BatchNorm2d(channels)
    nn.init.constant_(norm.weight, 0.1)  # at the start, the shortcut dominates
    return SelfShortcut(nn.Sequential(AdderConv2d(channels, channels, 3, padding=1), norm))


def _conv(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 3, padding=1)


def _ghost(channels: int) -> GhostShift2d:
    """Half of the channels computed, half of them shifted copies."""
    half = channels // 2
    return GhostShift2d(nn.Conv2d(channels, half, 3, padding=1), channels - half)


def edsr_ghost() -> Edsr:
    """Return the untrained network with shift-ghost blocks."""
    return Edsr(lambda channels: Residual(_ghost(channels), _ghost(channels)))


def edsr_cnn() -> Edsr:
    """Return the untrained network with ordinary convolutions."""
    return Edsr(lambda channels: Residual(_conv(channels), _conv(channels)))


def edsr_adder() -> Edsr:
    """Return the untrained network with adder layers, self-shortcuts and power activations."""
    return Edsr(AdderBlock)
