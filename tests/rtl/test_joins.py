# amaranth: UnusedElaboratable=no
"""Forks, sums, concatenations and slices, alone and between slower blocks."""

import re

import numpy as np
import pytest

from hwgen_rtl.add import AddParams
from hwgen_rtl.concat import ConcatParams
from hwgen_rtl.convert import MergeParams, SplitParams
from hwgen_rtl.cycles import Blocked
from hwgen_rtl.fifo import QueueParams
from hwgen_rtl.fork import ForkParams
from hwgen_rtl.hold import HoldParams
from hwgen_rtl.numerics import BIPOLAR, IntType
from hwgen_rtl.slice import SliceParams
from hwgen_rtl.testing import predict_streams, run_streams
from tests.rtl.harness import check_block, integers
from tests.rtl.networks import Network, check_network, predict_network

INT8, UINT4 = IntType(8, signed=True), IntType(4, signed=False)


def some(kind, beats, lanes, seed=0):
    return integers(np.random.default_rng(seed), kind, (beats, lanes))


def add_params(**changes):
    given = dict(a=INT8, b=INT8, result=IntType(9, signed=True), lanes=2)
    return AddParams(**(given | changes))


class TestFork:
    @pytest.mark.parametrize("ways", [2, 3, 5])
    def test_every_output_gets_every_beat(self, ways):
        x = some(INT8, 30, 2)
        params = ForkParams(kind=INT8, lanes=2, ways=ways)
        names = [f"y{n}" for n in range(ways)]
        run = check_network([(params, ["x"], names)], [x], [x] * ways)
        assert run.given == (run.taken[0],) * ways, "latency 0"
        assert run.taken[0] == tuple(range(30)), "one beat per cycle"

    def test_a_fast_output_is_not_held_by_a_slow_one(self):
        x = some(INT8, 12, 4)
        blocks = [
            (ForkParams(kind=INT8, lanes=4, ways=3), ["x"], ["slow", "fast", "slower"]),
            (HoldParams(kind=INT8, lanes=4), ["slow"], ["y0"]),
            (SplitParams(kind=INT8, i_lanes=4, o_lanes=1), ["slower"], ["y2"]),
        ]
        # outputs in the order in which they first appear
        run = check_network(blocks, [x], [x, x, x.reshape(-1, 1)])
        assert run.taken[0][:3] == (0, 4, 8), "the slowest output sets the pace"
        assert run.given[0][:3] == (0, 1, 5), "a fast one has the next beat as soon as it comes"


class TestAdd:
    @pytest.mark.parametrize(
        ("a", "b", "lanes"),
        [("int8", "int8", 3), ("uint4", "int8", 1), ("uint4", "uint4", 2), ("bipolar", "int4", 2)],
    )
    def test_sums_lanes(self, a, b, lanes):
        a, b = IntType.parse(a), IntType.parse(b)
        x, y = a.clamp(some(a, 30, lanes)), b.clamp(some(b, 30, lanes, 1))
        params = AddParams(a=a, b=b, result=IntType(9, signed=True), lanes=lanes)
        expected = np.array([[int(p) - -int(q) for p, q in zip(*r, strict=True)]
                             for r in zip(x, y, strict=True)])  # fmt: skip
        blocks = [(params, ["x", "y"], ["z"])]
        run = check_network(blocks, [a.encode(x), b.encode(y)], [expected])
        assert run.taken == (tuple(range(30)),) * 2, "one beat per cycle"
        assert run.given == (tuple(range(1, 31)),), "latency 1"

    def test_two_bipolar_streams(self):
        bits = np.array([[0, 0, 1, 1], [0, 1, 0, 1]]).T[:, :, None]
        params = AddParams(a=BIPOLAR, b=BIPOLAR, result=IntType(3, signed=True), lanes=1)
        expected = np.array([[-2], [0], [0], [2]])
        check_network([(params, ["x", "y"], ["z"])], [bits[:, 0], bits[:, 1]], [expected])

    def test_waits_for_the_slower_input_and_the_reader(self):
        x, y = some(INT8, 16, 2), some(INT8, 32, 1, 1)
        blocks = [
            (MergeParams(kind=INT8, i_lanes=1, o_lanes=2), ["y"], ["wide"]),
            (HoldParams(kind=INT8, lanes=2), ["wide"], ["held"]),
            (QueueParams(kind=INT8, lanes=2, depth=2), ["x"], ["queued"]),
            (add_params(), ["queued", "held"], ["sum"]),
            (SplitParams(kind=IntType(9, signed=True), i_lanes=2, o_lanes=1), ["sum"], ["z"]),
        ]
        expected = x.reshape(-1, 1) + y
        check_network(blocks, [y, x], [expected])


