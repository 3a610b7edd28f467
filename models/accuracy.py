"""Accuracy of a classifier's integers on the held-out images; `python -m models.accuracy NAME`."""

import argparse
from importlib import import_module
from pathlib import Path

import numpy as np
import torch

from hwgen.errors import InputError
from hwgen.frontend import from_torch, load_weights
from hwgen.ir.evaluate import evaluate
from hwgen.ir.graph import Graph
from hwgen.quantize import Policy, quantize
from hwgen_sim import fast, golden
from models.common import DATA_HELP, Data, Recipe, load_data, load_recipe, preprocess
from models.digits import CLASSES, Digits

ROOT = Path(__file__).parent


def imported(name: str, classes: int = CLASSES, weights: Path | None = None) -> Graph:
    """Return the float graph of the network in models/NAME, by default with committed weights."""
    recipe = load_recipe(ROOT / name)
    module = getattr(import_module(f"models.{name}.network"), name)(classes=classes)
    load_weights(module, weights or ROOT / name / "weights.npz")
    settings = recipe["input"]
    mean, std = tuple(settings["mean"]), tuple(settings["std"])
    return from_torch(module, torch.rand(2, *settings["shape"]), name, mean, std)


def quantized(graph: Graph, data: Data, recipe: Recipe, bits: int = 8) -> Graph:
    """Return the integer graph, calibrated on training images."""
    calibration = data.train[: recipe["data"]["calibration"]]
    return quantize(graph, calibration.images, Policy(bits=bits))


def integer_accuracy(graph: Graph, images: Digits) -> float:
    """Return the fraction of images that the integers classify correctly."""
    name = graph.output.name
    found = fast.run(graph, golden.prepare(graph, images.images), keep=[name])[name]
    classes = found[:, 0] if found.shape[1] == 1 else found.argmax(1)
    return float(np.mean(classes == images.labels))


def float_accuracy(graph: Graph, images: Digits, recipe: Recipe) -> float:
    """Return the fraction of images that the float graph classifies correctly."""
    right = 0
    for start in range(0, len(images.labels), 100):
        part = images[start : start + 100]
        scores = evaluate(graph, preprocess(part.images, recipe).double().numpy())
        right += int((scores[graph.output.name].argmax(1) == part.labels).sum())
    return right / len(images.labels)


def main() -> None:
    parser = argparse.ArgumentParser(description="Print the accuracy of floats and integers.")
    parser.add_argument("name", help="folder of models/")
    parser.add_argument("--bits", type=int, default=8)
    parser.add_argument("--data", type=Path, help=DATA_HELP)
    parser.add_argument("--weights", type=Path, help="by default the committed ones")
    arguments = parser.parse_args()
    recipe = load_recipe(ROOT / arguments.name)
    try:
        data = load_data(recipe, arguments.data)
        graph = imported(arguments.name, data.classes, arguments.weights)
    except InputError as error:
        parser.error(str(error))
    integers = quantized(graph, data, recipe, arguments.bits)
    print(f"float {float_accuracy(graph, data.held_out, recipe):.2%}")
    print(f"integers, {arguments.bits} bits: {integer_accuracy(integers, data.held_out):.2%}")


if __name__ == "__main__":
    main()
