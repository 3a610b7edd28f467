"""Operand streams of layers against the golden model, and a plan in standard cells."""

import numpy as np
import pytest

from hwgen.schedule.plan import Target
from hwgen.schedule.schedule import schedule
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.depthwise import DepthwiseParams
from hwgen_rtl.numerics import KERNELS
from hwgen_rtl.winograd_array import WinogradArrayParams
from hwgen_rtl.winograd_input import InputTransformParams
from hwgen_sim import golden
from hwgen_sim.liberty import arrays_of, find_library, layer_workload, load_library
from hwgen_sim.liberty.estimate import estimate_plan
from tests.graphs import GraphBuilder, padded_classifier
from tests.maker import IMAGES as IMAGES_MADE
from tests.maker import Maker
from tests.sim.liberty.test_arrays import A, B

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
            ((_, params),) = arrays_of(units[name])
            assert isinstance(params, ArrayParams)
            work = layer_workload(plan, units[name], params, values, 1_000_000)
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
        ((_, params),) = arrays_of(unit)
        work = layer_workload(plan, unit, params, values, IMAGES * 2 * params.beats)
        assert len(work.taps) == IMAGES * 2 * params.beats
        assert work.last.reshape(IMAGES, 2, params.beats)[..., -1].all()


class TestOtherForms:
    @pytest.fixture
    def network(self):
        m = Maker((2, 4, 5), "int4", seed=1)
        x = m.requantize(m.winograd("image", 4, (1, 1)))
        x = m.requantize(m.conv2d(x, 4, (3, 3), groups=4, padding=(1, 1), bias=True))
        m.argmax(m.linear(m.flatten(x), 3))
        return m

    @pytest.mark.parametrize("cycles", [2000, 300])
    def test_tiles_of_a_winograd_layer_give_the_golden_result(self, network, cycles):
        plan = schedule(network.graph(), Target(cycles=cycles))
        unit = next(u for u in plan.units if u.node.kind == "winograd_adder_conv2d")
        (_, transform), (_, array) = arrays_of(unit)
        assert isinstance(transform, InputTransformParams)
        assert isinstance(array, WinogradArrayParams)
        pixels = layer_workload(plan, unit, transform, network.values, 1_000_000)
        tiles = pixels.taps.reshape(-1, 4, 4, transform.lanes).transpose(0, 3, 2, 1)
        work = layer_workload(plan, unit, array, network.values, 1_000_000)
        jobs = len(work.taps) // array.beats
        v = work.taps.reshape(jobs, array.beats, 16, array.lanes).swapaxes(2, 3)
        # what the transform gives, once for every fold of channels
        v = v.reshape(-1, array.folds, array.beats, array.lanes, 4, 4)
        assert np.array_equal((B.T @ tiles @ B).reshape(v[:, 0].shape), v[:, 0])
        assert (v == v[:, :1]).all()
        w = work.weights.reshape(-1, array.folds, array.beats, array.pe, 16, array.lanes)
        w = w.transpose(0, 1, 3, 2, 5, 4).reshape(len(v), array.folds, array.pe, -1, 4, 4)
        m = -np.abs(w - v.reshape(len(v), array.folds, 1, -1, 4, 4)).sum(axis=3)
        y = (A.T @ m @ A).reshape(IMAGES_MADE, 2, 3, 4, 2, 2).transpose(0, 3, 1, 4, 2, 5)
        assert np.array_equal(y.reshape(IMAGES_MADE, 4, 4, 6)[..., :5], network.values[unit.name])

    @pytest.mark.parametrize("cycles", [2000, 200])
    def test_jobs_of_a_depthwise_layer_give_the_golden_result(self, network, cycles):
        plan = schedule(network.graph(), Target(cycles=cycles))
        unit = next(u for u in plan.units if u.node.kind == "conv2d")
        ((_, params),) = arrays_of(unit)
        assert isinstance(params, DepthwiseParams)
        work = layer_workload(plan, unit, params, network.values, 1_000_000)
        products = (work.taps * work.weights[:, 0]).reshape(-1, 9, params.lanes)
        assert work.bias is not None
        sums = products.sum(axis=1) + work.bias.reshape(-1, 9, params.lanes)[:, 0]
        expected = network.values[unit.name].transpose(0, 2, 3, 1)
        assert np.array_equal(sums.reshape(expected.shape), expected)


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
        leaking = estimate_plan(plan, library, zeros, clock_mhz=plan.interval / 8)
        leakage = own["total"]["leakage_uw"] * 8
        assert leaking["total"]["leakage_pj"] == pytest.approx(leakage)
        assert leaking["nodes"][0]["leakage_pj"] == pytest.approx(leakage)
        assert "leakage_pj" not in own["total"]
        assert any(line.startswith("leakage energy") for line in own["not_modelled"])
        assert not any(line.startswith("leakage energy") for line in leaking["not_modelled"])
