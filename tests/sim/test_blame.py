"""Which queue a stopped design is put down to."""

import pytest

from hwgen.emit.manifest import JoinInput
from hwgen_sim.cosim.blame import blame

FULL, FILLING, EMPTY, MOVING = "1 0 1 0", "0 1 1 0", "0 1 0 1", "1 1 1 1"


def branch(node: str, port: int, depth: int) -> JoinInput:
    return JoinInput(node=node, port=port, source=f"s{port}", depth=depth, block=f"{node}.sum")


JOINS = (branch("inner", 0, 0), branch("inner", 1, 4), branch("outer", 0, 0), branch("outer", 1, 9))
SHORT_INNER = (
    "  To blame: the 4 beats of the queue at input 1 of inner (from s1) are full, and inner waits"
    " for input 0 (from s0); that branch must be deeper."
)


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ((EMPTY, FULL, EMPTY, FILLING), [SHORT_INNER]),
        ((FILLING, FULL, EMPTY, FILLING), []),
        ((EMPTY, FILLING, EMPTY, FILLING), []),
        ((EMPTY, MOVING, MOVING, MOVING), []),
    ],
)
def test_full_queue_whose_node_waits_for_another_branch(states, told):
    assert list(blame(JOINS, states)) == told


def test_branch_without_a_queue():
    (told,) = blame(JOINS, (FULL, EMPTY, EMPTY, EMPTY))
    assert told == (
        "  To blame: a beat waits at input 0 of inner (from s0), which has no queue, and inner"
        " waits for input 1 (from s1); that branch needs a queue."
    )