class TestConcat:
    @pytest.mark.parametrize("words", [(1, 1), (2, 1), (1, 3, 2), (1, 1, 1, 4)])
    def test_takes_turns(self, words):
        x = [some(INT8, 7 * count, 2, n) for n, count in enumerate(words)]
        pixels = [one.reshape(7, -1) for one in x]
        expected = np.hstack(pixels).reshape(-1, 2)
        names = [f"x{n}" for n in range(len(words))]
        params = ConcatParams(kind=INT8, lanes=2, words=words)
        run = check_network([(params, names, ["y"])], x, [expected])
        assert run.given[0] == tuple(range(1, len(expected) + 1)), "one beat per cycle, latency 1"

    def test_between_slower_blocks(self):
        x, y = some(INT8, 24, 1), some(INT8, 6, 2, 1)
        blocks = [
            (MergeParams(kind=INT8, i_lanes=1, o_lanes=2), ["x"], ["wide"]),
            (HoldParams(kind=INT8, lanes=2), ["y"], ["held"]),
            (ConcatParams(kind=INT8, lanes=2, words=(2, 1)), ["wide", "held"], ["both"]),
            (SplitParams(kind=INT8, i_lanes=2, o_lanes=1), ["both"], ["z"]),
        ]
        expected = np.hstack([x.reshape(6, 4), y]).reshape(-1, 1)
        check_network(blocks, [x, y], [expected])


class TestSlice:
    @pytest.mark.parametrize(
        ("words", "start", "stop"), [(1, 0, 1), (4, 0, 1), (4, 3, 4), (5, 1, 4), (3, 0, 3)]
    )
    def test_keeps_some_words(self, words, start, stop):
        x = some(INT8, 6 * words, 2)
        expected = x.reshape(6, words, 2)[:, start:stop].reshape(-1, 2)
        params = SliceParams(kind=INT8, lanes=2, words=words, start=start, stop=stop)
        tail = words - stop  # the bench must feed what follows the last kept word, too
        x = np.concatenate([x, x[:words]]) if tail else x
        if tail:
            expected = np.concatenate([expected, expected[: stop - start]])
        check_block(params, (), x, expected, seeds=(1, 2, 3, 4))

    def test_between_slower_blocks(self):
        x = some(INT8, 12, 4)
        blocks = [
            (SplitParams(kind=INT8, i_lanes=4, o_lanes=2), ["x"], ["narrow"]),
            (SliceParams(kind=INT8, lanes=2, words=3, start=1, stop=2), ["narrow"], ["part"]),
            (SplitParams(kind=INT8, i_lanes=2, o_lanes=1), ["part"], ["y"]),
        ]
        expected = x.reshape(8, 3, 2)[:, 1].reshape(-1, 1)
        check_network(blocks, [x], [expected])


def residual(depth):
    """x + x, one branch through lane converters, the other through a queue."""
    return [
        (ForkParams(kind=UINT4, lanes=2, ways=2), ["x"], ["long", "short"]),
        (MergeParams(kind=UINT4, i_lanes=2, o_lanes=8), ["long"], ["wide"]),
        (HoldParams(kind=UINT4, lanes=8), ["wide"], ["held"]),
        (SplitParams(kind=UINT4, i_lanes=8, o_lanes=2), ["held"], ["narrow"]),
        (QueueParams(kind=UINT4, lanes=2, depth=depth), ["short"], ["queued"]),
        (AddParams(a=UINT4, b=UINT4, result=IntType(5, signed=False), lanes=2),
         ["narrow", "queued"], ["y"]),
    ]  # fmt: skip


