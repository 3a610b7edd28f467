"""Level 3 of the energy estimate on trained networks: the tables of docs/energy.md.

Run: python -m benchmarks.activity kernels [--device xc7z020] [--cycles 10000] [--images 2]
     python -m benchmarks.activity zeros --weights W.npz --images X.npz

``kernels`` trains LeNet-5 with multiplying layers for a few epochs, gives it the folding that
LeNet-5 with adder layers has, and simulates the netlists of both without DSP blocks on the same
digits. ``zeros`` counts zeros in the inputs of an AdderNet ResNet-20 with the published weights,
which are not in the repository.
"""

import argparse
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch import nn

from hwgen.emit.emit import describe
from hwgen.emit.verilog import to_verilog
from hwgen.frontend import from_torch
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import Layer
from hwgen.lower.top import lower
from hwgen.nn import AdderConv2d, AdderLinear
from hwgen.quantize import Policy, quantize
from hwgen.schedule.plan import Plan, Target
from hwgen.schedule.schedule import schedule
from hwgen_boards.devices import Device, load_device
from hwgen_boards.synth import Synthesis, synthesize
from hwgen_sim import fast, golden
from hwgen_sim.actions import plan_actions
from hwgen_sim.activity import Activity, NodeToggles, clock_actions, measure, toggle_actions
from hwgen_sim.compare_kernels.foldings import like
from hwgen_sim.energy import Energy, estimate_energy, load_profile
from models import accuracy, common
from models.resnet20_adder import network as resnet20

EPOCHS = 15
PROFILES = ("xc7", "xcup")
ADDERS = ("conv2", "fc1", "fc2")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One network in a device without DSP blocks.

    Parameters:
        accuracy : of its integers on held-out digits
        toggles  : node -> changes in a run on ``images`` images
    """

    plan: Plan
    accuracy: float
    synthesis: Synthesis
    toggles: Mapping[str, NodeToggles]
    images: int

    def energy(self, profile: str, nodes: tuple[str, ...] | None = None) -> dict[str, Energy]:
        """Picojoules per image by origin, of all nodes or of some."""
        prices = load_profile(profile)
        data = estimate_energy(toggle_actions(self.toggles), prices)
        clock = estimate_energy(clock_actions(self.toggles, self.plan.interval), prices)
        memory = {
            name: [action for action in actions if action.kind.startswith("sram")]
            for name, actions in plan_actions(self.plan).items()
        }
        memories = estimate_energy(memory, prices)
        chosen = nodes or tuple(self.toggles)
        return {
            "toggles": _sum(data.node_totals, chosen).times(1 / self.images),
            "clock": _sum(clock.node_totals, chosen),
            "memories": _sum(memories.node_totals, chosen),
        }


def _sum(energies: Mapping[str, Energy], names: tuple[str, ...]) -> Energy:
    return sum((energies[name] for name in names if name in energies), Energy())


def lenet5_cnn() -> nn.Sequential:
    """LeNet-5 of models/lenet5_adder with a multiplying layer in place of each adder layer."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for name, layer in lenet5_adder().named_children():
        if isinstance(layer, AdderConv2d):
            layers[name] = nn.Conv2d(6, 16, 5, bias=False)
        elif isinstance(layer, AdderLinear):
            layers[name] = nn.Linear(*reversed(layer.weight.shape), bias=False)
        else:
            layers[name] = layer
    return nn.Sequential(layers)


def lenet5_adder() -> nn.Sequential:
    """The network of that folder."""
    return import_module("models.lenet5_adder.network").lenet5_adder()


def trained(recipe: common.Recipe, data: common.Data) -> Graph:
    """The float graph of `lenet5_cnn` after a few epochs."""
    random = common.make_deterministic(recipe)
    model = lenet5_cnn()
    recipe = recipe | {"training": recipe["training"] | {"learning_rate": 0.05}}
    common.train(model, data, recipe, random, EPOCHS)
    settings = recipe["input"]
    mean, std = tuple(settings["mean"]), tuple(settings["std"])
    return from_torch(model.eval(), torch.rand(2, *settings["shape"]), "lenet5_cnn", mean, std)


def kernels(device: str, cycles: int, images: int) -> None:
    """Print the energy of both networks at one folding."""
    recipe = common.load_recipe(accuracy.ROOT / "lenet5_adder")
    data = common.load_data(recipe)
    adder = accuracy.quantized(accuracy.imported("lenet5_adder"), data, recipe)
    multiplier = accuracy.quantized(trained(recipe, data), data, recipe)
    target = load_device(device)
    plan = schedule(adder, Target(cycles=cycles, family=target.family))
    other = like(plan, multiplier)
    assert [(u.pe, u.simd) for u in plan.units] == [(u.pe, u.simd) for u in other.units]
    found = [measured(each, data, target, images, recipe) for each in (plan, other)]
    show(*found)


