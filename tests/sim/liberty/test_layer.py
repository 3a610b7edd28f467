"""Operand streams of layers against the golden model, and a plan in standard cells."""

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.schedule.plan import Target
from hwgen.schedule.schedule import schedule
from hwgen_rtl.numerics import KERNELS
from hwgen_sim import golden
from hwgen_sim.commands import estimate
from hwgen_sim.liberty import array_of, find_library, layer_workload, load_library
from hwgen_sim.liberty.estimate import estimate_plan
from tests.graphs import GraphBuilder, padded_classifier

LAYERS = ("conv1", "conv2", "fc1", "fc2")
IMAGES = 3


class TestWorkload:
    @pytest.mark.parametrize("cycles", [3000, 500, 200])
    def test_every_job_of_every_image_gives_the_golden_result(self, cycles):
        builder = padded_classifier()
        plan = schedule(builder.graph(), Target(cycles=cycles))
        values = golden.run(plan.graph, builder.images(IMAGES))
        units = {unit.name: unit for unit in plan.units}
        for name in LAYERS:
            params, work = layer_workload(plan, units[name], values, 1_000_000)
            taps = work.taps.reshape(-1, params.beats * params.simd)
            weights = work.weights.reshape(-1, params.beats, params.pe, params.simd)
            found = [
                KERNELS[params.kernel](x[None], w.swapaxes(0, 1).reshape(params.pe, -1))[0]
                for x, w in zip(taps, weights, strict=True)
            ]
            expected = np.moveaxis(values[name], 1, -1).reshape(-1, values[name].shape[1])
            bias = plan.graph.tensors.get(f"{name}.bias", 0)
            assert np.array_equal(np.array(found).reshape(expected.shape) + bias, expected)
            assert work.last.sum() == len(taps)

    def test_takes_whole_jobs_around_the_middle_of_each_image(self):
        builder = padded_classifier()
        plan = schedule(builder.graph(), Target(cycles=500))
        values = golden.run(plan.graph, builder.images(IMAGES))
        unit = next(unit for unit in plan.units if unit.name == "conv1")
        params = array_of(unit)
        assert params is not None
        _, work = layer_workload(plan, unit, values, IMAGES * 2 * params.beats)
        assert len(work.taps) == IMAGES * 2 * params.beats
        assert work.last.reshape(IMAGES, 2, params.beats)[..., -1].all()


def test_inputs_without_liberty_are_refused(tmp_path):
    (tmp_path / "x.npz").touch()
    with pytest.raises(InputError, match=r"--inputs must come with --liberty, not alone with .*x"):
        estimate.main([str(tmp_path), "--inputs", str(tmp_path / "x.npz")], standalone_mode=False)


@pytest.mark.slow
class TestEstimate:
    def test_own_zeros_take_less_than_uniform_taps(self):
        """A layer that sees zeros alone: its lanes and sums rest, its clock does not."""
        builder = GraphBuilder((1, 4, 4), "uint4").conv("conv", 2, (2, 2), adder=True)
        plan = schedule(builder.graph(), Target(cycles=200))
        library = load_library(find_library())
        zeros = np.zeros((2, 1, 4, 4), dtype=np.int64)
        own, uniform = estimate_plan(plan, library, zeros), estimate_plan(plan, library)
        assert [node["name"] for node in own["nodes"]] == ["conv"]
        assert own["nodes"][0]["zero_taps"] == 1
        assert own["total"]["area_um2"] == pytest.approx(uniform["total"]["area_um2"], rel=0.1)
        assert own["total"]["high_pj"] < uniform["total"]["low_pj"]
        assert own["total"]["clock_pj"] == pytest.approx(uniform["total"]["clock_pj"])
        assert "conv_q, argmax" in own["not_modelled"][-1]
