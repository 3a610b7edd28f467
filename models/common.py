"""What the training scripts of the classifiers share: images, distortion, the loop, files."""

import argparse
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hwgen.errors import InputError
from hwgen.nn import BinaryWeightConv2d, XnorConv2d, XnorLinear
from models import folders
from models.digits import CLASSES, Digits, split

Recipe = dict[str, Any]
Hook = Callable[[nn.Module, int, int], None]
"""What runs before an epoch: gets the model, the epoch from 0, and the number of epochs."""
BINARY = (BinaryWeightConv2d, XnorConv2d, XnorLinear)
DATA_HELP = "folder of CIFAR-10, or with train/CLASS/* and val/CLASS/*; by default the digits"


@dataclass(frozen=True, slots=True)
class Data:
    """Training and held-out images of a recipe's shape, and how to distort the former."""

    train: Digits
    held_out: Digits
    distort: Callable[[Tensor, Recipe, torch.Generator], Tensor]
    classes: int = CLASSES


def load_recipe(folder: Path) -> Recipe:
    """Return everything that `recipe.toml` in ``folder`` holds."""
    return tomllib.loads((folder / "recipe.toml").read_text())


def load_data(recipe: Recipe, folder: Path | None = None) -> Data:
    """Return the digits, or the images that lie in ``folder``, in the recipe's shape."""
    shape = recipe["input"]["shape"]
    if folder is not None:
        train, held_out, classes = folders.load(folder, shape)
        return Data(train, held_out, distort_photograph, classes)
    train, held_out = (_fitted(part, shape) for part in split())
    return Data(train, held_out, distort_digit)


def _fitted(digits: Digits, shape: list[int]) -> Digits:
    """Add black borders up to the size, and repeat the one channel."""
    channels, *size = shape
    borders = [divmod(wanted - 28, 2) for wanted in size]
    pads = [(0, 0), (0, 0), *((half, half + odd) for half, odd in borders)]
    return Digits(np.pad(digits.images, pads).repeat(channels, 1), digits.labels)


def preprocess(images: np.ndarray, recipe: Recipe) -> Tensor:
    """Pixels (N, C, H, W) uint8 -> real values: (pixel / 255 - mean) / std."""
    mean, std = (torch.tensor(recipe["input"][key]).view(-1, 1, 1) for key in ("mean", "std"))
    return (torch.from_numpy(images).float() / 255 - mean) / std


def make_deterministic(recipe: Recipe) -> torch.Generator:
    """Fix seeds, threads and algorithms; return the generator of batches and distortions."""
    seed = recipe["training"]["seed"]
    torch.set_num_threads(recipe["training"]["threads"])
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def distort_digit(x: Tensor, recipe: Recipe, random: torch.Generator) -> Tensor:
    """Rotate, scale, shear, shift and bend; what comes in at the edge is background."""
    limits, n, size = recipe["augmentation"], len(x), x.shape[-1]

    def uniform(limit: float, *shape: int) -> Tensor:
        return (2 * torch.rand(n, *shape, generator=random) - 1) * limit

    angle = torch.deg2rad(uniform(limits["rotation"]))
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(n, 2, 2)
    stretch = torch.diag_embed(1 + uniform(limits["scale"], 2))
    stretch[:, 0, 1] = uniform(limits["shear"])
    unit = 2 / size  # a pixel, where the image spans -1 to 1
    shift = uniform(limits["shift"] * unit, 2, 1)
    grid = F.affine_grid(torch.cat([turn @ stretch, shift], 2), list(x.shape), align_corners=False)
    noise = torch.randn(n, 2, 6, 6, generator=random) * limits["elastic"] * unit
    bend = F.interpolate(noise, (size, size), mode="bicubic", align_corners=False)
    background = x.min()
    moved = F.grid_sample(x - background, grid + bend.permute(0, 2, 3, 1), align_corners=False)
    return moved + background


def distort_photograph(x: Tensor, recipe: Recipe, random: torch.Generator) -> Tensor:
    """Shift the batch by up to 4 pixels either way, and mirror half of the images."""
    top, left = torch.randint(0, 9, (2,), generator=random).tolist()
    height, width = x.shape[2:]
    moved = F.pad(x, (4, 4, 4, 4))[:, :, top : top + height, left : left + width]
    mirrored = torch.rand(len(x), 1, 1, 1, generator=random) < 0.5
    return torch.where(mirrored, moved.flip(3), moved)


