"""Synthesis: exactly known resources, the cache, and failures that say where to look."""

import json
import sys

import pytest

from hwgen.errors import InputError, ToolFailed, ToolMissing
from hwgen_boards import synth
from hwgen_boards.cache import cache_folder
from hwgen_boards.devices import load_device
from hwgen_boards.resources import Resources, count_resources, total_resources
from hwgen_boards.subprocesses import require_package, run_logged

from .conftest import KNOWN, NODES

DEVICE = load_device("lfe5u-12f")


def test_resources_of_each_node_are_the_ones_that_were_written(known):
    assert known.nodes == {
        "conv": Resources(ff=36, dsp=1),
        "delay": Resources(ff=16),
        "buffer": Resources(bram=1),
        "add": Resources(lut=8, carry=4),
        # only the half that is read: an inverter and a flip-flop a bit
        "half": Resources(lut=4, ff=4),
    }
    assert known.glue == Resources(lut=1)
    assert known.uncounted == ()


def test_total_equals_the_flattened_netlist(known, tmp_path):
    """Yosys' own count of the flattened netlist, against the sum of the parts."""
    job = {
        "instances": [],
        "before": [f"read_json {known.netlist}", "hierarchy -top top"],
        "after": [
            "setattr -mod -unset keep_hierarchy =*",
            "flatten",
            "tee -q -o stat.json stat -json",
        ],
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    command = [sys.executable, "-m", "hwgen_boards.yosys_job"]
    run_logged("Yosys", command, tmp_path, tmp_path / "log")
    stat = json.loads((tmp_path / "stat.json").read_text())
    flat = count_resources(stat["design"]["num_cells_by_type"])
    assert flat == known.total == known.glue + total_resources(known.nodes.values())


def test_same_design_comes_from_the_cache_also_for_another_size(known, tmp_path):
    again = synth.synthesize(KNOWN, NODES, load_device("lfe5u-85f"), tmp_path)
    assert again.cached
    assert again.device == "lfe5u-85f"
    assert again.nodes == known.nodes
    assert again.netlist.read_bytes() == known.netlist.read_bytes()
    assert again.log.stat().st_size > 0


def test_broken_verilog_names_the_log(tmp_path):
    broken = tmp_path / "broken.v"
    broken.write_text("module top(input a; endmodule\n")
    with pytest.raises(ToolFailed, match=r"(?s)Yosys failed.*syntax error.*The whole log is "):
        synth.synthesize(broken, {}, DEVICE, tmp_path / "work")
    assert "syntax error" in (tmp_path / "work" / "synth.log").read_text()


def test_nothing_is_left_in_the_cache_after_a_failure(tmp_path, monkeypatch):
    monkeypatch.setenv("HWGEN_CACHE", str(tmp_path / "cache"))
    broken = tmp_path / "broken.v"
    broken.write_text("module top(input a; endmodule\n")
    with pytest.raises(ToolFailed):
        synth.synthesize(broken, {}, DEVICE, tmp_path)
    assert list((cache_folder() / "synth").iterdir()) == []


def test_instance_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"^The top module has no instance conv9; it has flops, narrow"
    ):
        synth.synthesize(KNOWN, {"conv": "conv9"}, DEVICE, tmp_path)


def test_missing_verilog_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"is missing; run 'hwgen compile' again\.$"):
        synth.synthesize(tmp_path / "none.v", {}, DEVICE, tmp_path)


def test_missing_package_names_the_command():
    with pytest.raises(ToolMissing, match=r"run 'pip install pyosys' or"):
        require_package("no_such_module", "pyosys")


def test_a_crash_without_words_still_says_something(tmp_path):
    command = [sys.executable, "-c", "import os; print('last words', flush=True); os._exit(9)"]
    with pytest.raises(ToolFailed, match=r"(?s)last words\n\(exit status 9\)"):
        run_logged("Yosys", command, tmp_path, tmp_path / "log")
