"""Error of the predicted cells against synthesis, on designs that no rule was fitted on.

Run: python benchmarks/prediction_error.py [--device lfe5u-45f] [--nodes]
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from hwgen import nn as layers
from hwgen.emit.verilog import to_verilog
from hwgen.frontend import from_torch
from hwgen.ir.graph import Graph
from hwgen.lower.top import lower
from hwgen.quantize import Policy, quantize
from hwgen.schedule.plan import Plan, Target
from hwgen.schedule.resources import counted, parts
from hwgen.schedule.schedule import schedule
from hwgen_boards.devices import load_device
from hwgen_boards.resources import Resources
from hwgen_boards.synth import Synthesis, synthesize

CELLS = ("lut", "ff", "carry", "bram", "dsp")
SHAPE = (3, 10, 10)


@dataclass(frozen=True)
class Design:
    """One network and how it is folded.

    Parameters:
        kernel   : of the middle layer, a key of ``KERNELS``
        bits     : of activations and weights
        channels : of the middle layer's input; it has as many outputs
        speed    : 0 for the slowest folding, 1 for a fast one
    """

    kernel: str
    bits: int
    channels: int
    speed: float

    def __str__(self) -> str:
        return f"{self.kernel} {self.bits} bits, {self.channels} channels, speed {self.speed}"


KERNELS = {
    "multiply": lambda c: nn.Conv2d(c, c, 3, padding=1, bias=False),
    "depthwise": lambda c: nn.Conv2d(c, c, 3, padding=1, groups=c, bias=False),
    "adder": lambda c: layers.AdderConv2d(c, c, 3, padding=1),
    "winograd": lambda c: layers.WinogradAdderConv2d(c, c, padding=1),
    "shift": lambda c: layers.Pow2Conv2d(c, c, 3, padding=1),
    "xnor": lambda c: nn.Sequential(layers.Sign(), layers.XnorConv2d(c, c, 3, padding=1)),
    "sign": lambda c: layers.BinaryWeightConv2d(c, c, 3, padding=1),
}

FITTED_ON = tuple(
    Design(kernel, bits, channels, speed)
    for kernel in KERNELS
    for bits, channels, speed in ((4, 8, 0.3), (8, 4, 0.6))
)
"""Designs of which the rules and their calibration have seen the synthesis."""
HELD_OUT = tuple(
    Design(kernel, bits, channels, speed)
    for kernel in KERNELS
    for bits, channels, speed in ((3, 6, 0.5), (5, 12, 0.2), (6, 8, 0.7), (7, 4, 0.9), (8, 9, 0.4))
)


def integers(design: Design) -> Graph:
    """A first layer, the layer in question, a pool and a classifier, with random weights."""
    torch.manual_seed(0)
    c = design.channels
    module = nn.Sequential(
        nn.Conv2d(SHAPE[0], c, 3), nn.BatchNorm2d(c), nn.ReLU(),
        KERNELS[design.kernel](c), nn.BatchNorm2d(c), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(c * 16, 10),
    ).eval()  # fmt: skip
    for layer in module:
        if isinstance(layer, nn.BatchNorm2d):  # as after training, unlike for each channel
            nn.init.uniform_(layer.weight, 0.5, 2)
            nn.init.normal_(layer.bias)
    graph = from_torch(module, torch.rand(2, *SHAPE), "held_out")
    images = np.random.default_rng(0).integers(0, 256, (16, *SHAPE)).astype(np.uint8)
    return quantize(graph, images, Policy(bits=design.bits))


def folded(graph: Graph, speed: float) -> Plan:
    """A plan between the slowest folding and one of 800 cycles an image."""
    slowest = schedule(graph, Target(cycles=1 << 40)).interval
    return schedule(graph, Target(cycles=round(slowest ** (1 - speed) * 800**speed)))


def synthesized(plan: Plan, device: str) -> Synthesis:
    """Cells of every node, from Yosys or from an earlier run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "top.v").write_text(to_verilog(lower(plan)))
        instances = {unit.name: unit.name for unit in plan.units}
        return synthesize(folder / "top.v", instances, load_device(device), folder)


