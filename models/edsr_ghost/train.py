"""Train the doubling networks; `python -m models.edsr_ghost.train [NAME]` rewrites NAME.npz."""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hwgen.errors import InputError
from hwgen.nn import AdderConv2d, GhostShift2d
from models.common import Recipe, load_recipe, make_deterministic, save
from models.edsr_ghost.data import (
    Picture,
    bicubic,
    calibration,
    draw,
    load,
    psnr,
    tiles,
    to_pixels,
)
from models.edsr_ghost.network import edsr_adder, edsr_cnn, edsr_ghost

FOLDER = Path(__file__).parent
FACTORIES = {"edsr_ghost": edsr_ghost, "edsr_cnn": edsr_cnn, "edsr_adder": edsr_adder}


def weights_of(name: str) -> Path:
    """Return the file of the committed weights."""
    return FOLDER / ("weights.npz" if name == "edsr_ghost" else f"{name}.npz")


def real(pixels: np.ndarray) -> Tensor:
    """Pixels (N, 1, H, W) uint8 -> 0..1."""
    return torch.from_numpy(pixels.copy()).float() / 255


def train(model: nn.Module, pictures: list[Picture], recipe: Recipe, epochs: int) -> None:
    """Train in place on the mean absolute error, the rates falling to 0 along a cosine."""
    settings, device = recipe["training"], next(model.parameters()).device
    random = np.random.default_rng(settings["seed"])
    optimizer = torch.optim.Adam(_groups(model, settings))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * settings["steps"])
    for epoch in range(epochs):
        cool(model, settings["cooling"] ** epoch)
        model.train()
        losses = []
        for _ in range(settings["steps"]):
            small, large = draw(pictures, settings["batch"], settings["patch"], random)
            optimizer.zero_grad()
            loss = F.l1_loss(model(real(small).to(device)), real(large).to(device))
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1:3} of {epochs}: mean loss {np.mean(losses):.5f}", flush=True)


def _groups(model: nn.Module, settings: Recipe) -> list[dict]:
    adders = {m.weight for m in model.modules() if isinstance(m, AdderConv2d)}
    others = [p for p in model.parameters() if p not in adders]
    groups = [
        {"params": others, "lr": settings["learning_rate"]},
        {"params": list(adders), "lr": settings["adder_rate"]},
    ]
    return [group for group in groups if group["params"]]


def cool(model: nn.Module, temperature: float) -> None:
    """Set the temperature from which ghost layers draw their direction."""
    for layer in model.modules():
        if isinstance(layer, GhostShift2d):
            layer.temperature = temperature


@torch.no_grad()
def enlarge(model: nn.Module, small: np.ndarray) -> np.ndarray:
    """Double a picture (H, W) uint8."""
    device = next(model.parameters()).device
    return to_pixels(model.eval()(real(small[None, None]).to(device)))[0, 0]


def report(model: nn.Module, pictures: list[Picture]) -> float:
    """Print the PSNR of bicubic doubling and of the network; return the mean gain in dB."""
    rows = []
    for p in pictures:
        height, width = p.large.shape
        doubled = (bicubic(p.small, (height, width)), enlarge(model, p.small))
        rows.append([psnr(each, p.large) for each in doubled])
        print(f"{p.name}: bicubic {rows[-1][0]:.2f} dB, network {rows[-1][1]:.2f} dB")
    bicubics, networks = np.mean(rows, axis=0)
    print(f"mean: bicubic {bicubics:.2f} dB, network {networks:.2f} dB")
    return float(networks - bicubics)


def write_images(train: list[Picture], held_out: list[Picture], recipe: Recipe, to: Path) -> None:
    """Write calibration.npz, of the training pictures, and test.npz, of held-out patches."""
    to.mkdir(parents=True, exist_ok=True)
    size = recipe["input"]["shape"][-1]
    test = np.concatenate([tiles(p, size) for p in held_out])
    for name, images in (("calibration", calibration(train, recipe)), ("test", test)):
        np.savez_compressed(to / f"{name}.npz", images=images)
        print(f"{to / name}.npz: {len(images)} patches")


def main() -> None:
    parser = argparse.ArgumentParser(description="Train one of the doubling networks.")
    parser.add_argument("name", nargs="?", choices=list(FACTORIES), default="edsr_ghost")
    parser.add_argument("--out", type=Path, help="by default NAME.npz, edsr_ghost's weights.npz")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--data", type=Path, help="folder of pictures, DIV2K's large ones, say")
    parser.add_argument("--images", type=Path, help="write calibration.npz and test.npz and stop")
    arguments = parser.parse_args()
    recipe = load_recipe(FOLDER)
    try:
        pictures, held_out = load(recipe, arguments.data)
    except InputError as error:
        parser.error(str(error))
    if arguments.images:
        return write_images(pictures, held_out, recipe, arguments.images)
    start = time.monotonic()
    make_deterministic(recipe)
    model = FACTORIES[arguments.name]().to("cuda" if torch.cuda.is_available() else "cpu")
    train(model, pictures, recipe, arguments.epochs or recipe["training"]["epochs"])
    out = arguments.out or weights_of(arguments.name)
    save(model, out)
    seconds = time.monotonic() - start
    print(f"{report(model, held_out):+.2f} dB on held-out pictures, {seconds:.0f} s, {out}")


if __name__ == "__main__":
    main()
