"""Whole designs in Amaranth's simulator: integers equal torch's, cycles equal the prediction."""

import numpy as np
import pytest

from hwgen.frontend.integer_torch import run_integer_torch
from hwgen.lower.top import Network, lower
from hwgen.schedule.plan import Target
from hwgen.schedule.schedule import schedule
from hwgen_rtl.testing import run_stream
from tests.graphs import padded_classifier, valid_features
from tests.rtl.harness import to_beats

START = 400
"""First input cycle: later than all padding that precedes an image."""


def run(plan, images, count, seed=0):
    beats = to_beats(images, plan.input_lanes)
    return run_stream(Network(lower(plan)), beats, count, start=START, seed=seed, idle_limit=9000)


@pytest.mark.parametrize("cycles", [3000, 1000, 600, 500, 400, 300, 250, 200])
def test_classifier_is_exact_at_every_folding(cycles):
    builder = padded_classifier()
    graph = builder.graph()
    images = builder.images(5)
    plan = schedule(graph, Target(cycles=cycles))
    expected = run_integer_torch(graph, images)["argmax"]
    assert len(np.unique(run_integer_torch(graph, images)["fc1_q"])) > 4

    free = run(plan, images, 5)
    np.testing.assert_array_equal(free.beats, expected)
    assert tuple(end - free.taken[0] for end in free.given) == plan.finished
    np.testing.assert_array_equal(run(plan, images, 5, seed=cycles).beats, expected)

    slowest = max(unit.interval for unit in plan.units)
    assert plan.interval == slowest <= cycles


@pytest.mark.parametrize("cycles", [2000, 300, 100, 54])
def test_feature_map_is_exact_at_every_folding(cycles):
    builder = valid_features()
    graph = builder.graph(argmax=False)
    images = builder.images(5)
    plan = schedule(graph, Target(cycles=cycles))
    last = run_integer_torch(graph, images)["conv2_q"]
    expected = to_beats(last, plan.units[-1].lanes)

    free = run(plan, images, len(expected))
    np.testing.assert_array_equal(free.beats, expected)
    ends = free.given[len(expected) // 5 - 1 :: len(expected) // 5]
    assert tuple(end - free.taken[0] for end in ends) == plan.finished
    np.testing.assert_array_equal(run(plan, images, len(expected), seed=1).beats, expected)
    assert plan.interval == max(unit.interval for unit in plan.units) <= cycles
