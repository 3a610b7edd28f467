# amaranth: UnusedElaboratable=no
"""Shifted images against numpy's padding and slicing."""

import re

import numpy as np
import pytest
from amaranth.hdl import Fragment

from hwgen_rtl.convert import MergeParams, SplitParams
from hwgen_rtl.cycles import Block, Link, offering, run_blocks
from hwgen_rtl.hold import HoldParams
from hwgen_rtl.numerics import IntType
from hwgen_rtl.shift import ShiftParams
from hwgen_rtl.testing import predict_stream, run_stream
from tests.rtl.harness import check_block, integers, to_beats
from tests.rtl.networks import check_network

INT8, UINT4 = IntType(8, signed=True), IntType(4, signed=False)


def shifted(x, offsets):
    """(N, C, H, W), one offset per channel: put far more zeros around it than needed, then cut."""
    height, width = x.shape[2:]
    result = np.empty_like(x)
    for channel, (dy, dx) in enumerate(offsets):
        margin = 1 + max(abs(dy), abs(dx))
        wide = np.pad(x[:, channel], ((0, 0), (margin, margin), (margin, margin)))
        top, left = margin + dy, margin + dx
        result[:, channel] = wide[:, top : top + height, left : left + width]
    return result


def params_of(image, words, lanes, offsets, kind=INT8):
    return ShiftParams(
        height=image[0], width=image[1], words=words, lanes=lanes, kind=kind, offsets=offsets
    )


def case(params, images=3, seed=0):
    """Random images without a 0, so that a missing zero shows, and what becomes of them."""
    channels = params.words * params.lanes
    x = integers(
        np.random.default_rng(seed), params.kind, (images, channels, params.height, params.width)
    )
    x = np.where(x == 0, 1, x)
    per_word = params.offsets if len(params.offsets) > 1 else params.offsets * params.words
    offsets = [offset for offset in per_word for _ in range(params.lanes)]
    return to_beats(x, params.lanes), to_beats(shifted(x, offsets), params.lanes)


NINE = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
CASES = [
    *[((4, 3), 1, 2, (offset,)) for offset in NINE],
    ((4, 5), 2, 3, ((1, -1),)),
    ((4, 5), 3, 1, ((-2, 3),)),
    ((1, 1), 1, 1, ((0, 0),)),
    ((1, 1), 2, 1, ((1, 0),)),
    ((1, 1), 1, 1, ((0, -1),)),
    ((1, 6), 1, 1, ((0, 5),)),
    ((6, 1), 1, 2, ((-5, 0),)),
    ((2, 2), 1, 1, ((1, 1),)),
    ((2, 2), 1, 1, ((-1, -1),)),
    ((3, 4), 2, 1, ((3, 0),)),  # nothing of the image is left
    ((3, 4), 2, 1, ((0, -4),)),
    ((3, 4), 1, 1, ((-9, 9),)),
    ((3, 4), 2, 1, ((1, 0), (-1, 0))),
    ((3, 4), 3, 1, ((0, 3), (2, -1), (-2, -3))),
    ((4, 4), 9, 1, tuple(NINE)),
    ((2, 3), 2, 4, ((5, 0), (1, 1))),
    ((1, 1), 3, 1, ((0, 0), (0, 1), (2, 0))),
    ((2, 2), 70, 1, tuple((NINE * 8)[:70])),  # the table is a block RAM
    ((8, 8), 2, 1, ((7, 7), (-7, -7))),
]


@pytest.mark.parametrize("given", CASES, ids=lambda given: "-".join(map(str, given[:3])))
def test_shifts_in_the_predicted_cycles(given):
    params = params_of(*given)
    beats, expected = case(params)
    check_block(params, (), beats, expected, seeds=(1, 2, 3))


@pytest.mark.parametrize("given", CASES, ids=lambda given: "-".join(map(str, given[:3])))
def test_images_follow_each_other_without_a_gap(given):
    params = params_of(*given)
    beats, expected = case(params, images=4)
    run = run_stream(params.create(), beats, len(expected))
    assert run.taken == tuple(range(len(beats))), "the input never waits"
    gaps = np.diff(run.given[: 3 * params.image])
    assert np.all(gaps == 1), "the output has no gap while input comes"
    ends = run.given[params.image - 1 :: params.image]
    assert ends[1] - ends[0] == ends[2] - ends[1] == params.interval


