"""Train ResNet-20 with Winograd adder layers; rewrites weights.npz.

Command: `python -m models.resnet20_winograd.train`
"""

from pathlib import Path

from torch import nn

from hwgen.nn import WinogradAdderConv2d
from models.common import load_recipe, main
from models.resnet20_winograd.network import resnet20_winograd

FOLDER = Path(__file__).parent
EXPONENTS = load_recipe(FOLDER)["training"]["exponents"]


def anneal(model: nn.Module, epoch: int, epochs: int) -> None:
    """Set the exponent of an epoch, counted from 0; the last epochs have 1."""
    exponent = EXPONENTS[epoch] if epoch < min(len(EXPONENTS), epochs - 1) else 1.0
    for layer in model.modules():
        if isinstance(layer, WinogradAdderConv2d):
            layer.set_exponent(exponent)


if __name__ == "__main__":
    main(FOLDER, resnet20_winograd, anneal)
