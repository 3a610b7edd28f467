"""Devices: figures that hold together, tools that know them, and refusals that name a neighbour."""

from pathlib import Path

import pytest

from hwgen.errors import InputError
from hwgen_boards.devices import device_names, load_device
from hwgen_boards.families import FAMILIES
from hwgen_boards.route import route
from hwgen_boards.synth import synthesize
from hwgen_boards.synth_build import synth_build

from .next_build import NEXT

OPEN = [name for name in device_names() if FAMILIES[load_device(name).family].router]

# LUT sites that one flip-flop, and that one carry cell goes with
PER_LUT = {
    "ecp5": (1, 1 / 2),
    "ice40": (1, 1),
    "gowin": (3 / 4, 3 / 4),
    "nexus": (1, 1 / 2),
    "xc7": (2, 1 / 4),
    "xcup": (2, 1 / 8),
}


@pytest.mark.parametrize("name", device_names())
def test_every_device_is_complete(name):
    device = load_device(name)
    assert device.name == name
    flops, carries = PER_LUT[device.family]
    assert (device.ff, device.carry) == (device.lut * flops, device.lut * carries)
    assert device.source
    assert bool(device.nextpnr) == (name in OPEN)


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("LFE5U-85F", (83640, 208, 18432, 156)),
        ("ice40up5k", (5280, 30, 4096, 8)),
        ("gw1nr-9", (8640, 26, 18432, 20)),
        ("lifcl-40", (32256, 84, 18432, 56)),
    ],
)
def test_figures_are_those_of_the_data_sheet(name, figures):
    device = load_device(name)
    assert (device.lut, device.bram, device.bram_bits, device.dsp) == figures


def test_unknown_device_names_the_nearest():
    with pytest.raises(InputError, match=r"^There is no device 'lfe5u85f'; did you mean lfe5u-85f"):
        load_device("lfe5u85f")


def test_unknown_device_without_neighbour_names_all():
    with pytest.raises(InputError, match=r"the devices are gw1nr-9, gw2a-18, ice40hx8k"):
        load_device("stratix")


def test_routing_without_an_open_tool_is_refused():
    sentence = r"^There is no open place and route for xc7a100t; leave out --route"
    with pytest.raises(InputError, match=sentence):
        synth_build(Path("no-build"), "xc7a100t", with_route=True)  # before any work


@pytest.mark.slow
class TestFamilies:
    @pytest.mark.parametrize("name", ["ice40up5k", "gw1nr-9", "lifcl-40", "xc7a100t", "xczu3eg"])
    def test_synthesis_counts_what_was_written(self, name, tmp_path):
        found = synthesize(NEXT, {}, load_device(name), tmp_path)
        assert found.total.ff == 9
        assert found.uncounted == ()
        # eight bits of increment, some of which a carry cell does alone, and a little logic
        assert 1 <= found.total.lut <= 20

    @pytest.mark.parametrize("name", ["ice40up5k", "gw1nr-9", "gw2a-18", "lifcl-40"])
    def test_design_is_routed(self, name, tmp_path):
        device = load_device(name)
        found = synthesize(NEXT, {}, device, tmp_path)
        routed = route(found.netlist, device, tmp_path, resources=found.total)
        flops = {cell: use.used for cell, use in routed.utilization.items() if "FF" in cell}
        assert set(flops.values()) <= {9}
        assert routed.level == "routed"

    def test_memories_that_ask_for_distributed_ram_find_a_place_without_it(self, tmp_path):
        small = tmp_path / "small.v"
        small.write_text(
            "module top(input clk, input [8:0] a, input [7:0] d, output reg [7:0] q);\n"
            '  (* ram_style = "distributed" *) reg [7:0] words [0:511];\n'
            "  always @(posedge clk) begin words[a] <= d; q <= words[a ^ 1]; end\n"
            "endmodule\n"
        )
        assert synthesize(small, {}, load_device("ice40up5k"), tmp_path).total.bram == 1

    def test_more_ports_than_pins_are_refused(self, known, tmp_path):
        with pytest.raises(
            InputError, match=r"routed here with at most 40 pins and the design has"
        ):
            route(known.netlist, load_device("gw1nr-9"), tmp_path)
