"""The levels that must agree on a random graph, one after the other."""

import re
from dataclasses import replace

import numpy as np

from hwgen.errors import InputError
from hwgen.frontend.integer_torch import run_integer_torch
from hwgen.ir.graph import Graph
from hwgen.lower.top import Network, lower
from hwgen.quantize.ranges import prove
from hwgen.schedule.folding import fastest_interval, fold
from hwgen.schedule.plan import Plan, Target
from hwgen.schedule.schedule import schedule
from hwgen_rtl.testing import run_stream
from hwgen_sim import golden
from hwgen_sim.units import encoded_beats
from tests.random_graphs import Sample

__all__ = ["check", "check_arithmetic", "check_hardware", "plan_of"]

SLOWEST = 500
"""Cycles per image that a design may take, where it can be that fast."""


def check(sample: Sample) -> Plan:
    """All levels up to Amaranth's simulator agree; returns the plan that was simulated."""
    check_arithmetic(sample)
    plan = plan_of(sample)
    check_hardware(plan, sample)
    return plan


def check_arithmetic(sample: Sample) -> None:
    """No node overflows, for any input, and torch gives every integer of the golden model."""
    prove(sample.graph)
    expected = golden.run(sample.graph, sample.images)
    for name, values in run_integer_torch(sample.graph, sample.images).items():
        np.testing.assert_array_equal(values, expected[name], err_msg=name)


def plan_of(sample: Sample) -> Plan:
    """The design of a sample's speed, or the next one that refusals advise.

    Every other sample is for LUTs of six inputs.
    """
    target = Target(
        cycles=_cycles(sample.graph, sample.speed), family=("ecp5", "xc7")[sample.stalls % 2]
    )
    while True:
        try:
            return schedule(sample.graph, target)
        except InputError as reason:
            advice = re.search(r"give --target-cycles (\d+)", str(reason))
            if advice is None or int(advice[1]) <= target.cycles:
                raise
        target = replace(target, cycles=int(advice[1]))


def _cycles(graph: Graph, speed: float) -> int:
    lanes = graph.input.shape[0]
    slowest = max(unit.interval for unit in fold(graph, 1 << 60, lanes))
    fastest = fastest_interval(graph, lanes)
    return max(fastest, round(fastest**speed * min(slowest, SLOWEST) ** (1 - speed)))


def check_hardware(plan: Plan, sample: Sample) -> None:
    """The whole design gives golden integers, in the predicted cycles before stalls begin."""
    beats, expected = _beats(plan, sample)
    calm = sample.calm / len(sample.images)
    run = run_stream(
        Network(lower(plan)),
        beats,
        len(expected),
        start=plan.settled,
        seed=sample.stalls,
        calm=calm,
        idle_limit=2000 + 2 * plan.latency,
    )
    np.testing.assert_array_equal(run.beats, expected)
    each = len(expected) // len(sample.images)
    ends = run.given[each - 1 :: each][: sample.calm]
    assert tuple(end - run.taken[0] for end in ends) == plan.finished[: sample.calm]


def _beats(plan: Plan, sample: Sample):
    """What goes into the design and what must come out."""
    last, values = plan.units[-1], golden.run(plan.graph, sample.images)
    given = encoded_beats(plan.graph.input, sample.images, plan.input_lanes)
    return given, encoded_beats(last.node, values[last.name], last.lanes)
