# amaranth: UnusedElaboratable=no
"""Compute arrays of every kernel do after synthesis what they do before, for all inputs."""

import re
from pathlib import Path

import numpy as np
import pytest
from amaranth.lib import wiring
from numpy.typing import NDArray

from hwgen_rtl.array import ArrayParams
from hwgen_rtl.numerics import BIPOLAR, IntType
from hwgen_rtl.winograd_array import WinogradArrayParams
from tests.rtl.equivalence import equivalent, netlist_of

INT3 = IntType(3, signed=True)
TAPS = range(-4, 4)


def array(kernel: str, x: IntType, w: IntType) -> ArrayParams:
    """Two processing elements of two lanes; two jobs of two beats, so that weights are read."""
    acc = IntType(8, signed=True)
    return ArrayParams(kernel=kernel, x=x, w=w, acc=acc, simd=2, pe=2, beats=2, folds=2)


#             params                            weights
ARRAYS = {
    "multiply": (array("multiply", INT3, INT3), TAPS),
    "adder": (array("adder", INT3, INT3), TAPS),
    "xnor": (array("xnor", BIPOLAR, BIPOLAR), (-1, 1)),
    "sign": (array("sign", INT3, BIPOLAR), (-1, 1)),
    "shift": (array("shift", INT3, INT3), (-4, -2, -1, 1, 2)),
}

WINOGRAD = WinogradArrayParams(
    v=IntType(2, signed=True),
    w=IntType(2, signed=True),
    acc=IntType(8, signed=True),
    lanes=1,
    pe=1,
    beats=1,
    folds=2,
)


def weights_of(kernel: str) -> NDArray:
    if kernel == "winograd":
        return np.random.default_rng(0).integers(-2, 2, (2, 1, 4, 4))
    return np.random.default_rng(0).choice(ARRAYS[kernel][1], (4, 4))


def create(kernel: str, weights: NDArray) -> wiring.Component:
    params = WINOGRAD if kernel == "winograd" else ARRAYS[kernel][0]
    return params.create(weights)


DEVICES = {
    "ecp5": "lfe5u-25f",
    "ice40": "ice40hx8k",
    "gowin": "gw1nr-9",
    "nexus": "lifcl-40",
    "xc7": "xc7a100t",
    "xcup": "xczu3eg",
}
QUICK = ("xnor", "ecp5")
CASES = [QUICK, *((kernel, "ecp5") for kernel in (*ARRAYS, "winograd") if kernel != "xnor")]
CASES += [("adder", family) for family in DEVICES if family != "ecp5"]


@pytest.mark.parametrize(
    ("kernel", "family"),
    [pytest.param(*case, marks=() if case == QUICK else pytest.mark.slow) for case in CASES],
)
def test_netlist_is_proven_and_one_other_weight_is_not(kernel: str, family: str, tmp_path: Path):
    weights = weights_of(kernel)
    netlist_of(create(kernel, weights), DEVICES[family], tmp_path)
    assert equivalent(tmp_path)
    other = weights.copy()
    other.flat[-1] = next(value for value in weights.flat if value != weights.flat[-1])
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    netlist_of(create(kernel, other), DEVICES[family], wrong).rename(tmp_path / "wrong.v")
    assert not equivalent(tmp_path, gate="wrong.v")


@pytest.mark.slow
def test_one_inverted_lut_is_not_proven(tmp_path: Path):
    netlist = netlist_of(create("xnor", weights_of("xnor")), DEVICES["ecp5"], tmp_path)
    text = netlist.read_text()
    first = re.search(r"\.INIT\(16'h([0-9a-f]{4})\)", text)
    assert first is not None
    inverted = f"{int(first[1], 16) ^ 0xFFFF:04x}"
    (tmp_path / "wrong.v").write_text(text[: first.start(1)] + inverted + text[first.end(1) :])
    assert not equivalent(tmp_path, gate="wrong.v")
