"""Outputs of a build's network by one of four engines."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.build import Build, open_build
from hwgen.emit.manifest import load_manifest
from hwgen.errors import InputError
from hwgen.inputs import load_images
from hwgen.ir.graph import Graph
from hwgen.ir.serialize import load_graph
from hwgen_sim import fast, golden

__all__ = ["integers_of", "run_build", "write_arrays", "write_outputs"]


def run_build(path: Path, inputs: Path, engine: str, output: Path, nodes: str = "output") -> Path:
    """Compute the network on images and write ``outputs``, ``scale`` and, on request, all nodes.

    Engines: ``torch`` (the integers with torch's operators), ``golden`` (the specification),
    ``fast`` (the same, compiled) and ``rtl`` (the Verilog, compiled into this process).
    """
    build = open_build(path)
    graph = load_graph(build.quantized, build.quantized_tensors)
    images = golden.prepare(graph, load_images(inputs).images)
    values = integers_of(build, graph, images, engine, everything=nodes == "all")
    return write_outputs(output, graph, values, everything=nodes == "all")


def write_outputs(
    path: Path, graph: Graph, values: dict[str, NDArray], everything: bool = False
) -> Path:
    """Write the output's integers and scale, or those of all nodes under their names too."""
    last = graph.output
    assert last.scale is not None
    arrays = {"outputs": values[last.name], "scale": np.array(last.scale)}
    if everything:
        arrays |= {name: values[name] for name in values if name not in arrays}
    return write_arrays(path, arrays)


def integers_of(
    build: Build, graph: Graph, images: NDArray, engine: str, everything: bool
) -> dict[str, NDArray]:
    """Integers (N, *shape) per node."""
    if engine == "torch":
        from hwgen.frontend.integer_torch import run_integer_torch

        return run_integer_torch(graph, images)
    if engine == "golden":
        return golden.run(graph, images)
    if engine == "fast":
        return fast.run(graph, images, None if everything else {graph.output.name})
    return _simulated(build, graph, images, everything)


def _simulated(build: Build, graph: Graph, images: NDArray, everything: bool) -> dict[str, NDArray]:
    from hwgen_sim.cosim import simulate

    manifest = load_manifest(build.manifest)
    result = simulate(
        build.verilog,
        manifest,
        images,
        engine="library",
        nodes="all" if everything else "output",
    )
    values = dict(result.arrays)
    for name, source in manifest.aliases.items():
        if source in values:
            values[name] = values[source].reshape(-1, *graph[name].shape)
    return values


def write_arrays(path: Path, arrays: dict[str, Any]) -> Path:
    """Write an ``.npz`` whole or not at all."""
    path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    partial = path.with_name(f".{path.name}.partial.npz")
    try:
        np.savez_compressed(partial, **arrays)
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return path
