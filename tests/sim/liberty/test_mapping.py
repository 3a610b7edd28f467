"""Operators in Nangate45: function, area and energy, against figures of another implementation.

The figures were measured once with other programs (a Verilog source, Yosys 0.23 and 0.70, a power
calculator of its own) on 600 uniform operands, 1 fF of wire to an input and edges of 20 ps. Other
versions of Yosys give other gates: areas agree to 2 %, energies to 6 %.
"""

from typing import ClassVar

import numpy as np
import pytest
from amaranth.hdl import signed

from benchmarks.energy_literature import AREA
from benchmarks.standard_cells import levels, mapped, operators
from hwgen_rtl.array import ArrayParams, ProcessingElement
from hwgen_rtl.numerics import KERNELS, IntType
from hwgen_sim.energy import load_profile
from hwgen_sim.liberty import (
    Expression,
    Workload,
    array_energy,
    find_library,
    load_library,
    operator_energies,
    random_workload,
)
from hwgen_sim.liberty.mapping import map_component
from hwgen_sim.liberty.toggles import simulate

INT8 = IntType(8, signed=True)


@pytest.fixture(scope="module")
def library():
    return load_library(find_library("nangate45"))


def _late_carry(a, b):
    difference = a - b
    return (difference ^ difference[-1].replicate(len(difference)))[: len(a)]


OPERATORS = {
    "add": lambda a, b: a + b,
    "distance": _late_carry,
    "multiply": lambda a, b: a * b,
    "xnor": lambda a, b: ~(a ^ b),
}
MEASURED = [
    ("add", 8, "plain", 46, 111, 132),
    ("distance", 8, "plain", 57, 136, 201),
    ("distance", 8, "adders", 82, 180, 301),
    ("multiply", 4, "adders", 97, 162, 261),
    ("multiply", 8, "adders", 411, 656, 1051),
    ("multiply", 8, "plain", 464, 924, 1954),
    ("xnor", 1, "plain", 1.6, 3.8, 3.8),
]


def _component(name: str, bits: int) -> Expression:
    return Expression({"a": signed(bits), "b": signed(bits)}, OPERATORS[name])


def _operands(bits: int):
    rng = np.random.default_rng(0)
    low = -(1 << bits - 1)
    return {name: rng.integers(low, -low, (20, 64)) for name in "ab"}


class TestOperators:
    @pytest.mark.parametrize(("name", "bits", "flow", "area", "low", "high"), MEASURED)
    def test_area_and_energy_are_those_measured_before(
        self, library, name, bits, flow, area, low, high
    ):
        found = operator_energies(_component(name, bits), library, _operands(bits))
        energy, _ = found[flow]
        assert energy.area == pytest.approx(area, rel=0.02)
        assert (energy.energy.low, energy.energy.high) == pytest.approx((low, high), rel=0.06)

    def test_every_flow_multiplies(self, library):
        operands = _operands(4)
        netlists = map_component(_component("multiply", 4), library)
        assert list(netlists) == ["plain", "adders", "minimized", "late adders", "booth"]
        for netlist in netlists.values():
            product = simulate(netlist, operands).outputs["o"]
            assert np.array_equal(product, operands["a"] * operands["b"] & 0xFF)

    def test_full_adders_are_found(self, library):
        for flow in ("adders", "late adders"):
            netlist = map_component(_component("add", 8), library)[flow]
            names = [instance.cell.name for instance in netlist.instances]
            assert "FA_X1" in names

    def test_register_as_measured_before(self, library):
        """3.6 fJ at a clock edge, 4.2 fJ for a toggle of the output at 2 fF."""
        cell = library.flip_flop
        assert cell.area == pytest.approx(4.522)
        assert cell.hidden_fj(cell.flip_flop.clock, 20) == pytest.approx(3.6, rel=0.02)
        assert cell.outputs["Q"].toggle_fj(20, 2) == pytest.approx(4.2, rel=0.02)


