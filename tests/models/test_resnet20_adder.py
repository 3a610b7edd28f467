"""The trained AdderNet ResNet-20 beside the repository: accuracy and integers on 500 images."""

import importlib.util
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch

from hwgen.frontend import from_torch
from hwgen.frontend.integer_torch import run_integer_torch
from hwgen.nn import AdderConv2d
from hwgen.quantize import Policy, quantize
from hwgen_sim import fast, golden
from tests.models.hardware import check_verilog, is_as_fast_as_its_slowest_node

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
WEIGHTS, IMAGES = DATA / "adder_resnet20_cifar10.npz", DATA / "cifar10_test_first500.npz"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not WEIGHTS.is_file(), reason="the trained weights and images are not in the repository"
    ),
]

ALLOWED = {8: 0.3, 6: 0.5, 5: 0.8, 4: 1.5}
"""Points of accuracy that integers may lose against float."""


@lru_cache(maxsize=1)
def network():
    """The float graph."""
    path = ROOT / "models" / "resnet20_adder" / "network.py"
    spec = importlib.util.spec_from_file_location("resnet20_adder_network", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with np.load(WEIGHTS) as arrays:
        state = module.from_official({name: arrays[name] for name in arrays.files})
    model = module.resnet20_adder()
    model.load_state_dict(state)
    example = torch.zeros(1, 3, 32, 32)
    return model.eval(), from_torch(model, example, mean=module.MEAN, std=module.STD), module


@lru_cache(maxsize=1)
def data():
    """500 CIFAR-10 images (500, 3, 32, 32), uint8, and their classes."""
    with np.load(IMAGES) as arrays:
        return arrays["images"], arrays["labels"]


def halves():
    """Images to calibrate on and images to score: each half once, never the same ones."""
    first, second = slice(0, 250), slice(250, 500)
    return ((first, second), (second, first))


def float_accuracy():
    model, _, module = network()
    images, labels = data()
    mean, std = (torch.tensor(part).view(3, 1, 1) for part in (module.MEAN, module.STD))
    with torch.no_grad():
        parts = torch.from_numpy(images).split(50)
        scores = torch.cat([model((part / 255 - mean) / std) for part in parts])
    return np.mean(scores.argmax(1).numpy() == labels) * 100


def classes(graph, images):
    return fast.run(graph, golden.prepare(graph, images), keep=["argmax"])["argmax"][:, 0]


def test_float_accuracy_is_that_of_the_trained_network():
    assert float_accuracy() == pytest.approx(92.0)


@pytest.mark.parametrize("bits", [8, 6, 5, 4, 3])
def test_accuracy_after_post_training_quantization(bits, record_property):
    _, graph, _ = network()
    images, labels = data()
    right = 0
    for calibration, scored in halves():
        integers = quantize(graph, images[calibration], Policy(bits=bits))
        right += int((classes(integers, images[scored]) == labels[scored]).sum())
    accuracy = right / len(labels) * 100
    record_property("accuracy", accuracy)
    print(f"{bits} bits: {accuracy:.1f} %")
    if bits in ALLOWED:  # at 3 bits it is reported
        assert accuracy >= 92.0 - ALLOWED[bits]


def test_golden_equals_integer_torch_on_all_images():
    _, graph, _ = network()
    images, _ = data()
    integers = quantize(graph, images[:64])
    for start in range(0, 500, 50):
        inputs = golden.prepare(integers, images[start : start + 50])
        ours = fast.run(integers, inputs)
        for node, found in run_integer_torch(integers, inputs).items():
            np.testing.assert_array_equal(ours[node], found, err_msg=node)
    inputs = golden.prepare(integers, images[:2])
    plain, ours = golden.run(integers, inputs), fast.run(integers, inputs)
    for node in plain:
        np.testing.assert_array_equal(plain[node], ours[node], err_msg=node)


def test_zeros_grow_with_depth_as_torch_counts_them_too():
    model, graph, module = network()
    images, _ = data()
    integers = quantize(graph, images[:64])
    shown = images[-20:]
    values = fast.run(integers, golden.prepare(integers, shown))
    mean, std = (torch.tensor(part).view(3, 1, 1) for part in (module.MEAN, module.STD))
    floats: dict[str, float] = {}

    def watch(name: str):
        def count(_, inputs):
            floats[name.replace(".", "_")] = float((inputs[0] == 0).float().mean())

        return count

    for name, layer in model.named_modules():
        if isinstance(layer, AdderConv2d):
            layer.register_forward_pre_hook(watch(name))
    with torch.no_grad():
        model((torch.from_numpy(shown) / 255 - mean) / std)
    layers = [node for node in integers.nodes if node.kind == "adder_conv2d"]
    shares = {node.name: float((values[node.inputs[0]] == 0).mean()) for node in layers}
    assert shares.keys() == floats.keys()
    for name, share in shares.items():  # rounding adds some zeros, and removes none
        assert floats[name] - 0.01 <= share <= floats[name] + 0.06
    assert shares["layer3_2_conv2"] == pytest.approx(0.829, abs=0.001)
    assert shares["layer3_2_conv2"] == max(shares.values())


def test_verilog_equals_golden_at_every_node(tmp_path):
    _, graph, _ = network()
    images, _ = data()
    plan = check_verilog(quantize(graph, images[:64]), images[-3:], 150_000, tmp_path)
    assert is_as_fast_as_its_slowest_node(plan)
