"""Training on a person's own folder: what is read, at which size, and what is refused."""

import io
import pickle
import re
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from hwgen.errors import InputError
from models import common, folders

BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 2, 3072)).astype(np.uint8)
LABELS = [[(2 * i) % 10, (2 * i + 1) % 10] for i in range(6)]
RECIPE = """
[input]
shape = [3, 8, 8]
mean = [0.0]
std = [1.0]
[data]
calibration = 4
[training]
seed = 1
threads = 1
optimizer = "adam"
epochs = 1
batch = 2
learning_rate = 1e-2
weight_decay = 0.0
"""


class Python2(pickle._Pickler):
    """Pickles text and bytes as Python 2, with which CIFAR-10 was written, did its strings."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, text):
        text = text.encode() if isinstance(text, str) else text
        self.write(pickle.BINSTRING + struct.pack("<i", len(text)) + text)

    dispatch[bytes] = dispatch[str] = save_string


def python_batch(pixels: np.ndarray, labels: list[int]) -> bytes:
    """A batch as in cifar-10-python.tar.gz: Python 2, protocol 2, NumPy 1."""
    file = io.BytesIO()
    Python2(file, 2).dump({b"data": pixels, b"labels": labels})
    flags_of_dtype = (pickle.NEWFALSE + pickle.NEWTRUE, b"K\x00K\x01")  # written as 0 and 1
    return file.getvalue().replace(b"numpy._core", b"numpy.core").replace(*flags_of_dtype)


def write_python(folder: Path) -> None:
    for name, pixels, labels in zip(BATCHES, PIXELS, LABELS, strict=True):
        (folder / name).write_bytes(python_batch(pixels, labels))


def write_binary(folder: Path) -> None:
    for name, pixels, labels in zip(BATCHES, PIXELS, LABELS, strict=True):
        (folder / f"{name}.bin").write_bytes(
            b"".join(
                bytes([label]) + row.tobytes() for row, label in zip(pixels, labels, strict=True)
            )
        )


def write_pictures(folder: Path, train: int = 3, size: int = 8) -> dict[str, np.ndarray]:
    """Write noise in three classes; return the pixels (H, W, 3) of the held-out pictures."""
    random, held_out = np.random.default_rng(0), {}
    for part, count in (("train", train), ("val", 1)):
        for name in ("cat", "ant", "bee"):
            place = folder / part / name
            place.mkdir(parents=True)
            for i in range(count):
                pixels = random.integers(0, 256, (size, size, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(place / f"{i}.png")
                held_out[name] = pixels
    return held_out


@pytest.mark.parametrize("write", [write_binary, write_python])
class TestCifar10:
    def test_images_and_labels_are_read(self, write, tmp_path):
        write(tmp_path)
        train, held_out, classes = folders.load(tmp_path, (3, 32, 32))
        assert classes == 10
        assert train.labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
        assert held_out.labels.tolist() == [0, 1]
        assert train.images.dtype == np.uint8
        assert train.images.shape == (10, 3, 32, 32)
        # a row of the file holds 1,024 bytes of red, then of green, then of blue, line by line
        assert train.images[7, 2, 5, 9] == PIXELS[3, 1, 2 * 1024 + 5 * 32 + 9]
        assert np.array_equal(held_out.images.reshape(2, -1), PIXELS[5])

    def test_other_sizes_are_refused(self, write, tmp_path):
        write(tmp_path)
        with pytest.raises(InputError, match=r"the network takes \(1, 28, 28\); give pictures"):
            folders.load(tmp_path, (1, 28, 28))

    def test_missing_files_are_named(self, write, tmp_path):
        write(tmp_path)
        lost = next(tmp_path.glob("data_batch_3*"))
        lost.unlink()
        with pytest.raises(InputError, match=rf"lacks {re.escape(lost.name)}; it must hold either"):
            folders.load(tmp_path, (3, 32, 32))


class TestDamagedCifar10:
    def refusal(self, folder: Path) -> str:
        with pytest.raises(InputError) as caught:
            folders.load(folder, (3, 32, 32))
        return str(caught.value)

    def test_binary_files_of_another_size(self, tmp_path):
        write_binary(tmp_path)
        (tmp_path / "test_batch.bin").write_bytes(bytes(3074))  # a row of CIFAR-100
        assert "has 3,074 bytes, which is no multiple of CIFAR-10's 3,073" in self.refusal(tmp_path)

    def test_classes_beyond_nine(self, tmp_path):
        write_binary(tmp_path)
        (tmp_path / "data_batch_2.bin").write_bytes(bytes([10]) + bytes(3072))
        assert "data_batch_2.bin has 1 images and 1 labels, not all" in self.refusal(tmp_path)

    def test_fewer_labels_than_images(self, tmp_path):
        write_python(tmp_path)
        (tmp_path / "test_batch").write_bytes(python_batch(PIXELS[5], [3]))
        assert "test_batch has 2 images and 1 labels" in self.refusal(tmp_path)

    def test_pickles_that_are_no_batch(self, tmp_path):
        write_python(tmp_path)
        (tmp_path / "test_batch").write_bytes(pickle.dumps({b"data": PIXELS[5]}))
        assert "test_batch is no batch of CIFAR-10's Python version" in self.refusal(tmp_path)

    def test_pickles_that_call_something(self, tmp_path):
        write_python(tmp_path)
        (tmp_path / "data_batch_1").write_bytes(b"cos\nmkdir\n(Vcalled\ntR.")
        assert "it calls os.mkdir" in self.refusal(tmp_path)


class TestPictures:
    def test_pictures_of_the_wanted_size_come_back_unchanged(self, tmp_path):
        wanted = write_pictures(tmp_path)
        train, held_out, classes = folders.load(tmp_path, (3, 8, 8))
        assert classes == 3
        assert sorted(train.labels) == [0] * 3 + [1] * 3 + [2] * 3
        assert sorted(held_out.labels) == [0, 1, 2]
        for image, label in zip(held_out.images, held_out.labels, strict=True):
            assert np.array_equal(image.transpose(1, 2, 0), wanted[("ant", "bee", "cat")[label]])

    def test_classes_are_mixed_where_calibration_takes_the_first(self, tmp_path):
        write_pictures(tmp_path, train=20, size=2)
        train, _, _ = folders.load(tmp_path, (3, 2, 2))
        assert set(train.labels[:12]) == {0, 1, 2}

    @pytest.mark.parametrize("ending", ["png", "JPEG", "jpg"])
    def test_one_colour_stays_at_any_size(self, ending, tmp_path):
        Image.new("RGB", (50, 31), (200, 100, 50)).save(tmp_path / f"plain.{ending}", quality=100)
        found = folders.picture(tmp_path / f"plain.{ending}", (3, 8, 8))
        assert found.shape == (3, 8, 8)
        assert np.abs(found.reshape(3, -1).T - np.array([200.0, 100, 50])).max() <= 1  # JPEG rounds

    def test_grey_is_luma(self, tmp_path):
        Image.new("RGB", (8, 8), (200, 100, 50)).save(tmp_path / "plain.png")
        found = folders.picture(tmp_path / "plain.png", (1, 8, 8))
        wanted = 0.299 * 200 + 0.587 * 100 + 0.114 * 50  # ITU-R BT.601
        assert found.shape == (1, 8, 8)
        assert np.abs(found - wanted).max() <= 1

    def test_the_centre_is_cut_out(self, tmp_path):
        pixels = np.zeros((8, 12, 3), np.uint8)
        pixels[:, 2:10] = PIXELS[0, 0, :192].reshape(8, 8, 3)
        Image.fromarray(pixels).save(tmp_path / "wide.png")
        found = folders.picture(tmp_path / "wide.png", (3, 8, 8))
        assert np.array_equal(found.transpose(1, 2, 0), pixels[:, 2:10])

    def test_shrinking_is_antialiased(self, tmp_path):
        stripes = np.zeros((64, 64), np.uint8)
        stripes[:, ::2] = 255
        Image.fromarray(stripes).save(tmp_path / "stripes.png")
        found = folders.picture(tmp_path / "stripes.png", (1, 8, 8))
        assert np.abs(found - 127.5).max() < 10  # without a filter, all would be 0 or 255

    def test_other_files_are_passed_over(self, tmp_path):
        write_pictures(tmp_path)
        (tmp_path / "train" / "ant" / "notes.txt").write_text("ants")
        (tmp_path / "val" / ".hidden").mkdir()
        assert len(folders.load(tmp_path, (3, 8, 8))[0].labels) == 9


class TestRefusedFolders:
    def refusal(self, folder: Path) -> str:
        with pytest.raises(InputError) as caught:
            folders.load(folder, (3, 8, 8))
        return str(caught.value)

    @pytest.mark.parametrize("names", [(), ("train", "test", "meta"), ("train.bin", "test.bin")])
    def test_unknown_folders_and_cifar100_hear_what_is_wanted(self, names, tmp_path):
        for name in names:
            (tmp_path / name).write_bytes(bytes(3074))
        found = self.refusal(tmp_path)
        assert found.startswith(f"{tmp_path} is no folder of images to train on; it must hold")
        assert "train/CLASS and val/CLASS with JPEG or PNG files" in found
        assert "data_batch_1 to data_batch_5 and test_batch" in found

    def test_missing_folders_hear_it_too(self, tmp_path):
        assert "is no folder of images to train on" in self.refusal(tmp_path / "nowhere")

    def test_classes_in_one_part_only_are_named(self, tmp_path):
        write_pictures(tmp_path)
        (tmp_path / "val" / "dog").mkdir()
        assert "has dog in one of train and val only; give both" in self.refusal(tmp_path)

    def test_pictures_without_classes(self, tmp_path):
        for part in ("train", "val"):
            (tmp_path / part).mkdir()
        assert "has 0 classes; give at least 2, as train/CLASS" in self.refusal(tmp_path)

    def test_classes_without_pictures(self, tmp_path):
        write_pictures(tmp_path)
        (tmp_path / "val" / "bee" / "0.png").unlink()
        assert "bee holds no picture; give it files in .jpg, .jpeg, .png." in self.refusal(tmp_path)

    def test_unreadable_pictures_are_named(self, tmp_path):
        write_pictures(tmp_path)
        (tmp_path / "train" / "bee" / "9.jpg").write_text("no picture")
        assert re.search(r"9\.jpg cannot be read .* replace or remove it", self.refusal(tmp_path))

    def test_sixteen_bits_are_refused(self, tmp_path):
        write_pictures(tmp_path)
        Image.fromarray(np.full((8, 8), 5000, np.uint16)).save(tmp_path / "train" / "bee" / "9.png")
        assert re.search(r"9\.png has more than 8 bits \(mode I;16\)", self.refusal(tmp_path))


def tiny(classes: int = 10) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, classes)
    )


class TestCommand:
    def train(self, folder: Path, monkeypatch, *options: str) -> None:
        """Run the command of a train.py beside a recipe; pictures are in ``folder``/data."""
        monkeypatch.setattr(sys, "argv", ["train", "--data", str(folder / "data"), *options])
        common.main(folder, tiny)

    def test_an_epoch_runs_on_pictures_of_three_classes(self, tmp_path, monkeypatch, capsys):
        (tmp_path / "recipe.toml").write_text(RECIPE)
        write_pictures(tmp_path / "data")  # 9 for training: the last batch would be of one
        self.train(tmp_path, monkeypatch)
        assert "epoch   1 of 1: mean loss" in capsys.readouterr().out
        model = tiny(classes=3)
        common.restore(model, tmp_path / "weights.npz")
        assert model[1].num_batches_tracked == 4
        assert torch.isfinite(model[4].weight).all()

    def test_images_are_written_for_hwgen(self, tmp_path, monkeypatch):
        (tmp_path / "recipe.toml").write_text(RECIPE)
        write_pictures(tmp_path / "data")
        self.train(tmp_path, monkeypatch, "--images", str(tmp_path))
        with np.load(tmp_path / "calibration.npz") as written:
            assert written["images"].shape == (4, 3, 8, 8)

    @pytest.mark.parametrize(
        ("more", "sentence"),
        [("", "is no folder of images"), ('rate_falls = "day"', "rate_falls is 'day'; write")],
    )
    def test_refusals_end_the_command_in_one_sentence(
        self, more, sentence, tmp_path, monkeypatch, capsys
    ):
        (tmp_path / "recipe.toml").write_text(RECIPE + more)
        if more:
            write_pictures(tmp_path / "data")
        with pytest.raises(SystemExit):
            self.train(tmp_path, monkeypatch)
        assert sentence in capsys.readouterr().err
