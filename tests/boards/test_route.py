"""Place and route of the known design, and the reading of nextpnr's report."""

import pytest

from hwgen.errors import InputError, ToolFailed
from hwgen_boards.critical_path import delay_by_instance, read_critical_path
from hwgen_boards.devices import load_device
from hwgen_boards.resources import Resources
from hwgen_boards.route import route


def _step(cell, delay):
    return {"type": "logic", "delay": delay, "from": {"cell": "a"}, "to": {"cell": cell}}


def test_critical_path_is_the_longest_between_registers():
    report = {
        "critical_paths": [
            {"from": "posedge clk", "to": "<async>", "path": [_step("pin", 20.0)]},
            {"from": "posedge clk", "to": "posedge clk", "path": [_step("conv1.x.y", 1.0)]},
            {
                "from": "posedge clk",
                "to": "posedge clk",
                "path": [_step("conv1.q", 1.5), _step("q_LUT4_A", 0.5), _step("conv1.p", 1.0)],
            },
        ]
    }
    path = read_critical_path(report)
    assert [step.instance for step in path] == ["conv1", "", "conv1"]
    assert delay_by_instance(path) == {"conv1": 2.5, "": 0.5}


def test_design_without_registers_has_no_critical_path():
    assert read_critical_path({"critical_paths": []}) == ()


def test_design_that_cannot_fit_is_refused_before_the_tool_runs(known, tmp_path):
    device = load_device("lfe5u-12f")
    with pytest.raises(InputError, match=r"needs 29 DSP of 28 \(1 too many\)"):
        route(known.netlist, device, tmp_path, resources=Resources(dsp=29))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_routing_gives_a_clock_and_a_path(known, tmp_path):
    device = load_device("lfe5u-12f")
    routed = route(known.netlist, device, tmp_path, resources=known.total)
    assert routed.clock_mhz is not None
    assert 50 < routed.clock_mhz < 1000
    assert routed.utilization["MULT18X18D"].used == 1
    assert routed.utilization["TRELLIS_FF"].used == known.total.ff
    assert routed.critical_path[0].kind == "clk-to-q"
    assert {step.instance for step in routed.critical_path} == {"flops"}
    again = route(known.netlist, device, tmp_path, resources=known.total)
    assert again.cached
    assert again.clock_mhz == routed.clock_mhz


@pytest.mark.slow
def test_netlist_that_nextpnr_cannot_read_names_the_log(tmp_path):
    netlist = tmp_path / "netlist.json"
    netlist.write_text('{"modules": {}}')
    with pytest.raises(ToolFailed, match=r"(?s)nextpnr failed.*The whole log is "):
        route(netlist, load_device("lfe5u-12f"), tmp_path)
