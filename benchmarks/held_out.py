"""The designs on which predictions are fitted, and those on which they are judged."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from hwgen import nn as layers
from hwgen.emit.verilog import to_verilog
from hwgen.frontend import from_torch
from hwgen.ir.graph import Graph
from hwgen.lower.top import lower
from hwgen.quantize import Policy, quantize
from hwgen.schedule.fabric import fabric_of
from hwgen.schedule.forms import laid_out
from hwgen.schedule.plan import Plan, Target
from hwgen.schedule.resources import DEFAULT_FAMILY
from hwgen.schedule.schedule import schedule
from hwgen_boards.devices import Device, load_device
from hwgen_boards.route import Routing, route
from hwgen_boards.synth import Synthesis, synthesize

__all__ = [
    "DEVICES",
    "KERNELS",
    "Design",
    "fitted_on",
    "folded",
    "held_out",
    "integers",
    "synthesized",
]

DEVICES = {
    "ecp5": "lfe5u-85f",
    "ice40": "ice40up5k",
    "gowin": "gw2a-18",
    "xc7": "xc7a100t",
    "xcup": "xczu3eg",
}
"""What each family is synthesized for."""

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

_SMALL = tuple(
    Design(kernel, bits, channels, speed)
    for kernel in KERNELS
    for bits, channels, speed in ((4, 8, 0.3), (8, 4, 0.6))
)
_LARGE = (
    Design("multiply", 6, 8, 0.85),
    Design("adder", 8, 8, 0.9),
    Design("adder", 4, 16, 0.8),
)
_ODD = tuple(
    Design(kernel, bits, channels, speed)
    for kernel in ("multiply", "depthwise")
    for bits, channels, speed in ((3, 6, 0.5), (5, 12, 0.2), (6, 8, 0.7), (7, 4, 0.9), (8, 9, 0.4))
)
"""Held out once, until the rules of windows and tables were corrected after a look at them."""
_HELD_OUT = tuple(
    Design(kernel, bits, channels, speed)
    for kernel in KERNELS
    for bits, channels, speed in ((3, 10, 0.6), (5, 6, 0.3), (6, 12, 0.5), (7, 5, 0.8), (8, 9, 0.2))
)


def fitted_on(family: str) -> tuple[Design, ...]:
    """Designs of which the rules and their calibration have seen the synthesis.

    27 of ECP5, and of the others six of those, one for each kernel but Winograd.
    """
    if family == "ecp5":
        return (*_SMALL, *_LARGE, *_ODD)
    direct = tuple(design for design in _SMALL if design.kernel != "winograd")
    return direct[0::4] + direct[3::4]


def held_out(family: str) -> tuple[Design, ...]:
    """Designs that no rule has seen: 35 of ECP5, and of the others 8 of those."""
    if family == "ecp5":
        return _HELD_OUT
    return tuple(design for design in _HELD_OUT[::4] if design.kernel != "winograd")


def clock_fitted_on() -> tuple[Design, ...]:
    """Designs that the clock model has seen the routing of, beside the demo of the README.

    Two large ones and a Winograd design are left out, since their routing takes long.
    """
    large_winograd = _SMALL[6]
    return (*(design for design in _SMALL if design != large_winograd), _LARGE[0])


def clock_held_out() -> tuple[Design, ...]:
    """Designs that it has not seen: held-out ones that are routed within a minute or so."""
    return tuple(_HELD_OUT[n] for n in (0, 5, 8, 10, 13, 22, 25, 28, 30, 34))


def routed_on(design: Design) -> str:
    """The device for place and route."""
    return "lfe5u-85f" if design in _LARGE else "lfe5u-25f"


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


def folded(graph: Graph, speed: float, fabric: str = DEFAULT_FAMILY) -> Plan:
    """A plan between the slowest folding and one of 800 cycles an image.

    All families are folded alike; arrays have the form for the fabric's LUTs.
    """
    slowest = schedule(graph, Target(cycles=1 << 40)).interval
    plan = schedule(graph, Target(cycles=round(slowest ** (1 - speed) * 800**speed)))
    return replace(plan, units=laid_out(plan.units, fabric_of(fabric).inputs))


def synthesized(plan: Plan, device: Device) -> Synthesis:
    """Cells of every node, from Yosys or from an earlier run."""
    with tempfile.TemporaryDirectory() as name:
        return _synthesized_in(Path(name), plan, device)


def _synthesized_in(folder: Path, plan: Plan, device: Device) -> Synthesis:
    (folder / "top.v").write_text(to_verilog(lower(plan)))
    instances = {unit.name: unit.name for unit in plan.units}
    return synthesize(folder / "top.v", instances, device, folder)


def routed(plan: Plan, device: str) -> Routing:
    """The plan placed and routed with seed 1, or the result of an earlier run."""
    with tempfile.TemporaryDirectory() as name:
        netlist = Path(name) / "netlist.json"
        _synthesized_in(netlist.parent, plan, load_device(DEVICES["ecp5"]))
        return route(netlist, load_device(device), Path(name))
