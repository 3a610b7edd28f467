"""Counted actions against counters in the simulated hardware, event for event; see measured.py."""

from collections import Counter
from math import prod

import numpy as np
import pytest

from hwgen.lower.top import Network, lower
from hwgen.schedule.plan import Plan, Target
from hwgen.schedule.schedule import schedule
from tests.maker import Maker
from tests.sim.measured import compared, network, verilated
from tests.sim.probes import Path, count_events


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "size", "cycles"),
    [(kernels, 4, 400), (kernels, 4, 120), (binary, 6, 300), (pixels, 4, 600)],
)
def test_every_counted_action_is_an_event_of_the_hardware(network, size, cycles):
    m = Maker((2, size, size), "int4", seed=1)
    network(m)
    plan = schedule(m.graph(), Target(cycles=cycles))
    images = m.values["image"]
    first, both = (ahead(plan, images[:count]) for count in (1, 2))
    rows = list(compared(plan, first, both))
    for row in rows:
        assert row.counted == row.measured, f"{row.unit}, {row.place}"
    assert sum(len(row.counted) for row in rows) > 30


@pytest.mark.slow
def test_the_verilog_of_a_committed_network_does_what_is_counted(tmp_path):
    plan, images = network("digits_xnor")
    for row in verilated(plan, images, tmp_path):
        assert row.counted == row.measured, f"{row.unit}, {row.place}"