def _batches(
    data: Data, recipe: Recipe, random: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield one epoch of shuffled, distorted batches."""
    order = torch.randperm(len(data.train.labels), generator=random)
    for index in order.split(recipe["training"]["batch"]):
        if len(index) == 1:
            continue  # of which batch norm has no variance
        part = data.train[index.numpy()]
        x = data.distort(preprocess(part.images, recipe), recipe, random)
        yield x, torch.from_numpy(part.labels)


def _optimizer(model: nn.Module, recipe: dict[str, Any]) -> torch.optim.Optimizer:
    rate, decay = recipe["learning_rate"], recipe["weight_decay"]
    if recipe["optimizer"] == "adam":
        return torch.optim.Adam(model.parameters(), rate, weight_decay=decay)
    return torch.optim.SGD(model.parameters(), rate, recipe["momentum"], weight_decay=decay)


def _falls_by_epoch(settings: dict[str, Any]) -> bool:
    unit = settings.get("rate_falls", "batch")
    if unit not in ("batch", "epoch"):
        raise InputError(f"the recipe's rate_falls is {unit!r}; write 'batch' or 'epoch'.")
    return unit == "epoch"


def train(
    model: nn.Module,
    data: Data,
    recipe: Recipe,
    random: torch.Generator,
    epochs: int,
    before_epoch: Hook | None = None,
) -> None:
    """Train in place, the rate falling to 0 along a cosine; keep the last epoch's weights.

    It falls with every batch, or with every epoch where the recipe says `rate_falls = "epoch"`.
    """
    device = next(model.parameters()).device
    optimizer = _optimizer(model, recipe["training"])
    by_epoch = _falls_by_epoch(recipe["training"])
    batches = -(-len(data.train.labels) // recipe["training"]["batch"])
    steps = epochs if by_epoch else epochs * batches
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for epoch in range(epochs):
        if before_epoch:
            before_epoch(model, epoch, epochs)
        model.train()
        losses = []
        for batch, wanted in _batches(data, recipe, random):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(batch.to(device)), wanted.to(device))
            loss.backward()
            optimizer.step()
            if not by_epoch:
                schedule.step()
            losses.append(loss.item())
        if by_epoch:
            schedule.step()
        print(f"epoch {epoch + 1:3} of {epochs}: mean loss {np.mean(losses):.4f}", flush=True)


@torch.no_grad()
def accuracy(model: nn.Module, images: Digits, recipe: Recipe) -> float:
    """Return the fraction of images classified correctly."""
    device = next(model.parameters()).device
    right = 0
    model.eval()
    for start in range(0, len(images.labels), 100):
        part = images[start : start + 100]
        scores = model(preprocess(part.images, recipe).to(device))
        right += int((scores.argmax(1).cpu().numpy() == part.labels).sum())
    return right / len(images.labels)


@torch.no_grad()
def settle(model: nn.Module) -> None:
    """Replace binary weights by -alpha and +alpha, with alpha rounded to float16."""
    for layer in model.modules():
        if isinstance(layer, BINARY):
            w = layer.weight
            alpha = w.abs().flatten(1).mean(1).half().to(w.dtype)
            alpha = alpha.view(-1, *[1] * (w.dim() - 1))
            w.copy_(torch.where(w >= 0, alpha, -alpha))


def save(model: nn.Module, path: Path) -> None:
    """Write the state dict under its names: in float16 what that loses nothing of."""
    state = model.state_dict()
    arrays = {name: _smallest(value.cpu().numpy()) for name, value in state.items()}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def _smallest(array: np.ndarray) -> np.ndarray:
    if array.dtype != np.float32 or np.abs(array).max(initial=0) > np.finfo(np.float16).max:
        return array
    half = array.astype(np.float16)
    return half if np.array_equal(half, array) else array


def restore(model: nn.Module, path: Path) -> None:
    """Load what `save` wrote."""
    with np.load(path) as arrays:
        model.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})


def write_images(data: Data, recipe: Recipe, folder: Path) -> None:
    """Write calibration.npz, from the training part only, and test.npz for hwgen's commands."""
    folder.mkdir(parents=True, exist_ok=True)
    calibration = data.train[: recipe["data"]["calibration"]]
    for name, images in (("calibration", calibration), ("test", data.held_out)):
        images.save(folder / f"{name}.npz")
        print(f"{folder / name}.npz: {len(images.labels)} images")


def main(folder: Path, factory: Callable[..., nn.Module], before_epoch: Hook | None = None) -> None:
    """Train what ``factory(classes=N)`` builds by ``folder``'s recipe: a train.py's command."""
    recipe = load_recipe(folder)
    parser = argparse.ArgumentParser(description=f"Train {folder.name}.")
    parser.add_argument("--out", type=Path, default=folder / "weights.npz", help="%(default)s")
    parser.add_argument("--epochs", type=int, default=recipe["training"]["epochs"])
    parser.add_argument("--data", type=Path, help=DATA_HELP)
    parser.add_argument("--images", type=Path, help="write calibration.npz and test.npz and stop")
    arguments = parser.parse_args()
    try:
        data = load_data(recipe, arguments.data)
        if arguments.images:
            return write_images(data, recipe, arguments.images)
        _run(factory, data, recipe, arguments, before_epoch)
    except InputError as error:
        parser.error(str(error))


def _run(
    factory: Callable[..., nn.Module],
    data: Data,
    recipe: Recipe,
    arguments: argparse.Namespace,
    before_epoch: Hook | None,
) -> None:
    """Train, save and judge a new network."""
    start = time.monotonic()
    random = make_deterministic(recipe)
    model = factory(classes=data.classes).to("cuda" if torch.cuda.is_available() else "cpu")
    # The last epoch's weights are kept: the held-out images choose nothing.
    train(model, data, recipe, random, arguments.epochs, before_epoch)
    settle(model)
    save(model, arguments.out)
    found = accuracy(model, data.held_out, recipe)
    seconds = time.monotonic() - start
    print(f"held-out accuracy {found:.2%}, {seconds:.0f} s, {arguments.out}")
