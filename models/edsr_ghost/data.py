"""Pictures for super-resolution: luma, halved by an antialiased bicubic filter, and patches."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
import torch
from skimage.io import imread
from torch import Tensor
from torch.nn import functional as F

from hwgen.errors import InputError
from models.common import Recipe

PACKAGE = Path(skimage.data.__file__).parent
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp")
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class Picture:
    """Luma as uint8: large (2H, 2W), and small (H, W) made from it."""

    name: str
    large: np.ndarray
    small: np.ndarray


def load(recipe: Recipe, folder: Path | None = None) -> tuple[list[Picture], list[Picture]]:
    """Return training and held-out pictures: scikit-image's, or those in ``folder``.

    Of a folder's pictures (DIV2K's large ones, say), every tenth in order of name is held out.
    """
    if folder is None:
        names = (recipe["data"]["train"], recipe["data"]["held_out"])
        train, held_out = ([picture(PACKAGE / name) for name in part] for part in names)
        return train, held_out
    found = _own(folder, 2 * max(recipe["training"]["patch"], recipe["input"]["shape"][-1]))
    return [p for i, p in enumerate(found) if i % 10], found[::10]


def _own(folder: Path, least: int) -> list[Picture]:
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [picture(path) for path in files if path.suffix.lower() in ENDINGS]
    if len(found) < 2:
        raise InputError(
            f"{folder} holds {len(found)} pictures; give a folder of at least 2,"
            f" in {', '.join(ENDINGS)}."
        )
    if small := [p.name for p in found if min(p.large.shape) < least]:
        raise InputError(
            f"{folder}: {', '.join(small)} must have at least {least} pixels either way;"
            " remove or replace each."
        )
    return found


def picture(path: Path) -> Picture:
    """Read a file, as luma cut to an even size, and halve it."""
    pixels = imread(path)
    luma = pixels if pixels.ndim == 2 else np.rint(pixels[..., :3] @ LUMA).astype(np.uint8)
    height, width = (size // 2 * 2 for size in luma.shape)
    large = np.ascontiguousarray(luma[:height, :width])
    return Picture(path.name, large, bicubic(large, (height // 2, width // 2)))


def bicubic(luma: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize (H, W) uint8 with the cubic filter of a = -0.5, antialiased where it shrinks."""
    x = torch.from_numpy(luma).float()[None, None]
    return to_pixels(F.interpolate(x, size, mode="bicubic", antialias=True) / 255)[0, 0]


def to_pixels(y: Tensor) -> np.ndarray:
    """Values in 0..1 -> uint8."""
    return (y * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()


def psnr(found: np.ndarray, wanted: np.ndarray, border: int = 2) -> float:
    """Peak signal-to-noise ratio in dB of two pictures in uint8, without their border."""
    inside = (slice(border, -border),) * 2
    difference = found[inside].astype(np.float64) - wanted[inside]
    return float(20 * np.log10(255) - 10 * np.log10(np.mean(difference**2)))


def draw(
    pictures: list[Picture], count: int, size: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw patches, turned and mirrored: small (N, 1, size, size), large (N, 1, 2*size, 2*size).

    A picture is chosen with a probability in proportion to its area.
    """
    area = np.array([p.small.size for p in pictures], np.float64)
    pairs = []
    for index in random.choice(len(pictures), count, p=area / area.sum()):
        chosen = pictures[index]
        top, left = (int(random.integers(side - size + 1)) for side in chosen.small.shape)
        small = chosen.small[top : top + size, left : left + size]
        large = chosen.large[2 * top : 2 * (top + size), 2 * left : 2 * (left + size)]
        turns, mirror = int(random.integers(4)), 1 - 2 * int(random.integers(2))
        pairs.append([np.rot90(part, turns)[:, ::mirror] for part in (small, large)])
    small, large = (np.stack(part)[:, None] for part in zip(*pairs, strict=True))
    return small, large


def calibration(train: list[Picture], recipe: Recipe) -> np.ndarray:
    """Return small patches (N, 1, H, W) uint8 of the training pictures."""
    random = np.random.default_rng(recipe["training"]["seed"])
    return draw(train, recipe["data"]["calibration"], recipe["input"]["shape"][-1], random)[0]


def tiles(chosen: Picture, size: int) -> np.ndarray:
    """Cut the small picture into whole patches (N, 1, size, size)."""
    rows, columns = (side // size for side in chosen.small.shape)
    cut = chosen.small[: rows * size, : columns * size].reshape(rows, size, columns, size)
    return cut.swapaxes(1, 2).reshape(-1, 1, size, size)
