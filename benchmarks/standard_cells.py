"""Area and energy of operators and kernels in standard cells.

Run: python benchmarks/standard_cells.py [--library FILE ...] [--build BUILD --inputs X.npz ...]

Area in um2; energy per operation in fJ, between zero-delay and unit-delay toggles. The
first table has combinational operators on uniform operands, in the mapping of least energy; beside
it, the plain one. The second has arrays of 4 taps by 2 channels with their registers. With builds,
the third has their layers' arrays on uniform data and on their own.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from amaranth.hdl import Mux, Value, signed

from hwgen.build import open_build
from hwgen.flow import load_plan
from hwgen.inputs import load_images
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.lanes import LANES
from hwgen_rtl.numerics import BIPOLAR, IntType, ceil_log2
from hwgen_sim import golden
from hwgen_sim.liberty import (
    LIBRARIES,
    Expression,
    Library,
    OperatorEnergy,
    array_energy,
    arrays_of,
    layer_workload,
    library_path,
    load_library,
    operator_energies,
    random_workload,
)

CYCLES, STREAMS, IMAGES = 20, 64, 4
TAPS, CHANNELS, BEATS = 4, 2, 36
KERNELS = [(kernel, bits) for bits in (4, 8, 16) for kernel in ("adder", "multiply")]
KERNELS += [("shift", 8), ("sign", 8), ("xnor", 1)]


@dataclass(frozen=True)
class Operator:
    """A combinational operator of signed operands."""

    name: str
    bits: tuple[int, ...]
    function: Callable[..., Value]

    @property
    def component(self) -> Expression:
        """Its hardware."""
        inputs = {f"i{n}": signed(bits) for n, bits in enumerate(self.bits)}
        return Expression(inputs, self.function)


def _distance(a: Value, b: Value) -> Value:
    """abs(a - b) but for the 1 that completes a negation, which the accumulator can add."""
    difference = a - b
    return (difference ^ difference[-1].replicate(len(difference)))[: len(a)]


def _textbook_distance(a: Value, b: Value) -> Value:
    return Mux(a > b, a - b, b - a)[: len(a)]


def _kept(a: Value, b: Value) -> Value:
    """max(a - b, 0), the lane of the adder array."""
    difference = a - b
    return Mux(difference[-1], 0, difference[: len(a)])


def _shifted(a: Value, b: Value) -> Value:
    return a << b.as_unsigned()[: ceil_log2(len(a))]


def _dot(lane: Callable[..., Value]) -> Callable[..., Value]:
    def total(*taps: Value) -> Value:
        level = [lane(a, b) for a, b in zip(taps[::2], taps[1::2], strict=True)]
        while len(level) > 1:
            level = [a + b for a, b in pairwise(level)][::2]
        return level[0]

    return total


def operators() -> Iterator[Operator]:
    """Rows of the first table."""
    for bits in (8, 16, 32):
        yield Operator(f"add {bits}", (bits, bits), lambda a, b: a + b)
    for bits in (4, 8, 16, 32):
        pair = (bits, bits)
        yield Operator(f"max(a - b, 0) {bits}", pair, _kept)
        yield Operator(f"abs(a - b) {bits}, late carry", pair, _distance)
        yield Operator(f"abs(a - b) {bits}, textbook", pair, _textbook_distance)
        yield Operator(f"multiply {bits}", pair, lambda a, b: a * b)
    yield Operator("shift left 8 by 0 to 7", (8, 3), _shifted)
    yield Operator("xnor", (1, 1), lambda a, b: ~(a ^ b))
    yield Operator("4-tap dot product 8, multiply", (8,) * 8, _dot(lambda a, b: a * b))
    yield Operator("4-tap dot product 8, late carry", (8,) * 8, _dot(_distance))
    yield Operator("4-tap dot product 8, max(a - b, 0)", (8,) * 8, _dot(_kept))


def operator_row(operator: Operator, library: Library) -> tuple[str, ...]:
    """Least energy, plain, and with full adders found before minimization."""
    rng = np.random.default_rng(0)
    operands = {
        f"i{n}": rng.integers(0, 1 << bits, (CYCLES, STREAMS))
        for n, bits in enumerate(operator.bits)
    }
    found = operator_energies(operator.component, library, operands)
    each = {flow: energy for flow, (energy, _) in found.items()}
    best = min(each.values(), key=lambda energy: energy.energy.mean)
    return (operator.name, best.flow, *map(_figures, (best, each["plain"], each["adders"])))


def _figures(operator: OperatorEnergy) -> str:
    energy = operator.energy
    return f"{operator.area:,.1f} / {energy.low:,.1f} / {energy.high:,.1f}"


def kernel_params(kernel: str, bits: int) -> ArrayParams:
    """An array whose sums are exact."""
    kind = IntType(bits, signed=True)
    binary = kernel == "xnor"
    weights = BIPOLAR if kernel in ("xnor", "sign") else kind
    lanes = LANES[kernel](BIPOLAR if binary else kind, weights)
    acc = IntType(lanes.lane.bits + ceil_log2(TAPS * BEATS) + 1, signed=True)
    return ArrayParams(
        kernel=kernel, x=lanes.x, w=weights, acc=acc, simd=TAPS, pe=CHANNELS, beats=BEATS, folds=1
    )  # fmt: skip


def kernel_row(kernel: str, bits: int, library: Library) -> tuple[str, ...]:
    """Area and energy of a tap, clock included, and the lane's own share."""
    params = kernel_params(kernel, bits)
    array = array_energy(params, random_workload(params, 300), library)
    one = array.operation
    return (
        kernel, str(bits), f"{array.area / array.lanes:,.1f}",
        *(f"{value:,.1f}" for value in (one.low + one.clock, one.high + one.clock, one.clock)),
        f"{array.leakage_nw / array.lanes:,.2f}",
    )  # fmt: skip


