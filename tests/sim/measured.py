"""Counted actions beside counters in the simulated hardware: ``python -m tests.sim.measured``.

An image's events are those of two images less those of one: what a design does ahead of the next
image (padding, first constants) is then in both. Arithmetic is measured as the operators that the
elaborated design has in a place, times the cycles in which that place works.

The command prints a row for each committed network: Verilator runs its design with a counter on
every stream, memory port and window buffer.
"""

import argparse
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

import numpy as np
from amaranth.hdl import Fragment

from hwgen.emit.emit import describe
from hwgen.lower.top import Network, lower
from hwgen.schedule.plan import Plan, Stage, Target, Unit
from hwgen.schedule.predict import enabled_cycles
from hwgen.schedule.schedule import schedule
from hwgen_sim import golden
from hwgen_sim.actions import block_actions, block_idle_reads, entering
from tests.sim.probes import Counted, Path, count_choices, count_operators

SUMS = ("+", "-")
TABLES = r"inner/table\d*/read\d*"
IDLE = rf"(buffer/)?memory/read|{TABLES}"
TRANSFORM = 24
"""Additions of A'MA (arXiv 2105.05530): of a 4x4 tile to 2x2."""
COLUMN, ROWS = 4, 16
"""Additions of B'dB in a channel: of a column of the tile, and of all elements after columns."""


@dataclass(frozen=True)
class Block:
    """What happened in one block for an image."""

    events: dict[str, int]
    operators: dict[str, Counter[str]]
    choices: Counter[str]

    def event(self, pattern: str) -> int:
        """Events of all places that match."""
        return sum(n for place, n in self.events.items() if re.fullmatch(pattern, place))

    def places(self, pattern: str) -> int:
        """Number of places with events that match."""
        return sum(bool(re.fullmatch(pattern, place)) for place in self.events)

    def has(self, pattern: str, *kinds: str) -> int:
        """Operators in all places that match."""
        return sum(
            found[kind]
            for place, found in self.operators.items()
            if re.fullmatch(pattern, place)
            for kind in kinds
        )

    def chosen(self, *signals: str) -> int:
        """Bits of choices in front of some signals of the block itself."""
        return sum(self.choices[signal] for signal in signals)

    @property
    def issued(self) -> int:
        return self.event("issued")

    @property
    def taken(self) -> int:
        return self.event("in")

    @property
    def given(self) -> int:
        return self.event("out")


def lanes_of_array(b: Block) -> dict[str, int]:
    pe = r"datapath/pe\d+"
    return {
        "multiply": b.has(rf"({pe}|datapath)", "*") * b.issued,
        "subtract": b.has(pe, *SUMS) * b.issued,
        "shift": b.has(pe, "^") * b.issued,
        "xnor": b.has(pe, "^") * b.issued,
    }


def winograd_sums(b: Block) -> tuple[int, int]:
    """Modules that sum tiles, and their additions."""
    pattern = r"datapath/(taps_sum|pe\d+/sums)"
    modules = sum(bool(re.fullmatch(pattern, place)) for place in b.operators)
    return modules, b.has(pattern, *SUMS)


def accumulated(b: Block) -> int:
    modules, tiled = winograd_sums(b)
    if tiled > TRANSFORM:
        return (tiled - modules * TRANSFORM) * b.issued
    sums = b.has(r"datapath/(pe\d+|taps_sum)/sum", "+") or b.has("datapath", "+")
    return sums * b.issued


def tree(b: Block, pattern: str) -> int:
    """Adders; a compressor of three bits is three exclusive ors (one of them in its carry)."""
    return b.has(pattern, "+") + b.has(pattern, "^") // 3


def transformed(b: Block) -> int:
    """Channels of an input transform; one more of its operators counts the tile's columns."""
    channels, rest = divmod(b.has("datapath", *SUMS) - 1, COLUMN + ROWS)
    assert rest == 0
    return channels


def affine(b: Block) -> dict[str, int]:
    return {"multiply": b.has("", "*") * b.taken, "add": b.has("", "+") * b.taken}


def used_reads(b: Block) -> int:
    """Words read that are used, of memories that are read in every cycle that does not wait."""
    if tables := b.places(TABLES):
        return b.given * tables
    return b.issued or b.given


