"""Arrays have the form for the LUTs of the device."""

from collections.abc import Sequence

import pytest

from hwgen.flow import CompileOptions, target_of
from hwgen.schedule.forms import laid_out
from hwgen.schedule.plan import Target, Unit
from hwgen.schedule.schedule import schedule
from hwgen_rtl.array import ArrayParams
from tests.graphs import padded_classifier


def arrays(units: Sequence[Unit]) -> list[ArrayParams]:
    """Every place where a plan names an array."""
    blocks = [stage.params for unit in units for stage in unit.blocks]
    found = [getattr(p, "array", None) or getattr(p, "datapath", None) for p in blocks]
    return [array for array in found if isinstance(array, ArrayParams)]


@pytest.mark.parametrize(
    ("device", "lut_inputs"),
    [
        ("xczu3eg", 6),
        ("xc7a100t", 6),
        ("lfe5u-85f", 4),
        ("ice40hx8k", 4),
        ("gw2a-18", 4),
        (None, 4),
    ],
)
def test_device_decides(device, lut_inputs):
    options = CompileOptions(device=device, target_cycles=1000)
    plan = schedule(padded_classifier().graph(), target_of(options))
    assert {array.lut_inputs for array in arrays(plan.units)} == {lut_inputs}


def test_every_block_of_an_array_has_its_form():
    graph = padded_classifier().graph()
    four = schedule(graph, Target(cycles=200)).units
    six = laid_out(four, 6)
    assert {array.lut_inputs for array in arrays(four)} == {4}
    assert {array.lut_inputs for array in arrays(six)} == {6}
    assert len(arrays(four)) == len(arrays(six)) >= 6  # arrays, drains and last sums
    assert [(u.pe, u.simd, u.interval) for u in four] == [(u.pe, u.simd, u.interval) for u in six]
