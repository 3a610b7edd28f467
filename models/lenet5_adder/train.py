"""Train LeNet-5 with adder layers; `python models/lenet5_adder/train.py` rewrites weights.npz."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from data import RECIPE, Digits, split
from network import lenet5_adder
from torch import Tensor, nn
from torch.nn import functional as F

WEIGHTS = Path(__file__).with_name("weights.npz")
SIZE = RECIPE["input"]["shape"][-1]


def preprocess(images: np.ndarray) -> Tensor:
    """Pixels (N, 1, 28, 28) uint8 -> real values: (pixel / 255 - mean) / std."""
    mean, std = (torch.tensor(RECIPE["input"][key])[:, None, None] for key in ("mean", "std"))
    return (torch.from_numpy(images).float() / 255 - mean) / std


def make_deterministic(threads: int = RECIPE["training"]["threads"]) -> torch.Generator:
    """Fix seeds, threads and algorithms; return the generator of batches and distortions."""
    seed = RECIPE["training"]["seed"]
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def distort(x: Tensor, random: torch.Generator) -> Tensor:
    """Rotate, scale, shear, shift and bend each image; what comes in at the edge is background."""
    recipe, n = RECIPE["augmentation"], len(x)

    def uniform(limit: float, *shape: int) -> Tensor:
        return (2 * torch.rand(n, *shape, generator=random) - 1) * limit

    angle = torch.deg2rad(uniform(recipe["rotation"]))
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(n, 2, 2)
    stretch = torch.diag_embed(1 + uniform(recipe["scale"], 2))
    stretch[:, 0, 1] = uniform(recipe["shear"])
    unit = 2 / SIZE  # a pixel, where the image spans -1 to 1
    shift = uniform(recipe["shift"] * unit, 2, 1)
    grid = F.affine_grid(torch.cat([turn @ stretch, shift], 2), list(x.shape), align_corners=False)
    noise = torch.randn(n, 2, 6, 6, generator=random) * recipe["elastic"] * unit
    bend = F.interpolate(noise, (SIZE, SIZE), mode="bicubic", align_corners=False)
    background = x.min()
    moved = F.grid_sample(x - background, grid + bend.permute(0, 2, 3, 1), align_corners=False)
    return moved + background


def batches(x: Tensor, labels: Tensor, random: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield one epoch of shuffled, distorted batches."""
    for index in torch.randperm(len(x), generator=random).split(RECIPE["training"]["batch"]):
        yield distort(x[index], random), labels[index]


def train(model: nn.Module, digits: Digits, random: torch.Generator, epochs: int) -> None:
    """Train in place: stochastic gradient descent, the rate falling to 0 along a cosine."""
    recipe = RECIPE["training"]
    x, labels = preprocess(digits.images), torch.from_numpy(digits.labels)
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=recipe["learning_rate"],
        momentum=recipe["momentum"],
        weight_decay=recipe["weight_decay"],
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for epoch in range(epochs):
        model.train()
        losses = []
        for batch, wanted in batches(x, labels, random):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(batch), wanted)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        schedule.step()
        print(f"epoch {epoch + 1:3} of {epochs}: mean loss {np.mean(losses):.4f}", flush=True)


@torch.no_grad()
def accuracy(model: nn.Module, digits: Digits) -> float:
    """Return the fraction of digits classified correctly."""
    scores = model.eval()(preprocess(digits.images))
    return (scores.argmax(1).numpy() == digits.labels).mean().item()


def save(model: nn.Module, path: Path) -> None:
    """Write the state dict's arrays under their state-dict names."""
    arrays = {name: value.numpy() for name, value in model.state_dict().items()}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def restore(model: nn.Module, path: Path = WEIGHTS) -> None:
    """Load what `save` wrote."""
    with np.load(path) as arrays:
        model.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=RECIPE["training"]["epochs"])
    arguments = parser.parse_args()
    start = time.monotonic()
    random = make_deterministic()
    model = lenet5_adder()
    training, held_out = split()
    # The last epoch's weights are kept: the held-out digits choose nothing.
    train(model, training, random, arguments.epochs)
    save(model, arguments.out)
    seconds = time.monotonic() - start
    print(f"held-out accuracy {accuracy(model, held_out):.2%}, {seconds:.0f} s, {arguments.out}")


if __name__ == "__main__":
    main()
