"""AdderSR's shortcut around one layer."""

from torch import Tensor, nn

__all__ = ["SelfShortcut"]


class SelfShortcut(nn.Module):
    """y = x + layer(x): an adder layer alone learns no identity (AdderSR, arXiv:2009.08891).

    Parameters: layer : module that keeps the shape of x
    Raises:     ValueError if it does not.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x)
        if y.shape != x.shape:
            raise ValueError(f"layer must keep the shape {tuple(x.shape)}, not {tuple(y.shape)!r}")
        return x + y
