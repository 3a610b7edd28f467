"""Area and energy of operators and kernels in standard cells.

Run: python benchmarks/standard_cells.py [--library FILE ...] [--build BUILD --inputs X.npz ...]

Area in um2; energy per operation in fJ, between zero-delay and unit-delay toggles. The tables are
operators: combinational, on uniform operands, in the mapping of least energy; beside it, the plain
one. levels: the same per operator beside level 1. kernels: arrays of 4 taps by 2 channels with
their registers. winograd: arrays of a 3x3 adder layer of 16 channels, per output. With builds,
another one has their layers' arrays on uniform data and on their own.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from hwgen_rtl.winograd import INPUT_TRANSFORM
from hwgen_rtl.winograd_array import WinogradArrayParams
from hwgen_rtl.winograd_input import InputTransformParams
from hwgen_sim import golden
from hwgen_sim.energy import Profile, load_profile
from hwgen_sim.liberty import (
    LIBRARIES,
    AnyArray,
    CycleEnergy,
    Expression,
    Library,
    OperatorEnergy,
    Workload,
    array_energy,
    arrays_of,
    layer_workload,
    library_path,
    load_library,
    operator_energies,
    random_workload,
)

TABLES = ("operators", "levels", "kernels", "winograd")
PROFILE = "horowitz-45nm"
CYCLES, STREAMS, IMAGES = 20, 64, 4
TILES, WIDE = 32, 16
"""Tiles and channels of the Winograd layer."""
TAPS, CHANNELS, BEATS = 4, 2, 36
KERNELS = [(kernel, bits) for bits in (2, 4, 8, 16) for kernel in ("adder", "multiply")]
# sums of 64-bit products would not fit into the 64 bits that integers have at most
KERNELS += [("adder", 32), ("shift", 8), ("sign", 8), ("xnor", 1)]


@dataclass(frozen=True)
class Operator:
    """A combinational operator of signed operands."""

    name: str
    bits: tuple[int, ...]
    function: Callable[..., Value]
    kind: str = ""
    """The action of level 1 that it is, if any."""

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
        yield Operator(f"add {bits}", (bits, bits), lambda a, b: a + b, "add")
    for bits in (4, 8, 16, 32):
        pair, distance = (bits, bits), "abs_difference"
        yield Operator(f"max(a - b, 0) {bits}", pair, _kept, "subtract")
        yield Operator(f"abs(a - b) {bits}, late carry", pair, _distance, distance)
        yield Operator(f"abs(a - b) {bits}, textbook", pair, _textbook_distance, distance)
        yield Operator(f"multiply {bits}", pair, lambda a, b: a * b, "multiply")
    yield Operator("shift left 8 by 0 to 7", (8, 3), _shifted, "shift")
    yield Operator("xnor", (1, 1), lambda a, b: ~(a ^ b), "xnor")
    yield Operator("4-tap dot product 8, multiply", (8,) * 8, _dot(lambda a, b: a * b))
    yield Operator("4-tap dot product 8, late carry", (8,) * 8, _dot(_distance))
    yield Operator("4-tap dot product 8, max(a - b, 0)", (8,) * 8, _dot(_kept))


def mapped(operator: Operator, library: Library) -> dict[str, OperatorEnergy]:
    """Its energy on uniform operands, by flow."""
    rng = np.random.default_rng(0)
    operands = {
        f"i{n}": rng.integers(0, 1 << bits, (CYCLES, STREAMS))
        for n, bits in enumerate(operator.bits)
    }
    found = operator_energies(operator.component, library, operands)
    return {flow: energy for flow, (energy, _) in found.items()}


def operator_row(operator: Operator, library: Library) -> tuple[str, ...]:
    """Least energy, plain, and with full adders found before minimization."""
    each = mapped(operator, library)
    best = _least(each)
    return (operator.name, best.flow, *map(_figures, (best, each["plain"], each["adders"])))


def _least(each: Mapping[str, OperatorEnergy]) -> OperatorEnergy:
    return min(each.values(), key=lambda energy: energy.energy.mean)


@dataclass(frozen=True, kw_only=True)
class Levels:
    """One operator at both levels, fJ; ``first`` is None where the table has no figure."""

    operator: Operator
    first: float | None
    low: float
    high: float

    @property
    def ratios(self) -> tuple[float, float] | None:
        """Level 2 over level 1, of both bounds."""
        return None if self.first is None else (self.low / self.first, self.high / self.first)


def levels(operator: Operator, library: Library, profile: Profile) -> Levels:
    """The published figure of an operator and its mapping of least energy."""
    bits, found = operator.bits[0], _least(mapped(operator, library)).energy
    priced = profile.prices(operator.kind)
    first = 1e3 * profile.operation_pj(operator.kind, bits).energy.nominal if priced else None
    return Levels(operator=operator, first=first, low=found.low, high=found.high)


def level_rows(library: Library) -> Iterator[tuple[str, ...]]:
    """Every operator that is one action of level 1."""
    profile = load_profile(PROFILE)
    for operator in operators():
        if operator.kind:
            row = levels(operator, library, profile)
            ratios = "-" if row.ratios is None else " to ".join(f"{r:.2f}" for r in row.ratios)
            first = "-" if row.first is None else f"{row.first:,.1f}"
            yield operator.name, operator.kind, first, f"{row.low:,.1f}", f"{row.high:,.1f}", ratios


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


def winograd_rows(library: Library) -> Iterator[tuple[str, ...]]:
    """A direct array, and Winograd ones with their transform and what that saves, per output.

    All have 4 processing elements. The direct one takes 16 channels in a beat; the Winograd ones 1
    and 16, of which the transform is as fast as the array.
    """
    pixels = IntType(8, signed=True)
    direct = ArrayParams(
        kernel="adder", x=pixels, w=pixels, acc=IntType(17, signed=True), simd=WIDE, pe=4, beats=9,
        folds=4,
    )  # fmt: skip
    plain = array_energy(direct, random_workload(direct, 288), library)
    before = plain.cycle.times(9 * 4 / WIDE)
    yield "adder, 3x3", *_per_output(plain.area, 9 * 4 / WIDE, before), "", ""
    for lanes in (1, WIDE):
        moved, tiled = (array_energy(*found, library) for found in winograd_work(lanes))
        beats = 4 * WIDE / lanes / (4 * WIDE)  # of both, for the 4 * WIDE outputs of a tile
        after = moved.cycle.times(beats) + tiled.cycle.times(beats)
        name = f"Winograd adder, channels a beat: {lanes}"
        saved = 100 * (1 - after.mean / before.mean)
        data = 100 * (1 - (after.low + after.high) / (before.low + before.high))
        figures = _per_output(moved.area + tiled.area, beats, after)
        yield name, *figures, f"{data:.1f} %", f"{saved:.1f} %"
        figures = _per_output(moved.area, beats, moved.cycle.times(beats))
        yield "of these its transform", *figures, "", ""


def _per_output(area: float, cycles: float, energy: CycleEnergy) -> tuple[str, ...]:
    """Area, area of what gives an output a cycle, energies."""
    figures = (area, area * cycles, energy.low, energy.high, energy.clock)
    return tuple(f"{value:,.0f}" for value in figures)


def winograd_work(lanes: int) -> tuple[tuple[AnyArray, Workload], tuple[AnyArray, Workload]]:
    """The transform and the array of a layer of WIDE channels, and what enters them."""
    rng, beats = np.random.default_rng(0), WIDE // lanes
    transform = InputTransformParams(x=IntType(8, signed=True), lanes=lanes)
    # weights as wide as transformed pixels are spread, twice as far as pixels
    array = WinogradArrayParams(
        v=transform.v, w=IntType(9, signed=True), acc=IntType(17, signed=True),
        lanes=lanes, pe=4, beats=beats, folds=4,
    )  # fmt: skip
    tiles = rng.integers(-128, 128, (TILES, beats, lanes, 4, 4))
    columns = tiles.transpose(0, 1, 4, 3, 2).reshape(-1, 4 * lanes)
    nothing = np.zeros((len(columns), 0, 4 * lanes), int)
    v = (INPUT_TRANSFORM @ tiles @ INPUT_TRANSFORM.T).reshape(TILES, beats, lanes, 16)
    taps = np.repeat(v.swapaxes(2, 3)[:, None], 4, axis=1).reshape(-1, 16 * lanes)
    weights = rng.integers(-256, 256, (len(taps), 4, 16 * lanes))
    return (
        (transform, Workload(taps=columns, weights=nothing, last=_ends(columns, 4))),
        (array, Workload(taps=taps, weights=weights, last=_ends(taps, beats))),
    )


def _ends(taps: np.ndarray, beats: int) -> np.ndarray:
    return np.arange(len(taps)) % beats == beats - 1


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
    if "levels" in chosen:
        names = ("operator", "level 1", f"{PROFILE}, fJ", "low", "high", "level 2 / level 1")
        _print(f"{library.name}: both levels", names, level_rows(library))
    if "winograd" in chosen:
        names = ("array", "area", "area of an output a cycle", "low", "high", "clock")
        names += ("data saved", "saved with the clock")
        _print(f"{library.name}: 3x3 adder layers, per output", names, winograd_rows(library))
    for build, inputs in layers:
        names = ("build", "layer", "kernel", "zeros", "low", "high", "uniform low", "uniform high")
        rows = layer_rows(build, inputs, library)
        _print(f"{library.name}: layers, per tap", (*names, "clock", "own / uniform"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", nargs="+", default=list(LIBRARIES), help="names or files")
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=TABLES)
    parser.add_argument("--build", nargs="*", type=Path, default=[])
    parser.add_argument("--inputs", nargs="*", type=Path, default=[])
    options = parser.parse_args()
    layers = list(zip(options.build, options.inputs, strict=True))
    for name in options.library:
        tables(load_library(library_path(name)), options.tables, layers)


if __name__ == "__main__":
    main()
