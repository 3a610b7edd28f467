"""PSNR of the networks' integers on held-out pictures; `python -m models.edsr_ghost.integers`."""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from hwgen.frontend import from_torch, load_model
from hwgen.ir.graph import Graph
from hwgen.quantize import Policy, quantize
from hwgen_sim import fast, golden
from models.common import load_recipe
from models.edsr_ghost.data import Picture, calibration, load, psnr, to_pixels
from models.edsr_ghost.train import FACTORIES, FOLDER, weights_of


def quantized(name: str, patches: np.ndarray, bits: int = 8) -> Graph:
    """Return the integer graph of a committed network, calibrated on patches (N, 1, H, W)."""
    module = load_model(f"{FOLDER / 'network.py'}:{name}", weights_of(name))
    graph = from_torch(module, torch.rand(2, *patches.shape[1:]), name)
    return quantize(graph, patches, Policy(bits=bits))


def resized(graph: Graph, height: int, width: int) -> Graph:
    """Return the same integers for pictures of another size."""
    _, rows, columns = graph.input.shape
    nodes = [
        replace(node, shape=(channels, h * height // rows, w * width // columns))
        for node in graph.nodes
        for channels, h, w in [node.shape]
    ]
    return Graph(graph.name, tuple(nodes), graph.tensors)


def enlarge(graph: Graph, small: np.ndarray) -> np.ndarray:
    """Double a picture (H, W) uint8 with the integers."""
    graph = resized(graph, *small.shape)
    last = graph.output
    assert last.scale is not None
    found = fast.run(graph, golden.prepare(graph, small[None, None]), keep=[last.name])[last.name]
    return to_pixels(torch.from_numpy(found * last.scale[0]))[0, 0]


def mean_psnr(graph: Graph, pictures: list[Picture]) -> float:
    """Return the mean PSNR of the doubled pictures in dB."""
    return float(np.mean([psnr(enlarge(graph, p.small), p.large) for p in pictures]))


def main() -> None:
    parser = argparse.ArgumentParser(description="Print the PSNR of the networks' integers.")
    parser.add_argument("names", nargs="*", default=list(FACTORIES), help="by default all three")
    parser.add_argument("--bits", type=int, default=8)
    parser.add_argument("--data", type=Path, help="folder of pictures, as in training")
    arguments = parser.parse_args()
    recipe = load_recipe(FOLDER)
    train, held_out = load(recipe, arguments.data)
    for name in arguments.names:
        graph = quantized(name, calibration(train, recipe), arguments.bits)
        print(f"{name}, {arguments.bits} bits: {mean_psnr(graph, held_out):.2f} dB")


if __name__ == "__main__":
    main()
