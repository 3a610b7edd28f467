"""Tiny designs, and the ways to break their hardware but not what is expected of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.emit.emit import describe
from hwgen.emit.manifest import Manifest
from hwgen.emit.verilog import to_verilog
from hwgen.ir.graph import Graph
from hwgen.lower.top import lower
from hwgen.schedule.plan import Plan, Stage, Target, Unit
from hwgen.schedule.schedule import schedule
from hwgen.schedule.streams import QUEUE
from hwgen_sim import golden
from hwgen_sim.compare import Comparison, compare
from hwgen_sim.cosim import SimResult, simulate
from hwgen_sim.explain import Explanation, explain
from tests.graphs import GraphBuilder
from tests.maker import Maker

__all__ = [
    "TIE",
    "Design",
    "Run",
    "classifier",
    "design_of",
    "features",
    "memories",
    "minima",
    "residual",
]

Stages = tuple[Stage, ...]

IMAGES = 4
TIE = (1, 4)
"""Outputs of ``fc`` in `classifier` that are equal for every image."""


@dataclass(frozen=True)
class Run:
    """What the hardware gave on a design's images, beside what the golden model gave."""

    expected: dict[str, NDArray]
    result: SimResult
    comparison: Comparison
    explanation: Explanation | None


@dataclass(frozen=True)
class Design:
    """A plan, its images and its Verilog; ``manifest`` says what sound hardware does."""

    plan: Plan
    images: NDArray
    verilog: str
    manifest: Manifest

    @property
    def graph(self) -> Graph:
        """The graph that the golden model computes."""
        return self.plan.graph

    def broken(self, node: str, stage: str, change: Callable[[Any], Any]) -> "Design":
        """The same design with other Params in one block of one node's hardware."""
        return self.with_hardware(node, lambda stages: _changed(stages, stage, change))

    def with_hardware(self, node: str, change: Callable[[Stages], Stages]) -> "Design":
        """The same design with other blocks in one node's hardware."""
        units = [
            replace(unit, stages=change(unit.stages)) if unit.name == node else unit
            for unit in self.plan.units
        ]
        return self._with_units(units)

    def with_queues_of(self, depth: int) -> "Design":
        """The same design with room for ``depth`` beats in every queue of a branch."""

        def resized(stage: Stage) -> Stage:
            queue = stage.name == QUEUE
            return replace(stage, params=replace(stage.params, depth=depth)) if queue else stage

        return self._with_units(
            [
                replace(unit, inputs=tuple(tuple(map(resized, row)) for row in unit.inputs))
                for unit in self.plan.units
            ]
        )

    def _with_units(self, units: Sequence[Unit]) -> "Design":
        assert units != list(self.plan.units)
        plan = replace(self.plan, units=tuple(units))
        verilog = to_verilog(lower(plan))
        return replace(self, verilog=verilog, manifest=describe(plan, verilog, ""))

    def run(self, folder: Path, *, stalls: int = 0, images: NDArray | None = None) -> Run:
        """Simulate in Verilator, compare every node with the golden model, and explain."""
        images = self.images if images is None else images
        verilog = folder / "top.v"
        verilog.write_text(self.verilog)
        expected = golden.run(self.graph, images)
        result = simulate(verilog, self.manifest, images, engine="library", stalls=stalls)
        found = compare(expected, result.arrays, self.manifest)
        paths = {"build": folder, "inputs": folder / "x.npz"}
        told = found.first and explain(found.first, result, self.manifest, **paths)
        return Run(expected, result, found, told)


def _changed(stages: Stages, name: str, change: Callable[[Any], Any]) -> Stages:
    assert name in [stage.name for stage in stages]
    return tuple(replace(s, params=change(s.params)) if s.name == name else s for s in stages)


def design_of(graph: Graph, images: NDArray, cycles: int, family: str = "ecp5") -> Design:
    """A design that takes at most ``cycles`` cycles per image."""
    plan = schedule(graph, Target(cycles=cycles, family=family))
    verilog = to_verilog(lower(plan))
    return Design(plan, images, verilog, describe(plan, verilog, ""))


@lru_cache(maxsize=1)
def features() -> Design:
    """Signed input, padded convolution in two folds of two channels, requantize, max pool."""
    builder = (
        GraphBuilder((2, 4, 4), "int4")
        .conv("conv1", 4, (3, 3), padding=(1, 1), bits=4)
        .pool("pool1", (2, 2), (2, 2))
    )
    return design_of(builder.graph(argmax=False), builder.images(IMAGES), cycles=300)


@lru_cache(maxsize=1)
def classifier() -> Design:
    """Unsigned input, adder convolution, requantize, linear layer with two equal rows, argmax."""
    builder = (
        GraphBuilder((3, 3, 3), "uint4", seed=3)
        .conv("conv1", 4, (2, 2), adder=True, bits=4)
        .flatten()
        .linear("fc", 6, last=True)
    )
    graph = builder.graph()
    tensors = {name: np.array(values) for name, values in graph.tensors.items()}
    for name in ("fc.weight", "fc.bias"):
        tensors[name][TIE[1]] = tensors[name][TIE[0]]
    tensors["fc.bias"][list(TIE)] += 5000
    return design_of(replace(graph, tensors=tensors), builder.images(IMAGES), cycles=100)


@lru_cache(maxsize=1)
def memories() -> Design:
    """Adder convolution, requantize, and 12 outputs whose weights fill a block RAM; as small as
    it gets with multipliers, distributed and block RAM on every device.
    """
    builder = (
        GraphBuilder((2, 2, 2), "uint4", seed=3)
        .conv("conv1", 2, (1, 1), adder=True, bits=4)
        .flatten()
        .linear("fc", 12, last=True)
    )
    return design_of(builder.graph(argmax=False), builder.images(IMAGES), cycles=120)


@lru_cache(maxsize=1)
def minima() -> Design:
    """An adder convolution of signed taps, six at a time, for LUTs of six inputs."""
    builder = GraphBuilder((3, 4, 4), "int5", seed=5).conv("conv1", 2, (2, 2), adder=True, bits=5)
    graph = builder.graph(argmax=False)
    return design_of(graph, builder.images(IMAGES), cycles=20, family="xc7")


@lru_cache(maxsize=1)
def residual() -> Design:
    """A 3x3 convolution to which its input is added, which waits for it in a queue."""
    maker = Maker((1, 6, 6), "uint4")
    total = maker.add(maker.conv2d("image", 1, (3, 3), padding=(1, 1)), "image")
    assert maker.nodes[total].inputs[1] == "image"
    return design_of(maker.graph(), maker.values["image"], cycles=400)