def measured(
    plan: Plan, data: common.Data, device: Device, images: int, recipe: common.Recipe
) -> Measured:
    """Synthesize without DSP blocks, simulate the first held-out digits."""
    pixels = data.held_out.images[:images]
    inputs = golden.prepare(plan.graph, pixels)
    without = replace(device, synth=f"{device.synth} -nodsp".strip())
    with tempfile.TemporaryDirectory() as name:
        verilog = Path(name, "top.v")
        verilog.write_text(to_verilog(lower(plan)))
        manifest = describe(plan, verilog.read_text(), "")
        nodes = {stream.node: stream.instance for stream in manifest.nodes if stream.instance}
        synthesis = synthesize(verilog, nodes, without, Path(name))
        design = Activity.of_netlist(synthesis.netlist, device.family, manifest)
        toggles = measure(design, plan, inputs)
    return Measured(
        plan=plan,
        accuracy=accuracy.integer_accuracy(plan.graph, data.held_out),
        synthesis=synthesis,
        toggles=toggles,
        images=images,
    )


def show(adder: Measured, multiplier: Measured) -> None:
    """Print both networks and what the adder one saves."""
    table = Table(box=None, pad_edge=False)
    for column in ("what", "adder", "multiply", "saved"):
        table.add_column(column, justify="left" if column == "what" else "right")

    def row(what: str, ours: float, theirs: float) -> None:
        table.add_row(what, f"{ours:,.1f}", f"{theirs:,.1f}", f"{100 * (1 - ours / theirs):.1f} %")

    row("accuracy, %", 100 * adder.accuracy, 100 * multiplier.accuracy)
    for name in ("lut", "ff", "bram"):
        row(name, getattr(adder.synthesis.total, name), getattr(multiplier.synthesis.total, name))
    for unit in adder.plan.units:
        toggles = [net.toggles[unit.name].total / net.images for net in (adder, multiplier)]
        row(f"toggles of {unit.name}", *toggles)
    for profile in PROFILES:
        for what, nodes in (("all", None), ("adder layers", ADDERS)):
            energies = [net.energy(profile, nodes) for net in (adder, multiplier)]
            for origin in energies[0]:
                parts = [energy[origin].nominal / 1000 for energy in energies]
                if all(parts):
                    row(f"{profile}, {what}: {origin}, nJ", *parts)
            for bound in ("low", "nominal", "high"):
                sums = [
                    sum(getattr(part, bound) for part in energy.values()) / 1000
                    for energy in energies
                ]
                row(f"{profile}, {what}: sum, {bound}, nJ", *sums)
    Console(width=160, highlight=False).print(table)


def zeros(weights: Path, images: Path) -> None:
    """Print the share of zeros in front of every adder layer, of the last 20 images."""
    with np.load(weights) as arrays:
        state = resnet20.from_official({name: arrays[name] for name in arrays.files})
    with np.load(images) as arrays:
        pixels = arrays["images"]
    model = resnet20.resnet20_adder()
    model.load_state_dict(state)
    example = torch.zeros(1, 3, 32, 32)
    graph = from_torch(model.eval(), example, mean=resnet20.MEAN, std=resnet20.STD)
    shares = {
        bits: shares_of_zeros(quantize(graph, pixels[:64], Policy(bits=bits)), pixels[-20:])
        for bits in (8, 4)
    }
    for name in shares[8]:
        print(f"{name:24} " + " ".join(f"{100 * shares[bits][name]:5.1f} %" for bits in shares))


def shares_of_zeros(graph: Graph, images: NDArray) -> dict[str, float]:
    """Adder layer -> share of zeros in its input, and of all of them together."""
    values = fast.run(graph, golden.prepare(graph, images))
    layers = [node for node in graph.nodes if isinstance(node, Layer) and "adder" in node.kind]
    inputs = {node.name: values[node.inputs[0]] == 0 for node in layers}
    whole = np.concatenate([part.ravel() for part in inputs.values()])
    return {name: float(part.mean()) for name, part in inputs.items()} | {
        "all adder layers": float(whole.mean())
    }


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(description="Toggles of trained networks.")
    tables = parser.add_subparsers(dest="table", required=True)
    first = tables.add_parser("kernels")
    first.add_argument("--device", default="xc7z020")
    first.add_argument("--cycles", type=int, default=10_000)
    first.add_argument("--images", type=int, default=2)
    second = tables.add_parser("zeros")
    second.add_argument("--weights", type=Path, required=True)
    second.add_argument("--images", type=Path, required=True)
    asked = parser.parse_args()
    if asked.table == "kernels":
        kernels(asked.device, asked.cycles, asked.images)
    else:
        zeros(asked.weights, asked.images)


if __name__ == "__main__":
    main()