Measure = Callable[[Block], int]
MEASURES: dict[tuple[str, str], Measure] = {
    ("window", "sram_read"): lambda b: b.issued,
    ("window", "sram_write"): lambda b: b.event("buffer/memory/write"),
    ("lines", "sram_read"): lambda b: b.event("lines/read"),
    ("lines", "sram_write"): lambda b: b.event("lines/write"),
    ("queue", "sram_read"): lambda b: b.event("fifo/storage/read"),
    ("queue", "sram_write"): lambda b: b.event("fifo/storage/write"),
    ("band", "sram_read"): lambda b: b.given,
    ("band", "sram_write"): lambda b: b.event("memory/write"),
    ("rows", "sram_read"): lambda b: b.given,
    ("rows", "sram_write"): lambda b: b.event("memory/write"),
    ("offsets", "sram_read"): lambda b: b.event("walk/table/memory/read"),
    ("weights", "sram_read"): lambda b: b.event("datapath/weights/memory/read"),
    ("constants", "sram_read"): lambda b: b.event(
        r"(.*/)?(constants|multipliers|biases|cuts)/memory/read"
    ),
    ("table", "sram_read"): lambda b: b.given * b.places(TABLES),
    ("idle reads", "sram_read"): lambda b: b.event(IDLE) - used_reads(b),
    ("lanes", "multiply"): lambda b: lanes_of_array(b)["multiply"],
    ("lanes", "subtract"): lambda b: lanes_of_array(b)["subtract"],
    ("lanes", "shift"): lambda b: lanes_of_array(b)["shift"],
    ("lanes", "xnor"): lambda b: lanes_of_array(b)["xnor"],
    ("tree", "add"): lambda b: tree(b, r"datapath/pe\d+/sums?/tree\d*") * b.issued,
    ("taps sum", "add"): lambda b: tree(b, r"datapath/taps_sum/(sum/)?tree\d*") * b.issued,
    ("accumulate", "add"): accumulated,
    ("combine", "add"): lambda b: b.has("inner", *SUMS) * b.taken,
    ("combine", "subtract"): lambda b: b.has("datapath", "-") * b.given,
    ("output transform", "add"): lambda b: winograd_sums(b)[0] * TRANSFORM * b.given,
    ("columns", "add"): lambda b: COLUMN * transformed(b) * b.issued,
    ("rows", "add"): lambda b: ROWS * transformed(b) * b.given,
    ("affine", "multiply"): lambda b: affine(b)["multiply"],
    ("affine", "add"): lambda b: affine(b)["add"],
    ("clamp", "mux"): lambda b: b.chosen("o__payload") * b.taken,
    ("choose", "mux"): lambda b: (b.chosen("o__payload") or b.chosen("held", "sums")) * b.given,
    ("clamp", "compare"): lambda b: b.has("", "<", ">") * b.taken,
    ("compare", "compare"): lambda b: b.has("inner", ">") * b.taken,
    ("count", "add"): lambda b: tree(b, r"inner/count\d+") * b.taken,
    ("reduce", "compare"): lambda b: b.has("datapath", ">") * b.issued,
    ("reduce", "add"): lambda b: b.has("datapath", "+") * b.issued,
    ("sum", "add"): lambda b: b.has("", "+") * b.given,
    ("search", "compare"): lambda b: b.has("", ">") * b.taken,
}


@dataclass(frozen=True)
class Compared:
    """What the model counts in a block and what was measured there, by component and kind.

    Choices count in bits.
    """

    unit: str
    place: str
    counted: Mapping[tuple[str, str], int]
    measured: Mapping[tuple[str, str], int]


def compared(plan: Plan, first: Counter[Path], both: Counter[Path]) -> Iterator[Compared]:
    """Every block of a plan, from the events of one image and of two."""
    found = _blocks(plan, first, both)
    cycles = enabled_cycles(plan, images=2)
    for unit in plan.units:
        rows = zip(places(unit), entering(plan, unit), cycles[unit.name], strict=True)
        for place, (stage, elements), enabled in rows:
            counted = _counted(stage, elements, enabled)
            block = found.get((unit.name, place), Block({}, {}, Counter()))
            measured = {key: MEASURES[key](block) for key in counted}
            yield Compared(unit.name, place, counted, measured)


