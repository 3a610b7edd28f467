"""Two tiny designs, and the ways to break their hardware but not what is expected of it."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
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
from hwgen.schedule.plan import Plan, Stage, Target
from hwgen.schedule.schedule import schedule
from hwgen_sim import golden
from hwgen_sim.compare import Comparison, compare
from hwgen_sim.cosim import SimResult, simulate
from hwgen_sim.explain import Explanation, explain
from tests.graphs import GraphBuilder

__all__ = ["TIE", "Design", "Run", "as_params", "classifier", "features", "with_stage"]

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
        hardware = with_stage(self.plan, node, lambda stages: _changed(stages, stage, change))
        return replace(self, verilog=to_verilog(lower(hardware).parts))

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


def with_stage(plan: Plan, node: str, change: Callable[[tuple[Stage, ...]], tuple]) -> Plan:
    """A plan whose hardware of ``node`` has other blocks; its graph stays."""
    units = [replace(u, stages=change(u.stages)) if u.name == node else u for u in plan.units]
    assert units != list(plan.units)
    return replace(plan, units=tuple(units))


def _changed(stages: tuple[Stage, ...], name: str, change: Callable[[Any], Any]) -> tuple:
    assert name in [stage.name for stage in stages]
    return tuple(replace(s, params=change(s.params)) if s.name == name else s for s in stages)


def as_params(kind: type, params: Any, **changes: Any) -> Any:
    """``params`` as an instance of ``kind``, a subclass whose ``create`` builds something else."""
    own = {field.name: getattr(params, field.name) for field in fields(params)}
    return kind(**(own | changes))


def _design(graph: Graph, images: NDArray, cycles: int) -> Design:
    plan = schedule(graph, Target(cycles=cycles))
    verilog = to_verilog(lower(plan).parts)
    return Design(plan, images, verilog, describe(plan, verilog, ""))


@lru_cache(maxsize=1)
def features() -> Design:
    """Signed input, padded convolution in two folds of two channels, requantize, max pool."""
    builder = (
        GraphBuilder((2, 4, 4), "int4")
        .conv("conv1", 4, (3, 3), padding=(1, 1), bits=4)
        .pool("pool1", (2, 2), (2, 2))
    )
    return _design(builder.graph(argmax=False), builder.images(IMAGES), cycles=300)


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
    return _design(replace(graph, tensors=tensors), builder.images(IMAGES), cycles=100)
