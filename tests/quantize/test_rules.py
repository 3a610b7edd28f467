"""The rules of the integer specification, one by one (docs/numerics.md)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.errors import InputError
from hwgen.quantize import Policy
from hwgen.quantize.affine import MAX_SHIFT, MULTIPLIER_HIGH, fold
from hwgen.quantize.calibrate import Observed, pick_scale
from hwgen.quantize.weights import adder_weights, multiply_weights
from hwgen_rtl.numerics import IntType, requantize


@pytest.mark.parametrize("kind", [IntType(b, s) for b in (2, 4, 6) for s in (False, True)], ids=str)
def test_clamped_weights_are_exact_for_every_input(kind):
    """|x - w| = |x - clip(w)| + |w - clip(w)|, all x of the type, weights far outside it."""
    real = np.arange(-3 << kind.bits, (3 << kind.bits) + 1, dtype=float).reshape(-1, 1)
    found = adder_weights(real * 0.5, 0.5, kind)
    assert kind.holds(found.weight)
    for x in range(kind.low, kind.high + 1):
        inside = np.abs(x - found.weight)[:, 0] + found.excess
        assert np.array_equal(inside, np.abs(x - real[:, 0]))


@pytest.mark.parametrize("bits", range(4, 17))
def test_multiply_weights(bits):
    weight = np.random.default_rng(bits).normal(size=(5, 3, 2, 2))
    weight[2] = 0
    for per_channel in (False, True):
        steps, scale = multiply_weights(weight, bits, per_channel)
        assert scale.shape == ((5,) if per_channel else (1,))
        assert np.abs(steps).max() == 2 ** (bits - 1) - 1
        error = np.abs(steps * scale.reshape(-1, 1, 1, 1) - weight)
        assert (error.max(axis=(1, 2, 3)) <= scale / 2 * (1 + 1e-9)).all()


@settings(max_examples=60, deadline=None)
@given(
    gain=st.floats(1e-9, 1e4),
    offset=st.floats(-1e3, 1e3),
    excess=st.integers(0, 1 << 20),
    acc=st.integers(-(1 << 20), 1 << 20),
)
def test_folded_affine_is_close(gain, offset, excess, acc):
    affine = fold("bn", np.array([gain]), np.array([offset]), np.array([excess]))
    assert abs(int(affine.multiplier[0])) <= MULTIPLIER_HIGH
    assert 0 <= affine.shift <= MAX_SHIFT
    if affine.shift < MAX_SHIFT:
        assert 2 * gain * 2.0**affine.shift > MULTIPLIER_HIGH - 1  # one more bit would not fit
    q = requantize(np.array([acc]), affine.multiplier, affine.bias, affine.shift, IntType(60, True))
    exact = gain * (acc - excess) + offset
    slack = abs(acc - excess) * 2.0 ** -(affine.shift + 1)
    assert abs(int(q[0]) - exact) <= 0.5 + slack + 1e-6 * abs(exact) + 1e-6


def test_excess_changes_no_output():
    rng = np.random.default_rng(0)
    gain, offset = rng.normal(size=8), rng.normal(size=8)
    excess, acc = rng.integers(0, 1000, 8), rng.integers(-5000, 0, (100, 8))
    with_, without = fold("n", gain, offset, excess), fold("n", gain, offset, excess * 0)
    kind = IntType(8, True)
    a = requantize(acc, with_.multiplier, with_.bias, with_.shift, kind)
    b = requantize(acc - excess, without.multiplier, without.bias, without.shift, kind)
    assert np.array_equal(a, b)


def test_ties_go_up():
    x = np.array([-3, -1, 1, 3])
    assert requantize(x, np.array([1]), np.array([0]), 1, IntType(8, True)).tolist() == [
        -1,
        0,
        1,
        2,
    ]


def test_refuses_a_gain_that_no_multiplier_holds():
    with pytest.raises(InputError, match=r"bn1: its gain of .* do not fit an 18-bit multiplier"):
        fold("bn1", np.array([1e6]), np.zeros(1), np.zeros(1, dtype=int))


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("bits", 1, "bits must be an integer from 2 to 16, not 1"),
        ("bits", 17, "bits must be an integer from 2 to 16, not 17"),
        ("bits", 8.0, "not 8.0"),
        ("bits", True, "not True"),
        ("edge_bits", 2, "edge_bits must be an integer from 4 to 16"),
        ("calibration", "max", "calibration must be 'output', 'percentile' or 'mse', not 'max'"),
        ("percentile", 20, "percentile must be above 50 up to 100, not 20"),
    ],
)
def test_refused_policies(field, value, sentence):
    with pytest.raises(InputError, match=sentence):
        Policy(**{field: value})


class TestScale:
    def observed(self, values):
        seen = Observed()
        seen.add(values)
        return seen

    def test_percentile(self):
        seen = self.observed(np.append(np.linspace(0, 1, 9999), 100))
        policy = Policy(calibration="percentile", percentile=99)
        assert pick_scale(seen, IntType(8, False), policy, ()) * 255 == pytest.approx(0.99, 0.01)

    @pytest.mark.parametrize("signed", [False, True])
    def test_mse_beats_the_full_range(self, signed):
        values = np.abs(np.random.default_rng(0).laplace(size=20000))
        kind = IntType(4, signed)
        scale = pick_scale(self.observed(values), kind, Policy(), ())

        def error(step):
            return np.mean(
                (values - np.clip(np.rint(values / step), kind.low, kind.high) * step) ** 2
            )

        assert error(scale) < 0.7 * error(values.max() / kind.high)

    def test_rounding_of_the_weights_counts(self):
        values = np.abs(np.random.default_rng(0).laplace(size=5000)) * 3
        weight = np.random.default_rng(1).normal(size=5000) * 40
        kind = IntType(4, False)
        alone, shared = (
            pick_scale(self.observed(values), kind, Policy(), w) for w in ((), (weight,))
        )
        assert shared < 0.95 * alone

    @pytest.mark.parametrize("calibration", ["mse", "percentile"])
    def test_dead_activations(self, calibration):
        policy = Policy(calibration=calibration)
        assert pick_scale(self.observed(np.zeros(9)), IntType(8, False), policy, ()) == 1.0
