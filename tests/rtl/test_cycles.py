"""The cycle model itself; that it equals the hardware is tested with each block."""

import re
import subprocess
import sys

import pytest

from hwgen_rtl import cycles
from hwgen_rtl.cycles import (
    Block,
    Blocked,
    Link,
    Timing,
    buffering,
    copying,
    holding,
    joining,
    offering,
    pipelining,
    queueing,
    run_blocks,
    spacing,
)


def row(times, *timings: Timing) -> tuple[list[Block], list[Link]]:
    """Blocks one after the other, fed at ``times``, and their links."""
    links = [Link(f"link{n}") for n in range(len(timings) + 1)]
    feed = Block(offering(times), (), (links[0],))
    ends = zip(timings, links, links[1:], strict=False)
    return [feed, *(Block(timing, (i,), (o,)) for timing, i, o in ends)], links


def test_offers_wait_for_their_cycle_and_for_the_beat_before():
    blocks, links = row([0, 0, 7, 8, 8, 1 << 40], holding())
    run_blocks(blocks)
    assert links[0].taken == [0, 2, 7, 9, 11, 1 << 40]
    assert links[1].taken == [1, 3, 8, 10, 12, (1 << 40) + 1]


@pytest.mark.parametrize("log", [1, 2, 7, 1 << 16])
def test_a_full_log_changes_nothing(monkeypatch, log):
    monkeypatch.setattr(cycles, "LOG", log)
    blocks, links = row([0] * 9, pipelining(3), holding(2, through=True))
    run_blocks(blocks)
    assert [link.taken for link in links] == [
        [0, 1, 2, 3, 5, 7, 9, 11, 13],
        [3, 5, 7, 9, 11, 13, 15, 17, 19],
        [*range(4, 22)],
    ]


def test_only_kept_links_remember():
    blocks, links = row([0] * 3, pipelining(1), pipelining(1))
    run_blocks(blocks, kept=[links[1]])
    assert [link.taken for link in links] == [[], [1, 2, 3], []]


def test_a_pipeline_that_stalls_keeps_its_distances():
    blocks, links = row([0, 1, 4], pipelining(2), holding(4, through=True))
    run_blocks(blocks)
    # the beat of cycle 1 waits at the end of the pipeline, and the third enters when it moves
    assert links[1].taken == [2, 6, 10]
    assert links[0].taken == [0, 1, 6]


def test_jobs_of_a_buffer_follow_each_other_while_words_arrive():
    needs, releases = [2, 2], [1, 2]
    window = buffering(room=9, needs=needs, releases=releases, beats=5, jobs=2, latency=4)
    blocks, links = row([0, 0, 100], window)
    run_blocks(blocks)
    # words of cycles 0 and 1; ten reads from 2 to 11, then from 101 to 110
    assert links[1].taken == [10, 15, 109, 114]


def test_counts_what_waits_and_when_the_network_first_rested():
    blocks, links = row([50] * 6, queueing(9), holding(3, through=True))
    activity = run_blocks(blocks)
    assert activity.early == -1
    assert activity.most[blocks[1]] == max(
        sum(i <= t for i in links[0].taken) - sum(o < t for o in links[1].taken)
        for t in links[0].taken
    )


def test_spaced_beats_come_when_all_rests_and_the_highest_rank_goes_first():
    blocks, links = row([0] * 3, spacing(1), holding(2), spacing(2), pipelining(9))
    run_blocks(blocks)
    first, last = links[0].taken, links[4].taken
    assert len(first) == 3
    assert len(last) == 6
    for n in (1, 2):
        assert last[2 * n - 1] < first[n] < links[2].taken[2 * n]
    assert all(a < b for a, b in zip(last, links[2].taken[1:], strict=False))


def test_names_the_links_that_are_never_taken():
    x, a, b, y = (Link(name) for name in "xaby")
    blocks = [
        Block(offering([0] * 3), (), (x,)),
        Block(copying(), (x,), (a, b)),
        Block(joining([(0, 1), (0,)]), (a, b), (y,)),
    ]
    with pytest.raises(Blocked) as found:
        run_blocks(blocks)
    sentences = sorted(str(found.value).split("; "))
    assert sentences == [
        "b: beat 1 is offered and never taken",
        "x: beat 1 is offered and never taken",
    ]
    assert y.taken == [1, 2]


def test_refuses_a_pipeline_longer_than_a_word():
    with pytest.raises(ValueError, match=f"^{re.escape('latency must be 1 to 62, not 63')}$"):
        pipelining(63)


def test_numba_is_imported_when_it_is_used():
    code = "import sys, hwgen_rtl.cycles; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
