"""A person's own images: CIFAR-10 in either version, or pictures in one folder for each class."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from hwgen.errors import InputError
from models.digits import Digits

ENDINGS = (".jpg", ".jpeg", ".png")
MODES = {1: "L", 3: "RGB"}
CIFAR10 = (3, 32, 32)
ROW = 1 + 3 * 32 * 32
"""Bytes of an image in the binary version: label, red, green, blue."""
NEEDED = ("_reconstruct", "ndarray", "dtype")
"""What a pickled array calls."""
WANTED = (
    "it must hold either train/CLASS and val/CLASS with JPEG or PNG files, or CIFAR-10's"
    " data_batch_1 to data_batch_5 and test_batch, all with the ending .bin or all without"
)


def load(folder: Path, shape: Sequence[int]) -> tuple[Digits, Digits, int]:
    """Return training and held-out images (N, *shape), and the number of classes."""
    if (folder / "train").is_dir() and (folder / "val").is_dir():
        return pictures(folder, shape)
    if not any((folder / f"test_batch{ending}").is_file() for ending in ("", ".bin")):
        raise InputError(f"{folder} is no folder of images to train on; {WANTED}.")
    if tuple(shape) != CIFAR10:
        raise InputError(
            f"{folder} holds CIFAR-10's images of {CIFAR10}, and the network takes {tuple(shape)};"
            " give pictures in train/CLASS and val/CLASS, which are resized."
        )
    return *cifar10(folder), 10


def cifar10(folder: Path) -> tuple[Digits, Digits]:
    """Read CIFAR-10's binary (``.bin``) or Python version: 50,000 and 10,000 images."""
    binary = (folder / "test_batch.bin").is_file()
    ending, read = (".bin", _binary_batch) if binary else ("", _python_batch)
    names = [*(f"data_batch_{i}{ending}" for i in range(1, 6)), f"test_batch{ending}"]
    if lacking := [name for name in names if not (folder / name).is_file()]:
        raise InputError(f"{folder} lacks {', '.join(lacking)}; {WANTED}.")
    *parts, held_out = (_checked(read(folder / name), folder / name) for name in names)
    images = np.concatenate([part.images for part in parts])
    return Digits(images, np.concatenate([part.labels for part in parts])), held_out


def _binary_batch(path: Path) -> Digits:
    size = path.stat().st_size
    if size == 0 or size % ROW:
        raise InputError(
            f"{path} has {size:,} bytes, which is no multiple of CIFAR-10's {ROW:,};"
            " take the file from the archive again."
        )
    rows = np.fromfile(path, np.uint8).reshape(-1, ROW)
    return Digits(rows[:, 1:].reshape(-1, *CIFAR10), rows[:, 0].astype(np.int64))


class _Arrays(pickle.Unpickler):
    """Reads arrays only: a pickle may call anything, and this one came from elsewhere."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if module_name.split(".")[0] != "numpy" or global_name not in NEEDED:
            raise pickle.UnpicklingError(f"it calls {module_name}.{global_name}")
        return super().find_class(module_name, global_name)


def _python_batch(path: Path) -> Digits:
    try:
        with path.open("rb") as file:
            batch = _Arrays(file, encoding="bytes").load()
        images = batch[b"data"].reshape(-1, *CIFAR10).astype(np.uint8, casting="safe")
        return Digits(images, np.array(batch[b"labels"], np.int64))
    except Exception as error:  # a damaged pickle may raise any
        raise InputError(
            f"{path} is no batch of CIFAR-10's Python version ({type(error).__name__}: {error});"
            " take the file from the archive again."
        ) from error


def _checked(batch: Digits, path: Path) -> Digits:
    if len(batch.images) != len(batch.labels) or not np.isin(batch.labels, range(10)).all():
        raise InputError(
            f"{path} has {len(batch.images)} images and {len(batch.labels)} labels, not all of them"
            " 0 to 9; take CIFAR-10, which has a label of 0 to 9 for each image."
        )
    return batch


def pictures(folder: Path, shape: Sequence[int]) -> tuple[Digits, Digits, int]:
    """Read train/CLASS/* and val/CLASS/* at the size of ``shape``; labels count sorted names."""
    classes, held_out = (_folders(folder / part) for part in ("train", "val"))
    if odd := sorted(set(classes) ^ set(held_out)):
        raise InputError(
            f"{folder} has {', '.join(odd)} in one of train and val only; give both the same"
            " classes."
        )
    if len(classes) < 2:
        raise InputError(f"{folder} has {len(classes)} classes; give at least 2, as train/CLASS.")
    train, val = (_part(folder / part, classes, shape) for part in ("train", "val"))
    return train, val, len(classes)


def _folders(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name[0] != ".")


def _files(folder: Path) -> list[Path]:
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS and p.name[0] != ".")
    if not found:
        raise InputError(f"{folder} holds no picture; give it files in {', '.join(ENDINGS)}.")
    return found


def _part(folder: Path, classes: list[str], shape: Sequence[int]) -> Digits:
    """Read one picture after the other, in an order that mixes the classes."""
    found = [(path, i) for i, name in enumerate(classes) for path in _files(folder / name)]
    # the first images calibrate the quantizer, so they must not be all of one class
    order = np.random.default_rng(0).permutation(len(found))
    images = np.empty((len(found), *shape), np.uint8)
    for position, index in enumerate(order):
        images[position] = picture(found[index][0], shape)
    return Digits(images, np.array([found[index][1] for index in order], np.int64))


def picture(path: Path, shape: Sequence[int]) -> np.ndarray:
    """Read a file as uint8 (C, H, W): shorter side resized, antialiased, and the centre cut out."""
    channels, height, width = shape
    try:
        with Image.open(path) as file:
            mode, whole = file.mode, file.convert(MODES[channels])
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read ({error}); replace or remove it.") from error
    if mode[0] in "IF":
        raise InputError(f"{path} has more than 8 bits (mode {mode}); convert it to 8 bits.")
    fitted = ImageOps.fit(whole, (width, height), Image.Resampling.BILINEAR)
    return np.asarray(fitted).reshape(height, width, channels).transpose(2, 0, 1)
