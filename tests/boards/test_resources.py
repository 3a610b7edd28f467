"""Counting cells, and judging whether they fit."""

import pytest

from hwgen.errors import InputError
from hwgen_boards.devices import load_device
from hwgen_boards.fit import Overflow, overflows, require_fit
from hwgen_boards.resources import Resources, count_resources, uncounted_cells
from hwgen_boards.utilization import Utilization, overfull_in_log

# The table "Total LUT4s" that nextpnr-ecp5 0.11 printed for these cells: 685 logic, 430 carry,
# 96 RAM and 48 RAMW, together 1259.
CELLS = {"LUT4": 685, "CCU2C": 215, "TRELLIS_DPR16X4": 24, "TRELLIS_FF": 553, "DP16KD": 1}


def test_lut_sites_are_counted_like_nextpnr_counts_them():
    expected = Resources(lut=1259, ff=553, bram=1, carry=215, lutram=144)
    assert count_resources(CELLS) == expected


def test_distributed_ram_of_xilinx_takes_a_lut_for_64_bits():
    """AMD UG474, table of distributed RAM configurations: number of LUTs."""
    luts = {"RAM32X1S": 1, "RAM32X1D": 2, "RAM64X1S": 1, "RAM64X1D": 2, "RAM128X1S": 2}
    luts |= {"RAM128X1D": 4, "RAM256X1S": 4, "RAM32M": 4, "RAM64M": 4}
    for cell, count in luts.items():
        assert count_resources({cell: 3}, "xc7") == Resources(lut=3 * count, lutram=3 * count)


def test_cells_that_no_figure_includes_are_named():
    assert uncounted_cells({**CELLS, "PFUMX": 3, "DCCA": 1}) == ("DCCA",)


def test_a_design_of_exactly_the_device_fits():
    device = load_device("lfe5u-12f")
    require_fit(Resources(lut=device.lut, bram=device.bram, dsp=device.dsp), device)


def test_overflow_says_how_much_and_what_would_do():
    needs = Resources(lut=12145, dsp=40)
    device = load_device("lfe5u-12f")
    assert overflows(needs, device) == (
        Overflow(resource="lut", needed=12145, available=12144),
        Overflow(resource="dsp", needed=40, available=28),
    )
    sentence = (
        r"^The design does not fit lfe5u-12f: it needs 12145 LUT of 12144 \(1 too many\); "
        r"40 DSP of 28 \(12 too many\); use lfe5u-45f or fold it further"
    )
    with pytest.raises(InputError, match=sentence):
        require_fit(needs, device)


def test_a_design_larger_than_every_device_must_be_folded():
    with pytest.raises(
        InputError, match=r"no device of its family is large enough, so fold it further"
    ):
        require_fit(Resources(dsp=1000), load_device("lfe5u-85f"))


def test_overfull_rows_are_found_in_nextpnr_log():
    log = (
        "Info: \t          MULT18X18D:      68/     28   242%\n"
        "Info: \t          TRELLIS_FF:    3511/  24288    14%\n"
    )
    assert overfull_in_log(log) == {"MULT18X18D": Utilization(used=68, available=28)}


def test_wide_multipliers_and_pseudo_dual_port_rams_are_counted():
    """As Yosys 0.70 makes them of an adder layer; a MULT18X36 is two of 18x18 bits."""
    cells = {"PDPSC16K": 3, "MULT18X36": 1, "MULT18X18": 2}
    assert count_resources(cells, "nexus") == Resources(bram=3, dsp=4)
    assert uncounted_cells(cells, "nexus") == ()
