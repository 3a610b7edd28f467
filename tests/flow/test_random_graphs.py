"""Random graphs: torch, golden model, Amaranth and Verilog agree, in the predicted cycles."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from hwgen.errors import InputError
from hwgen.ir.graph import Graph
from hwgen.schedule.queues import evaluate
from hwgen.schedule.streams import QUEUE
from hwgen_rtl.fifo import QueueParams
from hwgen_sim import golden
from tests import ladder
from tests.flow.side_by_side import Case, simulate_all
from tests.maker import Maker
from tests.random_graphs import FEATURES, Sample, features, random_sample

SHARDS = 12
EXAMPLES = 26
"""Graphs of one shard; all shards together have more than 300."""


def each_sample(shard: int, check: Callable[[Sample], object]) -> None:
    """Call ``check`` with the same random samples on every run; failing ones are shrunk."""

    @seed(shard)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False, note_method_calls=False).map(random_sample))
    def run(sample):
        check(sample)

    run()


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_torch_golden_and_amaranth_agree_in_the_predicted_cycles(shard):
    each_sample(shard, ladder.check)


@pytest.fixture(scope="module")
def graphs() -> list[Graph]:
    """The graphs of all shards."""
    found: list[Sample] = []
    for shard in range(SHARDS):
        each_sample(shard, found.append)
    return [sample.graph for sample in found]


def test_every_node_kind_and_variant_is_frequent(graphs):
    count = Counter(feature for graph in graphs for feature in features(graph))
    kinds = Counter(kind for graph in graphs for kind in {node.kind for node in graph.nodes[1:]})
    assert len(graphs) >= 300
    assert set(count) == {*FEATURES, "branch"}
    # Hypothesis also draws constants of the modules that are loaded, so the counts vary
    assert min(kinds.values()) >= 10, kinds
    assert min(count.values()) >= 8, count


def test_integers_of_random_graphs_are_spread():
    """Constant or saturated nodes would agree whatever the hardware does."""
    varied: list[bool] = []

    def look(sample: Sample) -> None:
        values = golden.run(sample.graph, sample.images)
        varied.extend(len(np.unique(array)) > 1 for array in values.values())

    for shard in range(SHARDS):
        each_sample(shard, look)
    assert np.mean(varied) > 0.9


def covering(samples: list[Sample]) -> list[Sample]:
    """Few and small samples that have all FEATURES together."""
    left, chosen = {*FEATURES, "branch"}, []
    while left:
        best = max(samples, key=lambda s: len(features(s.graph) & left) / _size(s.graph))
        assert features(best.graph) & left, left
        chosen.append(best)
        left -= features(best.graph)
    return chosen


def _size(graph: Graph) -> int:
    products = (node.shape[0] * graph[node.inputs[0]].shape[0] for node in graph.nodes[1:])
    return sum(products) + 10 * len(graph.nodes)


@pytest.mark.slow
def test_verilog_agrees_in_the_predicted_cycles(tmp_path):
    samples = covering([random_sample(Random(n)) for n in range(60)])
    cases = [Case(ladder.plan_of(replace(s, speed=n % 2 / 4)), s) for n, s in enumerate(samples)]
    assert len(cases) >= 10
    for case, found in zip(cases, simulate_all(cases, tmp_path), strict=True):
        sample, last = case.sample, case.plan.units[-1].name
        expected = golden.run(sample.graph, sample.images)[last]
        np.testing.assert_array_equal(found.values, expected, err_msg=str(sample))
        assert found.ends[: sample.calm] == case.plan.finished[: sample.calm], sample


def test_a_queue_too_shallow_for_its_branch_is_refused():
    maker = Maker((1, 6, 6), "uint4")
    long = maker.shift2d("image", (2, 0))
    maker.add(long, maker.requantize("image", "int4"))
    plan = ladder.plan_of(Sample(maker.graph(), maker.values["image"], speed=1, stalls=1))
    (unit,) = (unit for unit in plan.units if QUEUE in [stage.name for stage in unit.blocks])
    (row,) = unit.inputs
    assert isinstance(row[0].params, QueueParams)
    assert row[0].params.depth > 12  # the two rows that the shift looks ahead
    row = replace(row[0], params=replace(row[0].params, depth=3)), *row[1:]
    units = [replace(u, inputs=(row,)) if u.name == unit.name else u for u in plan.units]
    with pytest.raises(InputError, match=rf"comes to a stop: .*{unit.name}\.0\.{QUEUE}: beat"):
        evaluate(plan.graph, units, plan.input_lanes)