def compared(design: Design, device: str) -> Iterator[tuple[str, object, Resources]]:
    """Predicted and synthesized cells of every node and, under "", of all nodes."""
    plan = folded(integers(design), design.speed)
    found = synthesized(plan, device)
    for unit in plan.units:
        yield f"{unit.node.kind}", plan.resources[unit.name], found.nodes[unit.name]
    yield "", plan.total, found.total


def error(predicted: float, found: float) -> float:
    """Relative error in percent; of 0 cells, all that was predicted is wrong."""
    return 100 * (predicted - found) / max(found, 1)


def blocks_of(design: Design, device: str) -> Iterator[tuple[list, Resources]]:
    """The blocks of every node, and what synthesis made of them together."""
    plan = folded(integers(design), design.speed)
    found = synthesized(plan, device).nodes
    for unit in plan.units:
        yield [part for stage in unit.blocks for part in parts(stage.params)], found[unit.name]


def fit(designs: tuple[Design, ...], device: str, cell: str) -> Iterator[tuple[str, str]]:
    """Scale and offset of each kind of block, by ridge regression on relative errors."""
    nodes = [node for design in designs for node in blocks_of(design, device)]
    kinds = sorted({type(block).__name__ for blocks, _ in nodes for block in blocks})
    matrix, wanted = np.zeros((len(nodes), 2 * len(kinds))), np.zeros(len(nodes))
    for n, (blocks, found) in enumerate(nodes):
        wanted[n] = getattr(found, cell)
        for block in blocks:
            k = 2 * kinds.index(type(block).__name__)
            matrix[n, k : k + 2] += getattr(counted(block), cell), 1
    weight = 1 / np.sqrt(np.maximum(wanted, 20))
    prior, stiffness = np.tile([1, 0], len(kinds)), np.tile([30, 0.02], len(kinds))
    a, b = matrix * weight[:, None], wanted * weight
    found = np.linalg.solve(a.T @ a + np.diag(stiffness), a.T @ b + stiffness * prior)
    for kind, (scale, offset) in zip(kinds, found.reshape(-1, 2), strict=True):
        yield kind, f"({scale:.2f}, {offset:.1f})"


def rows(designs: tuple[Design, ...], device: str, nodes: bool) -> Iterator[tuple[str, list[str]]]:
    errors: dict[str, list[float]] = {cell: [] for cell in CELLS}
    for design in designs:
        for kind, predicted, found in compared(design, device):
            pairs = {c: (getattr(predicted, c), getattr(found, c)) for c in CELLS}
            if not kind:
                for cell, pair in pairs.items():
                    errors[cell].append(error(*pair))
            if nodes or not kind:
                shown = [f"{p:.0f}/{f} ({error(p, f):+.0f} %)" for p, f in pairs.values()]
                yield f"  {kind}" if kind else str(design), shown
    for name, share in (("median", 50), ("90th percentile", 90), ("worst", 100)):
        yield name, [f"{np.percentile(np.abs(errors[c]), share):.1f} %" for c in CELLS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="lfe5u-85f")
    parser.add_argument("--nodes", action="store_true", help="a line for every node")
    parser.add_argument("--fitted", action="store_true", help="the designs that rules saw instead")
    parser.add_argument("--fit", action="store_true", help="print hwgen/schedule/calibration.py")
    options = parser.parse_args()
    if options.fit:
        for cell in ("lut", "carry"):
            print(cell, *map(": ".join, fit(FITTED_ON, options.device, cell)), sep="\n  ")
        return
    designs = FITTED_ON if options.fitted else HELD_OUT
    table = Table("design", *(f"{cell} predicted/found" for cell in CELLS), box=None)
    for name, shown in rows(designs, options.device, options.nodes):
        table.add_row(name, *shown)
    console = Console(width=160)
    console.print(f"{len(designs)} designs on {options.device}; Yosys, before place and route")
    console.print(table)


if __name__ == "__main__":
    main()