def layer_rows(build: Path, inputs: Path, library: Library) -> Iterator[tuple[str, ...]]:
    """Every array of a build: zeros among its taps, energy of a tap on uniform and on own data."""
    plan = load_plan(open_build(build))
    images = load_images(inputs).images[:IMAGES]
    values = golden.run(plan.graph, golden.prepare(plan.graph, images))
    for unit in plan.units:
        for _, params in arrays_of(unit):
            own = layer_workload(plan, unit, params, values, 1000)
            random = random_workload(params, len(own.taps))
            one, drawn = (array_energy(params, w, library).operation for w in (own, random))
            zeros = (values[unit.sources[0]] == 0).mean()
            figures = (one.low, one.high, drawn.low, drawn.high, one.clock)
            yield (
                build.name, unit.name, type(params).__name__.removesuffix("Params"),
                f"{zeros:.1%}", *(f"{value:,.1f}" for value in figures),
                f"{(one.low + one.high) / (drawn.low + drawn.high):.2f}",
            )  # fmt: skip


def _print(title: str, columns: Sequence[str], rows: Iterator[tuple[str, ...]]) -> None:
    """A Markdown table, row by row: mapping takes a second to a minute for each."""
    print(f"\n{title}\n\n{_line(columns)}\n{_line(['---'] * len(columns))}", flush=True)
    for row in rows:
        print(_line(row), flush=True)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def tables(library: Library, chosen: Sequence[str], layers: Sequence[tuple[Path, Path]]) -> None:
    """Print the chosen tables of one library."""
    if "operators" in chosen:
        names = ("operator", "flow", "least energy", "plain", "full adders first")
        rows = (operator_row(operator, library) for operator in operators())
        _print(f"{library.name}: area / energy low / high", names, rows)
    if "kernels" in chosen:
        names = ("kernel", "bits", "area of a tap", "low", "high", "of these clock", "leakage, nW")
        rows = (kernel_row(*case, library) for case in KERNELS)
        _print(f"{library.name}: arrays, per tap", names, rows)
    for build, inputs in layers:
        names = ("build", "layer", "kernel", "zeros", "low", "high", "uniform low", "uniform high")
        rows = layer_rows(build, inputs, library)
        _print(f"{library.name}: layers, per tap", (*names, "clock", "own / uniform"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", nargs="+", default=list(LIBRARIES), help="names or files")
    parser.add_argument(
        "--tables", nargs="*", choices=("operators", "kernels"), default=["operators", "kernels"]
    )
    parser.add_argument("--build", nargs="*", type=Path, default=[])
    parser.add_argument("--inputs", nargs="*", type=Path, default=[])
    options = parser.parse_args()
    layers = list(zip(options.build, options.inputs, strict=True))
    for name in options.library:
        tables(load_library(library_path(name)), options.tables, layers)


if __name__ == "__main__":
    main()
