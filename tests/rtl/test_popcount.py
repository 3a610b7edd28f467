# amaranth: UnusedElaboratable=no
"""The compressor tree, against counts of Python and against a plain adder tree."""

import itertools
import re

import numpy as np
import pytest
from amaranth.sim import Simulator

from hwgen_rtl.numerics import IntType
from hwgen_rtl.popcount import PopcountParams
from hwgen_rtl.tree import AdderTree
from tests.rtl.synthesis import synthesized


def run(params, words):
    """Feed a word (an integer) per cycle; what stands at the output in every cycle."""
    block, seen = params.create(), []

    async def bench(ctx):
        for word in words:
            ctx.set(block.i.as_value(), word)
            seen.append(ctx.get(block.o))
            await ctx.tick()
        for _ in range(params.latency + 1):
            seen.append(ctx.get(block.o))
            await ctx.tick()

    simulator = Simulator(block)
    simulator.add_clock(1e-6, if_exists=True)
    simulator.add_testbench(bench)
    simulator.run()
    return seen


@pytest.mark.parametrize("terms", range(2, 13))
def test_counts_every_word_after_the_latency(terms):
    words = list(range(1 << terms)) if terms <= 9 else list(range(0, 1 << terms, 5))
    params = PopcountParams(terms)
    seen = run(params, words)
    assert seen[params.latency : params.latency + len(words)] == [w.bit_count() for w in words]
    # a cycle earlier the count of the word before stands there
    assert (
        seen[params.latency - 1 : params.latency - 1 + len(words)]
        != seen[params.latency :][: len(words)]
    )


@pytest.mark.parametrize("terms", [31, 32, 63, 64, 100, 128, 255, 256, 576])
def test_counts_wide_words(terms):
    rng = np.random.default_rng(terms)
    bits = rng.random((40, terms)) < rng.random((40, 1))
    bits[0], bits[1] = 0, 1
    words = [sum(1 << int(k) for k in np.flatnonzero(row)) for row in bits]
    params = PopcountParams(terms)
    seen = run(params, words)
    assert seen[params.latency : params.latency + 40] == [int(row.sum()) for row in bits]
    np.testing.assert_array_equal(params.compute(bits), [w.bit_count() for w in words])


def test_one_bit_is_its_own_count():
    assert PopcountParams(1).latency == 0
    assert PopcountParams(1).compute(np.array([[0], [1]])).tolist() == [0, 1]


@pytest.mark.parametrize("terms", [1, 2, 3, 7, 8, 27, 64, 576])
def test_a_full_adder_removes_one_bit(terms):
    """Bits in, less one per compressor, are the bits that reach the carry chain."""
    params = PopcountParams(terms)
    assert terms - params.full_adders == sum(params.heights[-1])
    assert max(params.heights[-1]) <= 2
    # balanced: the tallest column shrinks by a third a level, but for carries and remainders
    for before, after in itertools.pairwise(params.heights):
        assert max(after) <= max(before) * 2 / 3 + 4 / 3
    # no longer than the plain tree where that has several levels
    assert params.latency <= max(2, (terms - 1).bit_length())


@pytest.mark.parametrize("terms", [32, 64, 128])
def test_takes_fewer_cells_than_an_adder_tree(terms, tmp_path):
    params = PopcountParams(terms)
    compressors = synthesized(params.create(), tmp_path)
    chained = synthesized(AdderTree(terms, IntType(1, signed=False)), tmp_path)
    assert compressors.lut < 0.65 * chained.lut
    assert compressors.ff < 0.65 * chained.ff
    # two LUTs for a full adder, one for a bit of the last sum
    assert compressors.lut == pytest.approx(2 * params.full_adders + params.carry_bits, rel=0.1)
    assert compressors.ff == pytest.approx(params.registers, rel=0.1)


def test_refuses_no_terms():
    with pytest.raises(ValueError, match=f"^{re.escape('terms must be at least 1, not 0')}$"):
        PopcountParams(0)
