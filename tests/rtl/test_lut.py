# amaranth: UnusedElaboratable=no
"""Tables, against dictionaries of Python."""

import re

import numpy as np
import pytest
from amaranth.back import rtlil

from hwgen_rtl.lut import Lut, LutParams
from hwgen_rtl.numerics import BIPOLAR, IntType
from tests.rtl.harness import check_block, integers

INT4 = IntType(4, signed=True)


@pytest.mark.parametrize(
    ("x", "out", "lanes", "channels"),
    [
        ("int4", "int8", 1, 1),
        ("int4", "uint3", 3, 1),
        ("uint4", "int2", 2, 4),
        ("int1", "uint1", 1, 3),
        ("uint1", "int5", 2, 2),
        ("int6", "bipolar", 2, 1),
        ("int4", "bipolar", 1, 3),
        ("int7", "uint8", 2, 1),  # in block RAM, from here on
        ("uint8", "int8", 1, 3),
        ("int5", "int12", 2, 6),
        ("uint12", "uint8", 1, 1),
    ],
)
def test_every_value_of_every_channel(x, out, lanes, channels):
    rng = np.random.default_rng(lanes)
    x, out = IntType.parse(x), IntType.parse(out)
    table = rng.choice([-1, 1], (channels, 1 << x.bits)) if out.bipolar else integers(
        rng, out, (channels, 1 << x.bits))  # fmt: skip
    wide = max(channels, lanes)
    entries = [dict(zip(range(x.low, x.high + 1), row, strict=True)) for row in table.tolist()]
    # every value in every channel, then some at random
    ramp = np.repeat(np.arange(x.low, min(x.high + 1, x.low + 300))[:, None], wide, axis=1)
    data = np.concatenate([ramp, integers(rng, x, (9, wide))])
    expected = np.array(
        [[entries[c % channels][v] for c, v in enumerate(row)] for row in data.tolist()]
    )
    params = LutParams(x=x, out=out, lanes=lanes, channels=channels)
    np.testing.assert_array_equal(params.compute(data, table), expected)
    encoded = (expected + 1) // 2 if out.bipolar else expected
    check_block(params, (table,), data.reshape(-1, lanes), encoded.reshape(-1, lanes))


@pytest.mark.parametrize(
    ("changes", "depth", "latency"),
    [
        ({}, 16, 1),
        ({"channels": 4}, 64, 1),
        ({"channels": 8, "lanes": 2}, 64, 1),
        ({"channels": 8}, 128, 2),
        ({"x": IntType(12, signed=True)}, 4096, 2),
    ],
)
def test_memory_and_latency(changes, depth, latency):
    params = params_of(**changes)
    assert (params.depth, params.latency) == (depth, latency)


def params_of(**changes):
    return LutParams(**(dict(x=INT4, out=INT4, lanes=1) | changes))


def test_conversion_leaves_the_component_as_it_was():
    block = params_of(lanes=2, channels=4).create(np.zeros((4, 16), int))
    assert rtlil.convert(block, emit_src=False) == rtlil.convert(block, emit_src=False)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"x": IntType(13, signed=True)},
            "x must be an integer type of at most 12 bits, not int13",
        ),
        ({"x": BIPOLAR}, "x must be an integer type of at most 12 bits, not bipolar"),
        ({"lanes": 0}, "lanes must be at least 1, not 0"),
        ({"lanes": 2, "channels": 3}, "lanes must divide the 3 channels, not 2"),
    ],
)
def test_refuses_parameters(changes, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        params_of(**changes)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (np.zeros((2, 16), int), "table must be shaped (1, 16), not (2, 16)"),
        (np.full((1, 16), 8), "table must fit int4, not 8..8"),
    ],
)
def test_refuses_tables(table, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Lut(params_of(), table)
