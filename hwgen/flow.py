"""The stages in order: model file to build folder."""

import json
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.build import Build, staged
from hwgen.emit.emit import emit
from hwgen.errors import InputError
from hwgen.inputs import Images, load_images, load_recipe, to_real
from hwgen.ir.graph import Graph
from hwgen.ir.serialize import load_graph, save_graph
from hwgen.options import CompileOptions
from hwgen.quantize import Policy, prove, quantize
from hwgen.schedule.plan import Plan, Target
from hwgen.schedule.schedule import schedule

__all__ = ["compile_graph", "compile_model", "import_module", "load_plan"]
__all__ += ["clock_line", "overview", "target_of"]

Progress = Callable[[str, float], None]


def compile_model(
    model: str,
    calibration: Path,
    output: Path,
    options: CompileOptions,
    progress: Progress = lambda stage, fraction: None,
) -> Path:
    """Import, quantize, schedule, lower and emit; returns the build folder.

    The folder appears whole or not at all. Raises HwgenError with one sentence for everything that
    a user can put right.
    """
    images = load_images(calibration)
    progress("import", 0.0)
    graph = _import(model, options, images)
    compile_graph(graph, images, output, options, progress)
    return output


def compile_graph(
    graph: Graph,
    images: Images,
    output: Path,
    options: CompileOptions,
    progress: Progress = lambda stage, fraction: None,
) -> None:
    """Quantize, schedule, lower and emit a float graph into the build folder ``output``."""
    target = target_of(options)
    with staged(output) as build:
        save_graph(graph, build.graph, build.tensors)
        progress("quantize", 0.0)
        integers = quantize(graph, images.images, _policy(options))
        save_graph(integers, build.quantized, build.quantized_tensors)
        progress("schedule", 0.0)
        plan = schedule(integers, target)
        progress("emit Verilog", 0.0)
        emit(plan, build.verilog, build.plan, build.manifest)


def import_module(
    module: Any, images: Images, mean: tuple[float, ...], std: tuple[float, ...], name: str = ""
) -> Graph:
    """Float graph of an nn.Module or exported program, checked against it on the first image."""
    from hwgen.frontend import from_torch

    example = to_real(images.images[:1], mean, std).astype(np.float32)
    return from_torch(module, example, name=name or None, mean=mean, std=std)


def overview(build: Build) -> list[dict[str, Any]]:
    """What was decided, one row per node: type and proven range, folding, predicted cycles, cells.

    The ranges hold for every input (`hwgen.quantize.prove`), so no integer can overflow.
    """
    plan = load_plan(build)
    units = {unit.name: unit for unit in plan.units}
    rows = []
    for width in prove(plan.graph):
        unit = units.get(width.node)
        row = {
            "node": width.node,
            "operator": width.kind,
            "type": str(width.type),
            "lowest": width.interval.low,
            "highest": width.interval.high,
        }
        if unit:
            cells = plan.resources[unit.name]
            row |= {"pe": unit.pe, "simd": unit.simd, "cycles": unit.interval}
            row |= {name: round(getattr(cells, name)) for name in ("lut", "ff", "bram", "dsp")}
        rows.append(row)
    return rows


def clock_line(build: Build) -> str:
    """The predicted clock and what limits it, in a sentence."""
    document = json.loads(build.plan.read_text())
    clock, cycles = document["clock"], document["interval_cycles"]
    if clock is None:
        return f"An image every {cycles:,} cycles; the clock is not predicted for this family."
    rate = clock["mhz"] * 1e6 / cycles
    return (
        f"An image every {cycles:,} cycles: {rate:,.0f} images per second at {clock['mhz']} MHz,"
        f" predicted; a long path: {clock['limited_by']}."
    )


def load_plan(build: Build) -> Plan:
    """The plan of a build, made again from its graph and target."""
    graph = load_graph(build.quantized, build.quantized_tensors)
    document = json.loads(build.plan.read_text())
    target = document["target"]
    return schedule(graph, Target(**target | {"larger": ()}))


def target_of(options: CompileOptions) -> Target:
    """Cycles and the device's cells; without either, the default device."""
    name = options.device
    if name is None and options.target_cycles is not None:
        return Target(cycles=options.target_cycles)
    device = _load_device(name or DEFAULT_DEVICE)
    larger = tuple(map(_room, device.larger))
    return replace(_room(device), cycles=options.target_cycles, larger=larger)


def _room(device: Any) -> Target:
    """What a device has."""
    return Target(
        device=device.name,
        family=device.fabric,
        lut=device.lut,
        ff=device.ff,
        carry=device.carry,
        bram=device.bram,
        dsp=device.dsp,
    )


DEFAULT_DEVICE = "lfe5u-85f"


def _load_device(name: str):
    for plugin in entry_points(group="hwgen.devices"):
        return plugin.load()(name)
    raise InputError("No device tables are installed; install hwgen again.")


def _policy(options: CompileOptions) -> Policy:
    return Policy(bits=options.bits, calibration=options.calibration)


def _import(model: str, options: CompileOptions, images: Images) -> Graph:
    """A float graph from a model file or an earlier build's ``1-graph.json``."""
    if model.endswith(".json"):
        path = Path(model)
        return load_graph(path, path.with_name("1-tensors.npz"))
    from hwgen.frontend import load_model

    file, _, factory = model.rpartition(":")
    recipe = load_recipe(Path(file or model).parent)
    mean, std = options.mean or recipe.mean, options.std or recipe.std
    module = load_model(model, options.weights)
    return import_module(module, images, mean, std, name=factory if file else Path(model).stem)
