"""Error of predicted cells and clock against the tools, on designs that no rule was fitted on.

Run: python benchmarks/prediction_error.py [--family ice40] [--nodes] [--clock]
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from held_out import (
    DEVICES,
    KERNELS,
    Design,
    clock_fitted_on,
    clock_held_out,
    fitted_on,
    folded,
    held_out,
    integers,
    routed,
    routed_on,
    synthesized,
)
from rich.console import Console
from rich.table import Table

from hwgen.schedule.calibration import CELLS
from hwgen.schedule.clock import predict_clock
from hwgen.schedule.plan import Resources
from hwgen.schedule.resources import Count, counted, parts, unit_resources
from hwgen_boards.devices import load_device
from hwgen_boards.resources import Resources as Found

SHOWN = ("lut", "carry", "ff", "bram", "dsp")
SHARES = (("median", 50), ("90th percentile", 90), ("worst", 100))
STIFFNESS = 30.0, 0.02
"""How strongly a scale is drawn to that of the family, and an offset to 0."""
TOO_FEW = ("BandParams", "ThresholdParams")
"""Blocks of which the fitted designs have too few; they take the scale of the family."""


@dataclass(frozen=True)
class Node:
    """What was predicted and found of a node, and what the rules count in each of its blocks."""

    kind: str
    blocks: list[tuple[str, Count]]
    predicted: Resources
    found: Found


def nodes_of(design: Design, family: str) -> list[Node]:
    """All nodes of a design, which is folded alike for all families."""
    device = load_device(DEVICES[family])
    plan = folded(integers(design), design.speed, device.fabric)
    found = synthesized(plan, device).nodes
    return [
        Node(
            kind=unit.node.kind,
            blocks=[
                (type(part).__name__, counted(part, device.fabric))
                for stage in unit.blocks
                for part in parts(stage.params)
            ],
            predicted=unit_resources(unit, device.fabric),
            found=found[unit.name],
        )
        for unit in plan.units
    ]


def error(predicted: float, found: float) -> float:
    """Relative error in percent; of 0 cells, all that was predicted is wrong."""
    return 100 * (predicted - found) / max(found, 1)


def pair(nodes: Iterable[Node], cell: str) -> tuple[float, int]:
    """Predicted and found cells of some nodes together."""
    nodes = list(nodes)
    return (
        sum(getattr(node.predicted, cell) for node in nodes),
        sum(getattr(node.found, cell) for node in nodes),
    )


def fit(nodes: list[Node], cell: str) -> Iterator[tuple[str, tuple[float, float]]]:
    """Scale and offset of each kind of block, by ridge regression on relative errors.

    First, as "", the scale of the whole family, towards which those of its blocks are drawn.
    """
    kinds = sorted({kind for node in nodes for kind, _ in node.blocks})
    matrix, wanted = np.zeros((len(nodes), 2 * len(kinds))), np.zeros(len(nodes))
    for n, node in enumerate(nodes):
        wanted[n] = getattr(node.found, cell)
        for kind, count in node.blocks:
            logic, k = getattr(count.logic, cell), 2 * kinds.index(kind)
            matrix[n, k : k + 2] += logic, logic > 0
            wanted[n] -= getattr(count.fixed, cell)
    scale = wanted.sum() / max(matrix[:, ::2].sum(), 1)
    found = [getattr(node.found, cell) for node in nodes]
    weight = 1 / np.sqrt(np.maximum(found, 20))
    prior, stiffness = np.tile([scale, 0], len(kinds)), np.tile(STIFFNESS, len(kinds))
    a, b = matrix * weight[:, None], wanted * weight
    values = np.linalg.solve(a.T @ a + np.diag(stiffness), a.T @ b + stiffness * prior)
    yield "", (scale, 0.0)
    for kind, (slope, offset) in zip(kinds, values.reshape(-1, 2).tolist(), strict=True):
        if kind not in TOO_FEW:
            yield kind, (slope, offset)


def print_fit(family: str) -> None:
    """The family's table for hwgen/schedule/calibration.py."""
    nodes = [node for design in fitted_on(family) for node in nodes_of(design, family)]
    columns = [dict(fit(nodes, cell)) for cell in CELLS]
    print(f"_{family.upper()}: Table = {{")
    for kind in columns[0]:
        values = ", ".join(f"({c[kind][0]:.2f}, {c[kind][1] + 0:.1f})" for c in columns)
        print(f'    "{kind}": ({values}),')
    print("}")