class TestReconvergence:
    @pytest.mark.parametrize("depth", [3, 4, 8, 16])
    def test_branches_meet_in_the_predicted_cycles(self, depth):
        x = some(UINT4, 40, 2)
        check_network(residual(depth), [x], [x << 1])

    def test_a_short_queue_blocks_model_and_hardware(self):
        """The merge needs four beats: two in the queue and one in the fork are too few."""
        depth, x = 2, some(UINT4, 40, 2)
        with pytest.raises(Blocked, match=r"short: beat [0-9] is offered and never taken"):
            predict_network(residual(depth), [40])
        with pytest.raises(TimeoutError):
            run_streams(Network(residual(depth)), [x], [40], idle_limit=50)

    def test_slices_and_concat_swap_halves_and_wait_for_a_slow_reader(self):
        x = some(INT8, 32, 1)
        blocks = [
            (ForkParams(kind=INT8, lanes=1, ways=2), ["x"], ["a", "b"]),
            (SliceParams(kind=INT8, lanes=1, words=4, start=2, stop=4), ["a"], ["upper"]),
            (SliceParams(kind=INT8, lanes=1, words=4, start=0, stop=2), ["b"], ["lower"]),
            (QueueParams(kind=INT8, lanes=1, depth=4), ["lower"], ["kept"]),
            (ConcatParams(kind=INT8, lanes=1, words=(2, 2)), ["upper", "kept"], ["swapped"]),
            (HoldParams(kind=INT8, lanes=1), ["swapped"], ["y"]),
        ]
        expected = np.roll(x.reshape(8, 4), 2, axis=1).reshape(-1, 1)
        check_network(blocks, [x], [expected])


def test_predict_streams_covers_one_block():
    inputs, outputs = predict_streams(ForkParams(kind=INT8, lanes=1, ways=2), [5], 2)
    assert [link.taken for link in (*inputs, *outputs)] == [[0, 1, 2, 3, 4]] * 3
    inputs, outputs = predict_streams(add_params(), [5, 5], start=7)
    assert outputs[0].taken == [8, 9, 10, 11, 12]


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: ForkParams(kind=INT8, lanes=1, ways=1), "ways must be at least 2, not 1"),
        (lambda: ForkParams(kind=INT8, lanes=0, ways=2), "lanes must be at least 1, not 0"),
        (lambda: add_params(lanes=0), "lanes must be at least 1, not 0"),
        (
            lambda: add_params(result=BIPOLAR),
            "result must be a type that holds sums, not 'bipolar'",
        ),
        (
            lambda: ConcatParams(kind=INT8, lanes=1, words=(1, 0)),
            "words must be two or more positive counts, not (1, 0)",
        ),
        (
            lambda: ConcatParams(kind=INT8, lanes=1, words=(3,)),
            "words must be two or more positive counts, not (3,)",
        ),
        (
            lambda: ConcatParams(kind=INT8, lanes=0, words=(1, 1)),
            "lanes must be at least 1, not 0",
        ),
        (
            lambda: SliceParams(kind=INT8, lanes=1, words=4, start=2, stop=5),
            "start and stop must be rising, up to 4, not (2, 5)",
        ),
        (
            lambda: SliceParams(kind=INT8, lanes=1, words=4, start=2, stop=2),
            "start and stop must be rising, up to 4, not (2, 2)",
        ),
        (
            lambda: SliceParams(kind=INT8, lanes=0, words=4, start=2, stop=3),
            "lanes must be at least 1, not 0",
        ),
    ],
)
def test_refuses_parameters(build, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        build()
