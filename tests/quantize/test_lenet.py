"""The adder LeNet-5 of models/: eight bits lose at most 0.3 points on held-out digits."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hwgen.frontend import from_torch, load_model, run_integer_torch
from hwgen.inputs import load_recipe, to_real
from hwgen.ir.evaluate import evaluate
from hwgen.quantize import Policy, quantize
from hwgen_sim import fast, golden
from models import digits

FOLDER = Path(__file__).parents[2] / "models" / "lenet5_adder"


@pytest.fixture(scope="module")
def lenet():
    """The float graph, calibration images, and held-out images with labels."""
    recipe = load_recipe(FOLDER)
    module = load_model(f"{FOLDER / 'network.py'}:lenet5_adder", FOLDER / "weights.npz")
    example = torch.rand(1, *recipe.shape)
    graph = from_torch(module, example, mean=recipe.mean, std=recipe.std)
    train, test = digits.split()
    return graph, train.images[:256], test


@pytest.mark.parametrize(("bits", "points"), [(8, 0.3), (6, 1.0)])
def test_accuracy_stays_near_float(lenet, bits, points):
    graph, calibration, test = lenet
    real = to_real(test.images, graph.input.mean, graph.input.std)
    scores = evaluate(graph, real)[graph.output.name]
    wanted = 100 * np.mean(scores.argmax(axis=1) == test.labels)
    integers = quantize(graph, calibration, Policy(bits=bits))
    classes = fast.run(integers, golden.prepare(integers, test.images), keep=["argmax"])["argmax"]
    assert 100 * np.mean(classes[:, 0] == test.labels) >= wanted - points


def test_three_ways_agree(lenet):
    graph, calibration, test = lenet
    integers = quantize(graph, calibration)
    x = golden.prepare(integers, test.images[:8])
    expected = golden.run(integers, x)
    for found in (fast.run(integers, x), run_integer_torch(integers, x)):
        assert all(np.array_equal(found[name], expected[name]) for name in expected)
