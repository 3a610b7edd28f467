"""The scheduler's choices: what it accepts, what it refuses, and how well it fills a device."""

import re
from dataclasses import replace

import pytest

from hwgen.errors import InputError, UnsupportedModel
from hwgen.schedule.plan import Resources, Target
from hwgen.schedule.schedule import schedule
from tests.graphs import GraphBuilder, padded_classifier

ROOMY = Target(device="roomy", lut=100_000, ff=100_000, bram=200, dsp=200)


def test_every_node_meets_the_target():
    plan = schedule(padded_classifier().graph(), Target(cycles=500))
    assert all(unit.interval <= 500 for unit in plan.units)
    assert plan.interval <= 500


def test_fewer_cycles_take_more_lanes():
    graph = padded_classifier().graph()
    lanes = [
        sum(unit.pe * unit.simd for unit in schedule(graph, Target(cycles=cycles)).units)
        for cycles in (6048, 3000, 1000, 300, 200)
    ]
    assert lanes == sorted(lanes)
    assert lanes[-1] > 4 * lanes[0]


def test_refuses_a_target_that_no_folding_reaches():
    graph = padded_classifier().graph()
    with pytest.raises(InputError) as refused:
        schedule(graph, Target(cycles=100))
    found = re.fullmatch(
        r"conv1 takes at least (\d+) cycles per image, more than the target of 100;"
        r" give --target-cycles (\d+) or more\.",
        str(refused.value),
    )
    assert found
    fastest = int(found[2])
    assert schedule(graph, Target(cycles=fastest)).interval <= fastest
    with pytest.raises(InputError):
        schedule(graph, Target(cycles=fastest - 1))


def test_device_alone_is_filled():
    graph = padded_classifier().graph()
    large = schedule(graph, ROOMY)
    small = schedule(graph, replace(ROOMY, lut=round(large.total.lut)))
    assert small.total.lut < large.total.lut
    assert small.interval > large.interval


def test_refuses_a_device_that_is_too_small_and_says_what_fits():
    graph = padded_classifier().graph()
    tight = replace(ROOMY, device="tight", lut=round(schedule(graph, ROOMY).total.lut))
    with pytest.raises(InputError) as refused:
        schedule(graph, replace(tight, cycles=200))
    found = re.search(
        r"at \d+ cycles per image is too large for tight: it needs (\d+) LUT where (\d+) can be"
        r" used \((\d+) too many\)\. The fewest cycles that fit are (\d+);",
        str(refused.value),
    )
    assert found
    need, room, excess, cycles = map(int, found.groups())
    assert need - room == excess > 0
    assert schedule(graph, replace(tight, cycles=cycles)).interval <= cycles


def test_refuses_a_device_on_which_nothing_fits():
    with pytest.raises(InputError, match="Even its smallest folding does not fit"):
        schedule(padded_classifier().graph(), replace(ROOMY, lut=50))


def test_refuses_a_dead_end():
    builder = GraphBuilder((2, 4, 4), "uint8").conv("conv", 2, (1, 1))
    graph = builder.graph(argmax=False)
    twin = replace(graph.nodes[-1], name="twin")
    with pytest.raises(UnsupportedModel, match="conv_q: nothing reads its output"):
        schedule(graph.with_nodes((*graph.nodes, twin)), Target(cycles=1000))


def test_resources_add_up():
    plan = schedule(padded_classifier().graph(), Target(cycles=500))
    total = sum(plan.resources.values(), Resources())
    assert (plan.total.lut, plan.total.dsp) == (total.lut, total.dsp)
    multiplied = {"conv1", "conv1_q", "conv2_q", "fc1_q", "fc2"}
    assert {name for name, cells in plan.resources.items() if cells.dsp} == multiplied
