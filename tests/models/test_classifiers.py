"""The committed classifiers reach the accuracy of their README, as floats and as integers."""

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from hwgen.frontend import load_model
from models import accuracy, common, digits

ROOT = Path(common.__file__).parent
NAMES = ("lenet5_adder", "digits_xnor", "digits_ice", "cnv_xnor", "resnet20_winograd")
NAMES += ("resnet20_cnn",)


def documented(name: str, what: str) -> float:
    """Percentage in the README's table row that starts with ``what``."""
    readme = (ROOT / name / "README.md").read_text()
    found = re.search(rf"^\| {what}[^|]*\| \**([\d.]+) %", readme, re.MULTILINE)
    assert found is not None
    return float(found[1])


@pytest.mark.parametrize("name", NAMES)
class TestCommittedWeights:
    def test_floats_reach_the_documented_accuracy(self, name):
        recipe = common.load_recipe(ROOT / name)
        model = load_model(f"{ROOT / name / 'network.py'}:{name}", ROOT / name / "weights.npz")
        found = 100 * common.accuracy(model, common.load_data(recipe).held_out, recipe)
        assert found == pytest.approx(documented(name, "accuracy, float"), abs=0.11)

    @pytest.mark.slow
    def test_integers_lose_little(self, name):
        recipe = common.load_recipe(ROOT / name)
        data = common.load_data(recipe)
        graph = accuracy.quantized(accuracy.imported(name), data, recipe)
        found = 100 * accuracy.integer_accuracy(graph, data.held_out[:300])
        assert found >= documented(name, "accuracy, integers") - 2  # fewer images

    def test_files_are_small(self, name):
        assert (ROOT / name / "weights.npz").stat().st_size < 1_000_000


class TestTraining:
    def test_an_epoch_changes_and_saves_the_weights(self, tmp_path, capsys):
        recipe = common.load_recipe(ROOT / "digits_xnor")
        data = common.load_data(recipe)
        few = common.Data(data.train[:200], data.held_out[:100], data.distort)
        random = common.make_deterministic(recipe)
        from models.digits_xnor.network import digits_xnor

        model, other = digits_xnor(), digits_xnor()
        before = model.conv2.weight.detach().clone()
        common.train(model, few, recipe, random, epochs=1)
        assert not torch.equal(model.conv2.weight, before)
        assert "epoch   1 of 1: mean loss" in capsys.readouterr().out
        common.settle(model)
        common.save(model, tmp_path / "weights.npz")
        common.restore(other, tmp_path / "weights.npz")
        for name, value in model.state_dict().items():
            assert torch.equal(value, other.state_dict()[name])

    def test_winograd_exponents_end_at_one(self):
        from models.resnet20_winograd.network import resnet20_winograd
        from models.resnet20_winograd.train import anneal

        model = resnet20_winograd(blocks=1)
        exponents = []
        for epoch in range(6):
            anneal(model, epoch, 6)
            exponents.append(model.layer1[0].conv1.exponent)
        assert exponents[0] == 2
        assert exponents == sorted(exponents, reverse=True)
        assert exponents[-1] == 1


class TestData:
    def test_digits_get_black_borders_and_equal_channels(self):
        data = common.load_data(common.load_recipe(ROOT / "cnv_xnor"))
        _, held_out = digits.split()
        assert data.held_out.images.shape == (1000, 3, 32, 32)
        assert np.array_equal(data.held_out.images[:, 1:2, 2:30, 2:30], held_out.images)
        assert data.held_out.images[:, :, :2].max() == 0


@pytest.mark.parametrize("name", NAMES)
def test_networks_take_another_number_of_classes(name):
    factory = getattr(import_module(f"models.{name}.network"), name)
    shape = common.load_recipe(ROOT / name)["input"]["shape"]
    assert factory(classes=7).eval()(torch.zeros(2, *shape)).shape == (2, 7)
