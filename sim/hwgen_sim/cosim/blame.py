"""Which queue is to blame for a design that stopped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hwgen.emit.manifest import JoinInput

__all__ = ["blame"]


@dataclass(frozen=True)
class _End:
    """How a branch stood in the end: the handshake in front of its queue, and that behind it."""

    branch: JoinInput
    offered: bool
    taken: bool
    waits: bool
    wanted: bool

    @property
    def full(self) -> bool:
        """A beat more is offered, and what is there is not taken."""
        return self.offered and not self.taken and self.waits and not self.wanted


def blame(joins: Sequence[JoinInput], states: Sequence[str]) -> Iterator[str]:
    """One sentence for each branch that is full while its node waits for another branch.

    ``states`` are the bits valid and ready in front of each branch's queue, and behind it. The full
    branch stops the fork that also feeds the other one, so neither can go on; with more room for
    the beats that wait, the fork goes on.
    """
    ends = [
        _End(branch, *(word == "1" for word in state.split()))
        for branch, state in zip(joins, states, strict=True)
    ]
    for end in ends:
        others = (other for other in ends if other.branch.node == end.branch.node)
        starving = [other.branch for other in others if not other.waits]
        if end.full and starving:
            yield _sentence(end.branch, starving)


def _sentence(full: JoinInput, starving: Sequence[JoinInput]) -> str:
    missing = " and ".join(f"input {branch.port} (from {branch.source})" for branch in starving)
    node, end = full.node, f"input {full.port} of {full.node} (from {full.source})"
    if full.depth:
        end, need = f"the {full.depth} beats of the queue at {end} are full", "must be deeper"
    else:
        end, need = f"a beat waits at {end}, which has no queue", "needs a queue"
    return f"  To blame: {end}, and {node} waits for {missing}; that branch {need}."
