"""Winograd and depthwise arrays in Nangate45: parts compute the layer and add up to the whole."""

import numpy as np
import pytest

from hwgen_rtl.depthwise import DepthwiseParams
from hwgen_rtl.numerics import IntType
from hwgen_rtl.winograd_array import ProcessingElement, WinogradArrayParams
from hwgen_rtl.winograd_input import InputTransformParams
from hwgen_sim.liberty import (
    array_energy,
    find_library,
    load_library,
    operator_energies,
    random_workload,
)

INT2, INT4, UINT2 = IntType(2, signed=True), IntType(4, signed=True), IntType(2, signed=False)
B = np.array([[1, 0, 0, 0], [0, 1, -1, 1], [-1, 1, 1, 0], [0, 0, 0, -1]])
"""Of V = B' d B, arXiv 2105.05530."""
A = np.array([[-1, 0], [1, 1], [1, -1], [0, 1]])
"""Of Y = A' M A."""

WINOGRAD = WinogradArrayParams(
    v=INT2, w=INT2, acc=IntType(8, signed=True), lanes=2, pe=1, beats=3, folds=1
)
OWN = ("lane", "level 1 adder", "corner accumulator", "accumulator", "column", "row")
TRANSFORM = InputTransformParams(x=UINT2, lanes=1)
DEPTHWISE = DepthwiseParams(x=INT4, w=INT4, acc=IntType(11, signed=True), lanes=3, beats=9, words=1)


@pytest.fixture(scope="module")
def library():
    return load_library(find_library("nangate45"))


WORK = random_workload(WINOGRAD, 240)


@pytest.fixture(scope="module")
def array(library):
    return array_energy(WINOGRAD, WORK, library)


def flip_flops(array, library) -> float:
    """How many flip-flops give the array's clock energy."""
    cell = library.flip_flop
    pin = cell.flip_flop.clock
    load = cell.capacitance[pin] + library.wire_ff
    one = 2 * cell.hidden_fj(pin, library.slew_ps) + load * library.voltage**2
    return array.cycle.clock / one


def signed(bits: np.ndarray, width: int) -> np.ndarray:
    return (bits + (1 << width - 1)) % (1 << width) - (1 << width - 1)


@pytest.mark.slow
class TestWinograd:
    def test_parts_compute_the_layer(self, array):
        """Y = A' M A with M = -sum abs(w - V), from the parts' own gates."""
        difference = np.abs(WORK.taps[:, None] - WORK.weights).reshape(-1, 3, 1, 4, 4, 2)
        m = -difference.sum(axis=(1, 5))
        expected = (A.T @ m @ A).reshape(len(m), 4)
        ends = 3 * np.arange(len(m)) + 2 + 1  # the cycle behind a job's last beat
        jobs = (ends < len(array.sums[""])).sum()
        found = signed(array.sums[""][ends[:jobs]], 8)
        assert jobs > 70
        assert np.array_equal(found, expected[:jobs])

    def test_every_register_is_clocked(self, array, library):
        element, own, shared = 2, 2, 3  # max(v - w, 0) and v of 2 bits; sums of two lanes
        expected = 32 * (2 * element + own) + 16 * (own + 1 + shared)
        expected += (16 + 8 + 4) * (8 + 7)  # accumulators, columns and results, of 8 and 7 bits
        expected += 3 * 4 + 4 * 8  # lowest bits of the constants; results
        assert flip_flops(array, library) == pytest.approx(expected)

    def test_parts_add_up_to_the_processing_element(self, library, array):
        """Mapped whole, an element has the area and energy of its parts, to 3 %."""
        starts, _ = WINOGRAD.constants(
            WORK.weights.reshape(-1, 3, 1, 16, 2).sum(axis=(1, 4)).reshape(-1, 1, 4, 4)
        )
        late = 2  # behind the lane and the tree
        beat = np.arange(240)
        first = ((beat - late) % 3 == 0) & (beat >= late)
        operands = {
            "taps": np.broadcast_to(WORK.taps[:, None], WORK.weights.shape),
            "weights": WINOGRAD.comparison.encode(WORK.weights),
            "first": first[:, None] * 1,
            "valid": (beat >= late)[:, None] * 1,
            "start": np.roll(np.repeat(starts, 3, axis=0), late, axis=0),
        }
        found = operator_energies(ProcessingElement(WINOGRAD), library, operands, warm_up=6)
        whole = min((energy for energy, _ in found.values()), key=lambda e: e.energy.mean)
        own = [p for p in array.parts if p.name in OWN]
        area = sum(part.copies * part.operator.area for part in own)
        mean = sum(part.copies * part.operator.energy.mean for part in own)
        assert whole.area == pytest.approx(area, rel=0.03)
        assert whole.energy.mean == pytest.approx(mean, rel=0.03)


@pytest.mark.slow
class TestTransform:
    def test_parts_compute_the_transform(self, library):
        work = random_workload(TRANSFORM, 80)
        array = array_energy(TRANSFORM, work, library)
        tiles = work.taps.reshape(-1, 4, 4).swapaxes(1, 2)  # columns of four rows arrive
        expected = (B.T @ tiles @ B).reshape(-1, 16)
        ends = 4 * np.arange(20) + 3
        found = signed(array.sums[""][ends[:19]], TRANSFORM.v.bits)
        assert np.array_equal(found, expected[:19])


@pytest.mark.slow
class TestDepthwise:
    def test_parts_compute_the_layer(self, library):
        work = random_workload(DEPTHWISE, 180)
        array = array_energy(DEPTHWISE, work, library)
        expected = (work.taps * work.weights[:, 0]).reshape(-1, 9, 3).sum(axis=1)
        ends = 9 * np.arange(20) + 9  # the cycle after a job's last product
        found = signed(array.sums[""][ends[:19]], 11)
        assert np.array_equal(found, expected[:19])
        product = 8  # of two 4-bit integers, -8 * -8 = 64
        assert flip_flops(array, library) == pytest.approx(3 * (4 + product + 11))
