"""Exact comparison of every node's integers with what was expected."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.emit.manifest import Manifest

__all__ = ["Comparison", "Mismatch", "compare"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One integer that differs; ``index`` is (channel, row, column), or (feature,)."""

    node: str
    image: int
    index: tuple[int, ...]
    expected: int
    got: int

    def __str__(self) -> str:
        names = ("channel", "row", "column") if len(self.index) == 3 else ("feature",)
        place = ", ".join(f"{name} {i}" for name, i in zip(names, self.index, strict=True))
        return (
            f"Node {self.node}, image {self.image}, {place}: "
            f"expected {self.expected}, got {self.got}."
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared and what differs.

    Parameters:
        nodes_checked   : nodes whose integers were compared, in graph order
        values_compared : integers compared, over all nodes and images
        mismatches      : number of integers that differ, per checked node
        first           : the first one to leave the hardware, in the first node that has any
    """

    nodes_checked: tuple[str, ...]
    values_compared: int
    mismatches: dict[str, int]
    first: Mismatch | None

    @property
    def total(self) -> int:
        """Integers that differ, over all nodes."""
        return sum(self.mismatches.values())


def compare(
    expected: Mapping[str, NDArray], got: Mapping[str, NDArray], manifest: Manifest
) -> Comparison:
    """Compare the (N, *shape) arrays of all nodes with hardware that both sides hold.

    Raises:
        ValueError: the two sides have no node in common, or shapes differ.
    """
    order = dict.fromkeys((*(s.node for s in manifest.nodes), manifest.output.node))
    order.pop(manifest.input.node, None)  # what was sent in proves nothing
    nodes = tuple(node for node in order if node in expected and node in got)
    if not nodes:
        raise ValueError(f"expected and got must share a node of {list(order)}, but have none")
    wrong = {node: _differences(node, expected[node], got[node]) for node in nodes}
    counts = {node: int(np.count_nonzero(mask)) for node, mask in wrong.items()}
    bad = next((node for node in nodes if counts[node]), None)
    return Comparison(
        nodes_checked=nodes,
        values_compared=sum(mask.size for mask in wrong.values()),
        mismatches=counts,
        first=_first(bad, wrong[bad], expected[bad], got[bad]) if bad else None,
    )


def _differences(node: str, expected: NDArray, got: NDArray) -> NDArray[np.bool_]:
    if expected.shape != got.shape:
        raise ValueError(f"{node} must have shape {expected.shape}, not {got.shape}")
    return expected != got


def _first(node: str, wrong: NDArray[np.bool_], expected: NDArray, got: NDArray) -> Mismatch:
    # The channel runs fastest on a stream, so it is moved last before searching.
    in_time = np.moveaxis(wrong, 1, -1)
    image, *place, channel = np.unravel_index(int(np.argmax(in_time)), in_time.shape)
    at = (int(image), int(channel), *(int(i) for i in place))
    return Mismatch(node, at[0], at[1:], int(expected[at]), int(got[at]))
