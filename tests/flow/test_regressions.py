"""What random graphs have found, each as the smallest graph that shows it."""

import re
from random import Random

import pytest

from hwgen.errors import InputError, UnsupportedModel
from hwgen.schedule.plan import Target
from hwgen.schedule.schedule import schedule
from tests import ladder
from tests.maker import Maker
from tests.random_graphs import Sample, random_sample


def check(maker: Maker, speed: float = 1, stalls: int = 1):
    """All levels up to Amaranth agree on the graph; returns its plan."""
    return ladder.check(Sample(maker.graph(), maker.values["image"], speed, stalls))


@pytest.mark.parametrize("pad", ["zero", "plus", "minus"])
def test_padding_of_minus_one_is_the_bit_zero(pad):
    maker = Maker((2, 3, 3), "bipolar")
    maker.xnor_conv2d("image", 2, (3, 3), padding=(1, 1), pad=pad)
    check(maker)


def test_padding_of_bits_never_wins_a_max_pool():
    maker = Maker((2, 3, 3), "bipolar")
    maker.max_pool("image", (3, 3), (1, 1), (1, 1))
    check(maker)


@pytest.mark.parametrize(("outputs", "groups"), [(2, 2), (3, 3), (12, 6), (6, 6), (6, 2)])
def test_only_one_channel_per_group_and_output_is_depthwise(outputs, groups):
    maker = Maker((6, 3, 3), "uint2")
    maker.conv2d("image", outputs, (2, 2), groups=groups)
    check(maker)


@pytest.mark.parametrize("groups", [2, 4])
def test_grouped_weights_of_plus_and_minus_one(groups):
    maker = Maker((4, 3, 3), "int4")
    maker.conv2d("image", 4, (2, 2), groups=groups, weights=(-1, 1), step=2)
    check(maker)


@pytest.mark.parametrize("stalls", range(1, 7))
def test_a_pipeline_full_of_bubbles_does_not_stop_its_branch(stalls):
    """Stalls at the input leave one beat in each requantize, so the queue holds all others."""
    maker = Maker((1, 6, 6), "uint4")
    long = maker.shift2d("image", (1, 1))
    short = maker.requantize(maker.requantize("image", "int4"), "int4")
    maker.add(long, short)
    check(maker, stalls=stalls)


def test_slices_that_change_places_do_not_block_each_other():
    """The first slice of a pixel waits until the second one has passed."""
    maker = Maker((3, 2, 3), "int4")
    front, back = maker.slice("image", 0, 1), maker.slice("image", 1, 3)
    maker.concat(back, front)
    check(maker)


def test_the_branch_with_more_nodes_need_not_be_the_longer_one():
    """Four nodes need one row ahead, the max pool alone needs a row and a pixel."""
    maker = Maker((1, 2, 3), "int8")
    short = maker.max_pool("image", (3, 3), (1, 1), (1, 1))
    long = maker.conv2d(maker.requantize("image", "uint1"), 6, (3, 1), padding=(1, 0))
    long = maker.threshold(maker.conv2d(long, 2))
    maker.concat(maker.threshold(short), long)
    check(maker, speed=0.6)


@pytest.mark.parametrize(
    ("kernel", "padding"), [((1, 1), (1, 1)), ((2, 1), (1, 2)), ((2, 3), (2, 0))]
)
def test_windows_in_padding_alone_are_refused(kernel, padding):
    """Their results would come before the image does."""
    maker = Maker((1, 4, 4), "uint4")
    name = maker.conv2d("image", 2, kernel, padding=padding)
    with pytest.raises(UnsupportedModel, match=f"{name}: .* padding of .* smaller than its kernel"):
        check(maker)


def test_lanes_that_a_slice_cannot_take_two_by_two_are_not_chosen():
    """Three lanes would reach it one by one, in 120 cycles where 60 were asked for."""
    maker = Maker((1, 6, 4), "bipolar")
    x = maker.threshold(maker.xnor_conv2d("image", 6, (2, 1)))
    maker.slice(x, 2, 4)
    for cycles in (60, 61, 80, 119):
        plan = schedule(maker.graph(), Target(cycles=cycles))
        assert plan.interval <= cycles
        ladder.check_hardware(plan, Sample(maker.graph(), maker.values["image"], 1, 1))


@pytest.mark.parametrize("seed", [1331])
def test_the_cycles_that_a_refusal_advises_are_enough(seed):
    sample = random_sample(Random(seed))
    with pytest.raises(InputError, match="images wait for each other") as refused:
        schedule(sample.graph, Target(cycles=140))
    advice = re.search(r"--target-cycles (\d+)", str(refused.value))
    assert advice
    advised = int(advice[1])
    assert schedule(sample.graph, Target(cycles=advised)).interval <= advised


def test_slice_that_no_common_lanes_reach_is_refused_with_what_it_takes():
    """Beats of five channels hold no whole pairs, so a slice of four takes them one by one."""
    maker = Maker((5, 2, 3), "int4")
    maker.slice(maker.concat("image", "image"), 0, 4)
    pixels, channels = 6, 10
    refusal = f"slice_2 takes at least {pixels * channels} cycles .* of 30; give --target-cycles 60"
    with pytest.raises(InputError, match=refusal):
        schedule(maker.graph(), Target(cycles=30))
    assert schedule(maker.graph(), Target(cycles=60)).interval == pixels * channels
    check(maker)