def _counted(stage: Stage, elements: int, enabled: int) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for action in (*block_actions(stage, elements), *block_idle_reads(stage, elements, enabled)):
        bits = action.bits if action.kind == "mux" else 1
        found[action.component, action.kind] += action.count * bits
    return found


def _blocks(plan: Plan, first: Counter[Path], both: Counter[Path]) -> dict[Path, Block]:
    """What happened for the second image, by unit and block."""
    design = Fragment.get(Network(lower(plan)), None)
    operators, choices = count_operators(design), count_choices(design)
    places = {place[:2] for place in (*both, *operators) if len(place) > 1}
    return {
        place: Block(
            {"/".join(p[2:]): both[p] - first[p] for p in both if p[:2] == place},
            {"/".join(p[2:]): found for p, found in operators.items() if p[:2] == place},
            choices.get(place, Counter()),
        )
        for place in places
    }


def places(unit: Unit) -> list[str]:
    """Names of a unit's blocks in the hardware: with several inputs, those are numbered."""
    if len(unit.sources) == 1:
        return [stage.name for stage in unit.blocks]
    rows = [f"{stage.name}{n}" for n, row in enumerate(unit.inputs) for stage in row]
    return rows + [stage.name for stage in unit.stages]


def verilated(plan: Plan, images: np.ndarray, folder: FilePath) -> Iterator[Compared]:
    """Events of the Verilog, whose results must be those of the golden model."""
    counted = Counted(Network(lower(plan)), folder)
    manifest = describe(plan, counted.verilog.read_text(), "")
    first, _ = counted.run(manifest, images[:1])
    both, result = counted.run(manifest, images[:2])
    output = manifest.output.node
    expected = golden.run(plan.graph, images[:2])[output]
    assert np.array_equal(result.arrays[output], expected)
    yield from compared(plan, first, both)


def network(name: str) -> tuple[Plan, np.ndarray]:
    """The plan and two images, as integers, of a committed network."""
    # training, torch and data sets: needed here alone
    from models import accuracy, common
    from models.edsr_ghost import data, integers, train

    if name in train.FACTORIES:
        recipe = common.load_recipe(train.FOLDER)
        training, held_out = data.load(recipe)
        graph = integers.quantized(name, data.calibration(training, recipe))
        rows, columns = graph.input.shape[1:]
        images = np.stack([picture.small[None, :rows, :columns] for picture in held_out])
    else:
        recipe = common.load_recipe(accuracy.ROOT / name)
        digits = common.load_data(recipe)
        graph = accuracy.quantized(accuracy.imported(name), digits, recipe)
        images = digits.held_out.images
    plan = schedule(graph, Target(cycles=NETWORKS[name]))
    return plan, golden.prepare(graph, images[:2])


NETWORKS = {
    "lenet5_adder": 30_000,
    "digits_xnor": 30_000,
    "digits_ice": 30_000,
    "cnv_xnor": 100_000,
    "resnet20_winograd": 100_000,
    "resnet20_cnn": 100_000,
    "edsr_ghost": 100_000,
    "edsr_cnn": 100_000,
    "edsr_adder": 100_000,
}
"""Committed networks, and cycles an image that they may take."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), help="by default all")
    print("| network | blocks | counts compared | events | unequal | seconds |", flush=True)
    print("|---|---|---|---|---|---|", flush=True)
    for name in parser.parse_args().networks:
        plan, images = network(name)
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            rows = list(verilated(plan, images, FilePath(folder)))
        wrong = [row for row in rows if row.counted != row.measured]
        sums = [
            sum(len(row.counted) for row in rows),
            sum(sum(row.counted.values()) for row in rows),
        ]
        seconds = time.perf_counter() - start
        print(
            f"| {name} | {len(rows)} | {sums[0]} | {sums[1]:,} | {len(wrong)} | {seconds:.0f} |",
            flush=True,
        )
        for row in wrong:
            both = {key: (n, row.measured[key]) for key, n in row.counted.items()}
            print(f"{row.unit}, {row.place}: counted and measured {both}")


if __name__ == "__main__":
    main()
