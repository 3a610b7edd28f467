"""Comparison of integers: counts, and which mismatch is the first."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.emit.manifest import Manifest, Stream
from hwgen_rtl.numerics import IntType
from hwgen_sim.compare import Mismatch, compare


def stream(node: str, shape: tuple[int, ...]) -> Stream:
    kind = IntType.parse("int8")
    return Stream(node=node, kind="t", shape=shape, type=kind, scale=(1.0,), lanes=1, instance=node)


MANIFEST = Manifest(
    name="t",
    hwgen="0",
    config_hash="",
    verilog_sha256="",
    input=stream("x", (2, 3, 4)),
    output=replace(stream("scores", (5,)), instance=""),
    nodes=(stream("late", (2, 3, 4)), stream("early", (2, 3, 4))),  # order counts, not names
    aliases={"flat": "early"},
    mean=(0.0,),
    std=(1.0,),
    settled_cycles=0,
    latency_cycles=1,
    interval_cycles=1,
    versions={},
)


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = {"x": (2, 3, 4), "late": (2, 3, 4), "early": (2, 3, 4), "scores": (5,)}
    return {name: rng.integers(-9, 9, (6, *shape)) for name, shape in shapes.items()}


def test_equal_arrays():
    result = compare(arrays(), arrays(), MANIFEST)
    assert result.nodes_checked == ("late", "early", "scores")
    assert (result.values_compared, result.total, result.first) == (6 * (24 + 24 + 5), 0, None)


def test_first_follows_graph_order_then_image_then_the_stream():
    got = arrays()
    got["scores"][0, 0] += 1
    got["early"][0, 0, 0, 0] += 1
    for place in [(4, 0, 2, 3), (4, 1, 2, 1), (4, 0, 2, 2), (5, 0, 0, 0)]:
        got["late"][place] -= 2
    result = compare(arrays(), got, MANIFEST)
    want = int(arrays()["late"][4, 1, 2, 1])
    assert result.first == Mismatch("late", 4, (1, 2, 1), want, want - 2)
    assert result.mismatches == {"late": 4, "early": 1, "scores": 1}
    assert result.total == 6


def test_vector_node():
    got = arrays()
    got["scores"][2, 3] = 100
    first = compare(arrays(), got, MANIFEST).first
    assert first is not None
    assert str(first) == f"Node scores, image 2, feature 3: expected {first.expected}, got 100."


def test_only_shared_nodes_are_counted():
    result = compare(arrays(), {"scores": arrays()["scores"]}, MANIFEST)
    assert (result.nodes_checked, result.values_compared) == (("scores",), 30)


def test_refuses_nothing_in_common():
    with pytest.raises(ValueError, match="share a node"):
        compare(arrays(), {"x": arrays()["x"]}, MANIFEST)


def test_refuses_other_shapes():
    got = arrays() | {"early": np.zeros((6, 24))}
    with pytest.raises(ValueError, match="early must have shape"):
        compare(arrays(), got, MANIFEST)