@pytest.mark.parametrize(("dy", "dx"), [(0, 0), (1, 1), (-1, 0), (2, -3)])
def test_a_result_leaves_two_cycles_after_its_source(dy, dx):
    params = params_of((4, 5), 2, 1, ((dy, dx),))
    beats, _ = case(params, images=1)
    run = run_stream(params.create(), beats, params.image)
    ahead = max(0, (5 * dy + dx) * 2)
    needed = [min(word + ahead, params.image - 1) for word in range(params.image)]
    assert run.given[0] == needed[0] + 2
    rest = [max(run.given[0] + n, source + 2) for n, source in enumerate(needed)]
    assert list(run.given) == rest


@pytest.mark.parametrize("given", CASES[:16:3] + CASES[19:23])
@pytest.mark.parametrize("slow", ["source", "sink"])
def test_slow_neighbours_are_predicted(given, slow):
    """Holds take a beat every second cycle; lane converters come in bursts."""
    params = params_of(*given)
    beats, expected = case(params)
    lanes, kind = params.lanes, params.kind
    if slow == "sink":
        wide = 2 if len(beats) % 2 == 0 else 1
        blocks = [
            (params, ["x"], ["y"]),
            (MergeParams(kind=kind, i_lanes=lanes, o_lanes=wide * lanes), ["y"], ["wide"]),
            (SplitParams(kind=kind, i_lanes=wide * lanes, o_lanes=1), ["wide"], ["single"]),
        ]
        expected = expected.reshape(-1, 1)
    else:
        blocks = [
            (HoldParams(kind=kind, lanes=lanes), ["x"], ["held"]),
            (params, ["held"], ["y"]),
            (HoldParams(kind=kind, lanes=lanes), ["y"], ["z"]),
        ]
    check_network(blocks, [beats], [expected])


def test_an_image_ends_without_the_next_one_and_the_next_may_come_late():
    params = params_of((3, 3), 2, 1, ((2, 1), (-1, 2)), UINT4)
    beats, expected = case(params, images=2)
    alone = run_stream(params.create(), beats[: params.image], params.image, idle_limit=20)
    np.testing.assert_array_equal(alone.beats, expected[: params.image])
    late = run_stream(params.create(), beats, len(expected), seed=5)
    np.testing.assert_array_equal(late.beats, expected)


def test_cycles_of_a_gap_between_images_are_predicted():
    """The second image comes long after the first one has left."""
    params = params_of((3, 3), 1, 1, ((1, 0),))
    i, o = Link("i"), Link("o")
    two_bursts = Block(offering([0] * 9 + [100] * 9), (), (i,))
    run_blocks([two_bursts, Block(params.timing(), (i,), (o,))])
    first, second = o.taken[:9], o.taken[9:]
    assert [time - 100 for time in second] == first
    assert first == predict_stream([params], 9)[1].taken


@pytest.mark.parametrize("given", [CASES[0], CASES[22]])
def test_memory_is_as_small_as_it_can_be(given):
    """Two words more than from the first source to the last one: one is read, one written."""
    params = params_of(*given)
    sources = [(dy * params.width + dx) * params.words for dy, dx in params.offsets]
    assert params.depth == max(0, *sources) - min(0, *sources) + 2


def test_elaborates_twice():
    block = params_of((3, 4), 2, 1, ((1, 0), (-1, 0))).create()
    Fragment.get(block, None)
    Fragment.get(block, None)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": IntType.parse("bipolar")}, "kind must be a type that holds 0, not 'bipolar'"),
        ({"offsets": ((0, 1),) * 3}, "offsets must be 1 pair, or 1 for each of 2 words, not 3"),
        ({"offsets": ()}, "offsets must be 1 pair, or 1 for each of 2 words, not 0"),
        ({"height": 0}, "height must be at least 1, not 0"),
        ({"lanes": 0}, "lanes must be at least 1, not 0"),
    ],
)
def test_refuses_parameters(changes, sentence):
    given = dict(height=3, width=3, words=2, lanes=1, kind=INT8, offsets=((1, 0),))
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        ShiftParams(**(given | changes))