class TestLevels:
    """Both levels of one operator; the published figures are those of ISSCC 2014, in fJ."""

    PUBLISHED: ClassVar = {"add 8": 30.0, "max(a - b, 0) 8": 30.0, "xnor": None}

    @pytest.mark.parametrize("name", PUBLISHED)
    def test_are_of_the_same_operator_and_bits(self, library, name):
        operator = next(each for each in operators() if each.name == name)
        row = levels(operator, library, load_profile("horowitz-45nm"))
        expected = self.PUBLISHED[name]
        assert row.first == (None if expected is None else pytest.approx(expected))
        assert 0 < row.low <= row.high
        if expected is None:
            assert row.ratios is None
        else:
            assert row.ratios == pytest.approx((row.low / expected, row.high / expected))
        assert operator.bits == ((1, 1) if name == "xnor" else (8, 8))

    def test_every_operator_says_what_it_is(self):
        kinds = {each.name.split(" ")[0]: each.kind for each in operators()}
        expected = {"add": "add", "max(a": "subtract", "abs(a": "abs_difference"}
        expected |= {"multiply": "multiply", "shift": "shift", "xnor": "xnor", "4-tap": ""}
        assert kinds == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "key"),
    [("max(a - b, 0) 8", "lane"), ("abs(a - b) 8, textbook", "textbook distance")],
)
def test_recorded_areas_are_those_of_the_mapping(library, name, key):
    operator = next(each for each in operators() if each.name == name)
    best = min(mapped(operator, library).values(), key=lambda each: each.energy.mean)
    assert best.area == pytest.approx(AREA[key], rel=0.02)


PARAMS = ArrayParams(
    kernel="adder", x=INT8, w=INT8, acc=IntType(20, signed=True), simd=3, pe=2, beats=4, folds=1
)
WORK = random_workload(PARAMS, 240)


@pytest.fixture(scope="module")
def array(library):
    return array_energy(PARAMS, WORK, library)


@pytest.mark.slow
class TestArray:
    def test_parts_compute_the_layer(self, array):
        """-sum abs(x - w) = sum x - sum w - 2 sum max(x - w, 0), from the parts' own gates."""
        taps = WORK.taps.reshape(-1, 4 * 3)
        weights = WORK.weights.reshape(-1, 4, 2, 3).swapaxes(1, 2).reshape(-1, 2, 12)
        sums = [KERNELS["adder"](x[None], w)[0] for x, w in zip(taps, weights, strict=True)]
        constant = weights.sum(axis=2)
        kept, shared = array.sums[""], array.sums["shared "]
        jobs = len(shared) // 4 - 1
        ends = 4 * np.arange(1, jobs + 1) + 1  # a job's sum stands two cycles after its last beat
        found = shared[ends] - constant[:jobs] - 2 * kept[ends]
        acc = 1 << PARAMS.acc.bits
        assert np.array_equal(found % acc, np.array(sums[:jobs]) % acc)

    def test_parts_add_up_to_the_processing_element(self, library, array):
        """Mapped whole, an element has the area and energy of its parts, to 3 %."""
        delay = 1 + PARAMS.lanes.tree_latency(3)
        cycles = len(WORK.last)
        flags = {
            "valid": np.arange(cycles) >= delay,
            "last": np.roll(WORK.last, delay) & (np.arange(cycles) >= delay),
        }
        operands = {name: np.repeat(bits[:, None] * 1, 2, axis=1) for name, bits in flags.items()}
        operands["taps"] = np.broadcast_to(WORK.taps[:, None], WORK.weights.shape)
        operands["weights"] = PARAMS.lanes.encode(WORK.weights)
        element = ProcessingElement(PARAMS)
        found = operator_energies(element, library, operands, warm_up=delay + 1)
        whole = min((energy for energy, _ in found.values()), key=lambda e: e.energy.mean)
        parts = [p for p in array.parts if "shared" not in p.name and "tap" not in p.name]
        area = sum(part.copies * part.operator.area for part in parts) / 2
        clock = sum(part.copies * part.operator.energy.clock for part in parts) / 2
        mean = sum(part.copies * part.operator.energy.mean for part in parts) / 2
        assert whole.area == pytest.approx(area, rel=0.03)
        assert whole.energy.clock == pytest.approx(clock)
        assert whole.energy.mean == pytest.approx(mean, rel=0.03)

    def test_bounds_and_totals(self, array):
        assert 0 < array.operation.low < array.operation.high
        assert array.cycle.clock == pytest.approx(array.operation.clock * 6)
        assert array.area == pytest.approx(sum(p.copies * p.operator.area for p in array.parts))

    def test_zeros_take_less_energy_than_uniform_taps(self, library, array):
        sparse = Workload(
            taps=np.where(np.arange(len(WORK.taps))[:, None] % 10 > 0, 0, WORK.taps),
            weights=WORK.weights,
            last=WORK.last,
        )
        assert array_energy(PARAMS, sparse, library).cycle.high < array.cycle.high
