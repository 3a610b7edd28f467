"""The committed LeNet-5 reaches its accuracy, and its data and training are what they say."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

FOLDER = Path(__file__).parents[2] / "models" / "lenet5_adder"
MODULES = ("data", "network", "train")  # plain names, so that each file also runs as a script


@pytest.fixture(scope="module")
def train() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        for name in MODULES:
            patch.delitem(sys.modules, name, raising=False)
        import train

        for name in MODULES:  # on leaving, none stays behind for another model's test
            patch.setitem(sys.modules, name, sys.modules.pop(name))
        yield train


@pytest.fixture(scope="module")
def data(train) -> ModuleType:
    return sys.modules["data"]


@pytest.fixture(autouse=True)
def torch_settings():
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)


class TestNetwork:
    def test_layers_have_their_names_and_shapes(self, train):
        model, x, shapes = train.lenet5_adder().eval(), torch.zeros(2, 1, 28, 28), {}
        for name, layer in model.named_children():
            x = layer(x)
            shapes[name] = tuple(x.shape[1:])
        trunk = [f"{kind}{i}" for i in (1, 2) for kind in ("conv", "bn", "relu", "pool")]
        head = ["flatten", "fc1", "bn3", "relu3", "fc2", "bn4", "relu4", "fc3"]
        assert list(shapes) == trunk + head
        assert shapes["pool1"] == (6, 12, 12)
        assert shapes["pool2"] == (16, 4, 4)
        assert shapes["fc3"] == (10,)

    def test_committed_weights_reach_their_accuracy(self, train):
        model = train.lenet5_adder()
        train.restore(model)
        _, held_out = train.split()
        assert train.accuracy(model, held_out) >= 0.975


class TestData:
    def test_split_is_balanced_and_disjoint(self, data):
        digits = data.load()
        train, test = data.split_indices(digits.labels)
        assert sorted([*train, *test]) == list(range(5000))
        assert np.bincount(digits.labels[train]).tolist() == [400] * 10
        assert np.bincount(digits.labels[test]).tolist() == [100] * 10
        assert len(set(digits.labels[test][:50])) == 10  # shuffled, not sorted by class

    def test_command_writes_training_and_held_out_images(self, data, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(sys, "argv", ["data.py", "--out", str(tmp_path / "images")])
        data.main()
        assert "calibration.npz: 256 images" in capsys.readouterr().out
        train, test = data.split()
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

    def test_preprocessing(self, train):
        x = train.preprocess(np.array([0, 255], np.uint8).reshape(2, 1, 1, 1))
        assert x.flatten().tolist() == pytest.approx([-0.1307 / 0.3081, 0.8693 / 0.3081])


class TestTraining:
    def test_same_seed_gives_the_same_bits(self, train, capsys):
        digits, _ = train.split()
        runs = []
        for _ in range(2):
            random = train.make_deterministic()
            model = train.lenet5_adder()
            before = model.conv2.weight.detach().clone()
            train.train(model, digits[:200], random, epochs=1)
            runs.append(model.state_dict())
            assert not torch.equal(model.conv2.weight, before)
        assert "epoch   1 of 1: mean loss" in capsys.readouterr().out
        assert all(torch.equal(runs[0][name], runs[1][name]) for name in runs[0])

    def test_saved_weights_come_back(self, train, tmp_path):
        model, other = train.lenet5_adder(), train.lenet5_adder()
        train.save(model, tmp_path / "weights.npz")
        train.restore(other, tmp_path / "weights.npz")
        for name, value in model.state_dict().items():
            assert torch.equal(value, other.state_dict()[name])

    def test_distortion_keeps_shape_and_background(self, train):
        x = train.preprocess(np.zeros((3, 1, 28, 28), np.uint8))
        y = train.distort(x, torch.Generator().manual_seed(0))
        assert y.shape == x.shape
        assert torch.allclose(y, x)
