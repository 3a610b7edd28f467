"""Counted actions against formulas of the layer, written without the hardware's folding."""

from math import prod

import pytest

from hwgen.schedule.plan import Target
from hwgen.schedule.resources import unit_resources
from hwgen.schedule.schedule import schedule
from hwgen_rtl.numerics import IntType
from hwgen_sim.actions import DESIGN, plan_actions, tree_adders
from hwgen_sim.estimate import operations
from tests.graphs import padded_classifier


def total(actions, kind, component=None):
    return sum(a.count for a in actions if a.kind == kind and component in (None, a.component))


def array_of(unit):
    return next(stage.params for stage in unit.stages if stage.name == "array")


#  node     taps per output   outputs
LAYERS = {
    "conv1": (2 * 9, 6 * 7 * 8),
    "conv2": (6 * 9, 4 * 2 * 2),
    "fc1": (4 * 2 * 2, 12),
    "fc2": (12, 10),
}


@pytest.mark.parametrize("cycles", [3000, 500, 200])
def test_arithmetic_does_not_depend_on_folding(cycles):
    plan = schedule(padded_classifier().graph(), Target(cycles=cycles))
    counted = plan_actions(plan)
    units = {unit.name: unit for unit in plan.units}
    for name, (taps, outputs) in LAYERS.items():
        actions, unit = counted[name], units[name]
        adder = unit.node.kind.startswith("adder")
        assert operations(plan, unit) == taps * outputs
        assert total(actions, "subtract" if adder else "multiply", "lanes") == taps * outputs
        # tree and accumulator: one addition per tap, and for the adder the taps' own sum,
        # which all pe outputs share; then the constant and, for the adder, that sum
        runs = 1 + (1 / unit.pe if adder else 0)
        steps = taps if unit.simd < taps else taps - 1  # a job of one beat accumulates nothing
        assert total(actions, "add") == steps * outputs * runs + outputs * (1 + adder)
    for name, (_, outputs) in LAYERS.items():
        if f"{name}_q" in counted:
            assert total(counted[f"{name}_q"], "multiply") == outputs


def test_memory_traffic_of_a_layer():
    plan = schedule(padded_classifier().graph(), Target(cycles=500))
    counted = plan_actions(plan)["conv2"]
    unit = next(unit for unit in plan.units if unit.name == "conv2")
    beats = prod((4, 2, 2)) // unit.pe * 54 // unit.simd
    weights = [a for a in counted if a.component == "weights"]
    assert total(weights, "sram_read") == beats
    assert weights[0].bits == unit.pe * unit.simd * array_of(unit).datapath.w.bits
    window = [a for a in counted if a.component == "window"]
    assert total(window, "sram_read") == beats
    lanes = array_of(unit).window.lanes
    assert total(window, "sram_write") == 6 * 6 * 6 // lanes  # padded 4x4 image, 6 channels


def test_flip_flops_are_clocked_in_every_cycle():
    plan = schedule(padded_classifier().graph(), Target(cycles=500))
    counted = plan_actions(plan)
    for unit in plan.units:
        (registers,) = (a for a in counted[unit.name] if a.kind == "register")
        assert registers.count == round(unit_resources(unit).ff) * plan.interval
    assert total(counted[DESIGN], "clock") == plan.interval


def test_the_image_and_the_result_pass_the_pins_once():
    plan = schedule(padded_classifier().graph(), Target(cycles=500))
    counted = plan_actions(plan)[DESIGN]
    assert total(counted, "dram_read") == 2 * 7 * 8 * 8 // 64
    assert total(counted, "dram_write") == 1  # four bits of the class
    assert {a.bits for a in counted if a.kind.startswith("dram")} == {64}


def test_leakage_lasts_from_image_to_image():
    plan = schedule(padded_classifier().graph(), Target(cycles=500))
    assert total(plan_actions(plan)[DESIGN], "leakage") == 0
    assert total(plan_actions(plan, 50.0)[DESIGN], "leakage") == 20 * plan.interval


@pytest.mark.parametrize(
    ("terms", "expected"),
    [(1, {}), (2, {5: 1}), (3, {5: 1, 6: 1}), (4, {5: 2, 6: 1}), (6, {5: 3, 6: 1, 7: 1})],
)
def test_tree_has_one_adder_less_than_terms(terms, expected):
    adders = tree_adders(terms, IntType(4, signed=False))
    assert adders == expected
    assert sum(adders.values()) == terms - 1


def test_what_never_waits_reads_its_window_in_every_cycle():
    """What follows the slowest node is never held up, and reads a window of 12 words of fc2."""
    plan = schedule(padded_classifier().graph(), Target(cycles=500))
    counted = plan_actions(plan)["fc2"]
    fc2 = next(unit for unit in plan.units if unit.name == "fc2")
    window = total(counted, "sram_read", "window")
    assert window == 12 // fc2.simd * 10 // fc2.pe < plan.interval
    assert window + total(counted, "sram_read", "idle reads") == plan.interval
    sizes = {
        component: {(a.bits, a.capacity_bits) for a in counted if a.component == component}
        for component in ("window", "idle reads")
    }
    assert sizes["idle reads"] == sizes["window"]
