"""The committed doubling networks reach the PSNR of their README, as floats and as integers."""

import re
import sys

import numpy as np
import pytest
import torch
from skimage.io import imsave

from hwgen.frontend import load_model
from models.common import load_recipe
from models.edsr_ghost import data, integers, train

RECIPE = load_recipe(train.FOLDER)


@pytest.fixture(scope="module")
def pictures() -> tuple[list[data.Picture], list[data.Picture]]:
    return data.load(RECIPE)


def documented(name: str) -> list[float]:
    """Decibels in the README's table row of a network or of bicubic doubling."""
    readme = (train.FOLDER / "README.md").read_text()
    row = re.search(rf"^\| `?{name}`? .*", readme, re.MULTILINE)
    assert row is not None
    return [float(number) for number in re.findall(r"\d\d\.\d\d", row[0])]


@pytest.mark.parametrize("name", list(train.FACTORIES))
class TestCommittedWeights:
    def test_floats_reach_the_documented_psnr(self, name, pictures):
        network = f"{train.FOLDER / 'network.py'}:{name}"
        model = load_model(network, train.weights_of(name))
        found = [data.psnr(train.enlarge(model, p.small), p.large) for p in pictures[1]]
        wanted = documented(name)
        assert found == pytest.approx(wanted[:3], abs=0.02)
        assert np.mean(found) == pytest.approx(wanted[3], abs=0.02)

    @pytest.mark.slow
    def test_integers_lose_little(self, name, pictures):
        graph = integers.quantized(name, data.calibration(pictures[0], RECIPE))
        chelsea = pictures[1][1]
        found = data.psnr(integers.enlarge(graph, chelsea.small), chelsea.large)
        floats, mean, of_integers = documented(name)[1], *documented(name)[3:]
        assert found >= floats - (mean - of_integers) - 0.2


def test_shift_ghost_is_one_decibel_above_bicubic():
    assert documented("edsr_ghost")[3] >= documented("bicubic")[3] + 1


def test_bicubic_has_the_documented_psnr(pictures):
    found = [data.psnr(data.bicubic(p.small, p.large.shape), p.large) for p in pictures[1]]
    assert found == pytest.approx(documented("bicubic")[:3], abs=0.02)


def test_no_patch_comes_from_a_held_out_picture(pictures):
    training, held_out = pictures
    assert not {p.name for p in training} & {p.name for p in held_out}


def test_patches_of_small_and_large_pictures_belong_together(pictures):
    random = np.random.default_rng(0)
    small, large = data.draw(pictures[0], 8, 24, random)
    assert small.shape == (8, 1, 24, 24)
    for low, high in zip(small, large, strict=True):
        mean = high[0].reshape(24, 2, 24, 2).mean((1, 3))
        assert np.abs(mean - low[0]).mean() < 12


def test_whole_tiles_are_cut_in_order():
    small = np.arange(5 * 7, dtype=np.uint8).reshape(5, 7)
    cut = data.tiles(data.Picture("", small, small), 2)
    assert cut.shape == (6, 1, 2, 2)
    assert np.array_equal(cut[4, 0], small[2:4, 2:4])


def test_a_step_trains_every_network(pictures, capsys):
    recipe = {**RECIPE, "training": {**RECIPE["training"], "steps": 1, "batch": 2}}
    for factory in train.FACTORIES.values():
        model = factory()
        before = model.head.weight.detach().clone()
        train.train(model, pictures[0], recipe, 1)
        assert not torch.equal(model.head.weight, before)
    assert "epoch   1 of 1: mean loss" in capsys.readouterr().out


def write_pictures(folder, count, side):
    noise = np.random.default_rng(0).integers(0, 256, (count, side, side + 1)).astype(np.uint8)
    for i, pixels in enumerate(noise):
        imsave(folder / f"{i:02}.png", pixels, check_contrast=False)
    return noise


class TestOwnPictures:
    def test_every_tenth_is_held_out_and_cut_to_an_even_size(self, tmp_path):
        noise = write_pictures(tmp_path, 11, 48)
        (tmp_path / "notes.txt").write_text("not a picture")
        training, held_out = data.load(RECIPE, tmp_path)
        assert [p.name for p in held_out] == ["00.png", "10.png"]
        assert len(training) == 9
        assert np.array_equal(held_out[1].large, noise[10, :, :48])
        assert held_out[1].small.shape == (24, 24)

    def test_command_writes_their_patches(self, tmp_path, monkeypatch, capsys):
        write_pictures(tmp_path, 2, 48)
        options = ["--data", str(tmp_path), "--images", str(tmp_path / "out")]
        monkeypatch.setattr(sys, "argv", ["train", *options])
        train.main()
        assert "test.npz: 1 patches" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("count", "side", "sentence"),
        [
            (1, 48, "holds 1 pictures; give a folder of at least 2"),
            (2, 46, "00.png, 01.png must have at least 48 pixels either way"),
        ],
    )
    def test_too_few_and_too_small_ones_are_refused(
        self, count, side, sentence, tmp_path, monkeypatch, capsys
    ):
        write_pictures(tmp_path, count, side)
        monkeypatch.setattr(sys, "argv", ["train", "--data", str(tmp_path)])
        with pytest.raises(SystemExit):
            train.main()
        assert sentence in capsys.readouterr().err
