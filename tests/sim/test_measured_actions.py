"""Counted actions against counters in the simulated hardware, event for event.

An image's events are those of two images less those of one: what a design does ahead of the next
image (padding, first constants) is then in both. Arithmetic is measured as the operators that the
elaborated design has in a place, times the cycles in which that place works.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
import pytest

from hwgen.lower.top import Network, lower
from hwgen.schedule.plan import Plan, Target, Unit
from hwgen.schedule.schedule import schedule
from hwgen_sim.actions import block_actions, entering
from tests.maker import Maker
from tests.sim.probes import Path, count_events, count_operators

SUMS = ("+", "-")
TRANSFORM = 24
"""Additions of A'MA (arXiv 2105.05530): of a 4x4 tile to 2x2."""
COLUMN, ROWS = 4, 16
"""Additions of B'dB in a channel: of a column of the tile, and of all elements after columns."""


@dataclass(frozen=True)
class Block:
    """What happened in one block for an image."""

    events: dict[str, int]
    operators: dict[str, Counter[str]]

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
    ("table", "sram_read"): lambda b: b.given * b.places(r"inner/table\d*/read"),
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
    ("clamp", "compare"): lambda b: b.has("", "<", ">") * b.taken,
    ("compare", "compare"): lambda b: b.has("inner", ">") * b.taken,
    ("count", "add"): lambda b: tree(b, r"inner/count\d+") * b.taken,
    ("reduce", "compare"): lambda b: b.has("datapath", ">") * b.issued,
    ("reduce", "add"): lambda b: b.has("datapath", "+") * b.issued,
    ("sum", "add"): lambda b: b.has("", "+") * b.given,
    ("search", "compare"): lambda b: b.has("", ">") * b.taken,
}


def kernels(m: Maker) -> None:
    """Products, distances, shifts, Winograd, depthwise, a table."""
    x = m.requantize(m.conv2d("image", 4, (3, 3), padding=(1, 1)))
    x = m.requantize(m.adder_conv2d(x, 4, (3, 3), padding=(1, 1)))
    x = m.requantize(m.pow2_conv2d(x, 4, (2, 2)))
    x = m.requantize(m.winograd(x, 4))
    x = m.lut(m.requantize(m.conv2d(x, 4, (3, 3), groups=4, padding=(1, 1))))
    m.argmax(m.linear(m.flatten(x), 3))


def binary(m: Maker) -> None:
    """Signs, gates with each border, thresholds of one and more bits."""
    x = m.threshold(m.conv2d("image", 4, (3, 3), weights=(-1, 1), step=2))
    x = m.threshold(m.xnor_conv2d(x, 4, (3, 3), padding=(1, 1), pad="zero"), "uint2")
    x = m.threshold(m.conv2d(x, 4, (2, 2), bias=True))
    x = m.threshold(m.max_pool(m.xnor_conv2d(x, 4, (2, 2), pad="minus")))
    m.argmax(m.xnor_linear(m.flatten(x), 3))


def pixels(m: Maker) -> None:
    """Everything that moves pixels, with a branch."""
    x = m.requantize(m.adder_conv2d("image", 8, (1, 1)))
    shifted = m.shift2d(m.slice(x, 0, 4), (1, 0), (0, -1), (0, 0), (-1, 1))
    rest = m.slice(x, 4, 8)
    z = m.concat(m.requantize(m.add(shifted, rest)), rest)
    z = m.avg_pool(m.upsample(m.pixel_shuffle(z)), (2, 2))
    m.max_pool(z, (3, 3), (1, 1), (1, 1))


def ahead(plan: Plan, images: np.ndarray) -> Counter[Path]:
    """Events from the first beat of ``images`` until everything rests."""
    last = plan.units[-1]
    beats = np.moveaxis(images, 1, -1).reshape(-1, plan.input_lanes)
    results = len(images) * prod(last.node.shape) // last.lanes
    return count_events(Network(lower(plan)), beats, results)


def blocks(plan: Plan, images: np.ndarray) -> dict[Path, Block]:
    """What happened for the second image, by unit and block."""
    before, after = ahead(plan, images[:1]), ahead(plan, images[:2])
    operators = count_operators(Network(lower(plan)))
    places = {place[:2] for place in (*after, *operators) if len(place) > 1}
    return {
        place: Block(
            {"/".join(p[2:]): after[p] - before[p] for p in after if p[:2] == place},
            {"/".join(p[2:]): found for p, found in operators.items() if p[:2] == place},
        )
        for place in places
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "size", "cycles"),
    [(kernels, 4, 400), (kernels, 4, 120), (binary, 6, 300), (pixels, 4, 600)],
)
def test_every_counted_action_is_an_event_of_the_hardware(network, size, cycles):
    m = Maker((2, size, size), "int4", seed=1)
    network(m)
    plan = schedule(m.graph(), Target(cycles=cycles))
    found = blocks(plan, m.values["image"])
    compared = 0
    for unit in plan.units:
        for place, (stage, elements) in zip(places(unit), entering(plan, unit), strict=True):
            counted: Counter[tuple[str, str]] = Counter()
            for action in block_actions(stage, elements):
                if action.kind != "mux":
                    counted[action.component, action.kind] += action.count
            measured = {key: MEASURES[key](found[unit.name, place]) for key in counted}
            assert counted == measured, f"{unit.name}, {place}"
            compared += len(counted)
    assert compared > 30


def places(unit: Unit) -> list[str]:
    """Names of a unit's blocks in the hardware: with several inputs, those are numbered."""
    if len(unit.sources) == 1:
        return [stage.name for stage in unit.blocks]
    rows = [f"{stage.name}{n}" for n, row in enumerate(unit.inputs) for stage in row]
    return rows + [stage.name for stage in unit.stages]