def cell_rows(designs: Iterable[Design], family: str, nodes: bool) -> Iterator[list[str]]:
    """A row for each design, and if asked for each node, then the error of all of them."""
    errors: dict[str, list[float]] = {cell: [] for cell in SHOWN}
    for design in designs:
        found = nodes_of(design, family)
        yield [str(design), *(text(*pair(found, cell)) for cell in SHOWN)]
        for cell in SHOWN:
            errors[cell].append(error(*pair(found, cell)))
        for node in found if nodes else ():
            yield [f"  {node.kind}", *(text(*pair([node], cell)) for cell in SHOWN)]
    yield from summaries(errors.values())


def clock_rows(designs: Iterable[Design]) -> Iterator[list[str]]:
    """A row for each routed design, then the error of all of them."""
    errors = []
    for design in designs:
        plan = folded(integers(design), design.speed)
        predicted, found = predict_clock(plan), routed(plan, routed_on(design))
        if predicted is None or found.clock_mhz is None:
            raise RuntimeError(f"{design} has no clock")
        errors.append(error(predicted.mhz, found.clock_mhz))
        last = ".".join(found.critical_path[-1].cell.split(".")[:4]).split("_TRELLIS")[0]
        yield [str(design), text(predicted.mhz, found.clock_mhz), predicted.limit, last]
    yield from summaries([errors])


def summaries(errors: Iterable[list[float]]) -> Iterator[list[str]]:
    """Median, 90th percentile and worst of each column."""
    sizes = [np.abs(column) for column in errors]
    for name, share in SHARES:
        yield [name, *(f"{np.percentile(size, share):.1f} %" for size in sizes)]


def text(predicted: float, found: float) -> str:
    """Both, and the error."""
    return f"{predicted:.0f}/{found:.0f} ({error(predicted, found):+.0f} %)"


def print_table(title: str, columns: Iterable[str], rows: Iterable[list[str]]) -> None:
    """Write it out."""
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*row)
    console = Console(width=160)
    console.print(title)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", choices=DEVICES, default="ecp5")
    parser.add_argument("--kernel", nargs="+", choices=KERNELS, default=list(KERNELS))
    parser.add_argument("--nodes", action="store_true", help="a line for every node")
    parser.add_argument("--fitted", action="store_true", help="the designs that rules saw instead")
    parser.add_argument("--fit", action="store_true", help="print hwgen/schedule/calibration.py")
    parser.add_argument("--clock", action="store_true", help="place and route on an LFE5U-25F")
    options = parser.parse_args()
    if options.fit:
        print_fit(options.family)
        return
    if options.clock:
        designs = clock_fitted_on() if options.fitted else clock_held_out()
        columns = ("design", "MHz predicted/found", "limit predicted", "end of the path found")
        print_table(f"{len(designs)} designs, nextpnr-ecp5, seed 1", columns, clock_rows(designs))
        return
    chosen = (fitted_on if options.fitted else held_out)(options.family)
    designs = [design for design in chosen if design.kernel in options.kernel]
    title = f"{len(designs)} designs on {DEVICES[options.family]}; Yosys, before place and route"
    columns = ("design", *(f"{cell} predicted/found" for cell in SHOWN))
    print_table(title, columns, cell_rows(designs, options.family, options.nodes))


if __name__ == "__main__":
    main()
