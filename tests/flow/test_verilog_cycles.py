"""The Verilog of whole designs in Verilator: every node exact, in exactly the predicted cycles."""

import numpy as np
import pytest

from hwgen.emit.emit import emit
from hwgen.frontend.integer_torch import run_integer_torch
from hwgen.schedule.plan import Target
from hwgen.schedule.schedule import schedule
from hwgen_sim.compare import compare
from hwgen_sim.cosim import simulate
from tests.graphs import padded_classifier, valid_features


@pytest.mark.parametrize(
    ("make", "cycles", "engine"),
    [
        (padded_classifier, 1000, "library"),
        pytest.param(padded_classifier, 250, "cocotb", marks=pytest.mark.slow),
        pytest.param(valid_features, 300, "library", marks=pytest.mark.slow),
    ],
)
def test_verilog_equals_torch_in_the_predicted_cycles(tmp_path, make, cycles, engine):
    builder = make()
    graph = builder.graph(argmax=False)
    images = builder.images(9)
    plan = schedule(graph, Target(cycles=cycles))
    verilog = tmp_path / "top.v"
    manifest = emit(plan, verilog, tmp_path / "plan.json", tmp_path / "manifest.json")
    expected = run_integer_torch(graph, images)

    for stalls in (0, 1, 2):
        result = simulate(verilog, manifest, images, engine=engine, stalls=stalls)
        comparison = compare(expected, result.arrays, manifest)
        assert comparison.total == 0, comparison.first
        assert set(comparison.nodes_checked) == {unit.name for unit in plan.units}
        if stalls == 0:
            assert result.latency_cycles == plan.latency
            assert result.interval_cycles == plan.interval
            start = result.transfers[manifest.input.node][0, 0]
            ends = result.transfers[manifest.output.node][:, -1] - start
            assert tuple(ends) == tuple(plan.cycles(n) for n in range(1, 10))
    assert np.all(np.diff(ends) > 0)
