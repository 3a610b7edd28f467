"""The LeNet-5's layers, the digits' split, and the command and the bits of training."""

import sys

import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from models import common, digits
from models.accuracy import ROOT
from models.lenet5_adder.network import lenet5_adder

FOLDER = ROOT / "lenet5_adder"
RECIPE = common.load_recipe(FOLDER)


def test_layers_have_their_names_and_shapes():
    model, x, shapes = lenet5_adder().eval(), torch.zeros(2, 1, 28, 28), {}
    for name, layer in model.named_children():
        x = layer(x)
        shapes[name] = tuple(x.shape[1:])
    trunk = [f"{kind}{i}" for i in (1, 2) for kind in ("conv", "bn", "relu", "pool")]
    head = ["flatten", "fc1", "bn3", "relu3", "fc2", "bn4", "relu4", "fc3"]
    assert list(shapes) == trunk + head
    assert shapes["pool1"] == (6, 12, 12)
    assert shapes["pool2"] == (16, 4, 4)
    assert shapes["fc3"] == (10,)


class TestData:
    def test_split_is_balanced_and_disjoint(self):
        labels = digits.load().labels
        train, test = digits.split_indices(labels)
        assert sorted([*train, *test]) == list(range(5000))
        assert np.bincount(labels[train]).tolist() == [400] * 10
        assert np.bincount(labels[test]).tolist() == [100] * 10
        assert len(set(labels[test][:50])) == 10  # shuffled, not sorted by class

    def test_command_writes_training_and_held_out_images(self, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(sys, "argv", ["train", "--images", str(tmp_path / "images")])
        common.main(FOLDER, lenet5_adder)
        assert "calibration.npz: 256 images" in capsys.readouterr().out
        train, test = digits.split()
        with np.load(tmp_path / "images" / "test.npz") as written:
            assert written["images"].dtype == np.uint8
            assert np.array_equal(written["images"], test.images)
            assert np.array_equal(written["labels"], test.labels)
        with np.load(tmp_path / "images" / "calibration.npz") as written:
            assert written["images"].shape == (256, 1, 28, 28)
            pool = {image.tobytes() for image in train.images}
            held_out = {image.tobytes() for image in test.images}
            calibration = {image.tobytes() for image in written["images"]}
        assert calibration <= pool
        assert not calibration & held_out

    def test_preprocessing(self):
        x = common.preprocess(np.array([0, 255], np.uint8).reshape(2, 1, 1, 1), RECIPE)
        assert x.flatten().tolist() == pytest.approx([-0.1307 / 0.3081, 0.8693 / 0.3081])

    def test_distortion_keeps_shape_and_background(self):
        x = common.preprocess(np.zeros((3, 1, 28, 28), np.uint8), RECIPE)
        y = common.distort_digit(x, RECIPE, torch.Generator().manual_seed(0))
        assert y.shape == x.shape
        assert torch.allclose(y, x)


class TestTraining:
    def test_same_seed_gives_the_same_bits(self):
        train, held_out = digits.split()
        few = common.Data(train[:200], held_out, common.distort_digit)
        runs = []
        for _ in range(2):
            random = common.make_deterministic(RECIPE)
            model = lenet5_adder()
            common.train(model, few, RECIPE, random, epochs=1)
            runs.append(model.state_dict())
        assert all(torch.equal(runs[0][name], runs[1][name]) for name in runs[0])

    @pytest.mark.parametrize(
        ("falls", "wanted"),
        [
            # 0.1 * (1 + cos(pi * k / n)) / 2
            ({}, [0.1, 0.0853553, 0.05, 0.0146447]),
            ({"rate_falls": "batch"}, [0.1, 0.0853553, 0.05, 0.0146447]),
            ({"rate_falls": "epoch"}, [0.1, 0.1, 0.05, 0.05]),
        ],
    )
    def test_rate_falls_with_every_batch_or_every_epoch(self, falls, wanted):
        train, held_out = digits.split()
        few = common.Data(train[:4], held_out, common.distort_digit)
        settings = {k: v for k, v in RECIPE["training"].items() if k != "rate_falls"}
        recipe = {**RECIPE, "training": {**settings, "batch": 2, **falls}}
        rates: list[float] = []
        hook = register_optimizer_step_pre_hook(
            lambda optimizer, *_: rates.append(optimizer.param_groups[0]["lr"])
        )
        common.train(lenet5_adder(), few, recipe, common.make_deterministic(recipe), epochs=2)
        hook.remove()
        assert rates == pytest.approx(wanted, abs=1e-6)
