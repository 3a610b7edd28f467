"""Arrays have the form for the LUTs of the device."""

from dataclasses import replace

import pytest

from hwgen.flow import CompileOptions, target_of
from hwgen.schedule.plan import Plan, Target
from hwgen.schedule.schedule import schedule
from hwgen_rtl.array import ArrayParams
from tests.graphs import padded_classifier


def arrays(plan: Plan) -> list[ArrayParams]:
    """Every place where a plan names an array."""
    blocks = [stage.params for unit in plan.units for stage in unit.blocks]
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
    assert target_of(options).lut_inputs == lut_inputs


def test_every_block_of_an_array_has_its_form():
    graph = padded_classifier().graph()
    target = Target(cycles=200)
    four, six = (schedule(graph, replace(target, lut_inputs=n)) for n in (4, 6))
    assert {array.lut_inputs for array in arrays(four)} == {4}
    assert {array.lut_inputs for array in arrays(six)} == {6}
    assert len(arrays(four)) == len(arrays(six)) >= 6  # arrays, drains and last sums
    assert [(u.pe, u.simd, u.interval) for u in four.units] == [
        (u.pe, u.simd, u.interval) for u in six.units
    ]
