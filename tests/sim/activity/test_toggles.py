"""Toggles of the Verilog against Amaranth's simulator, and the laws that any counts obey."""

import re
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import CheckFailed
from hwgen_boards.devices import load_device
from hwgen_boards.synth import synthesize
from hwgen_sim.actions import DESIGN
from hwgen_sim.activity import Activity, count_toggles, measure, random_images, read_toggles
from hwgen_sim.activity.nets import rtl_nets
from hwgen_sim.cosim import Saif, Waves, simulate
from tests.flow.designs import Design, features, residual
from tests.sim.activity.amaranth_toggles import amaranth_toggles

FLAGS = r"(first|last|valid|done)\d|turn"
"""Registers that the arrays have in every form and of which some forms read none; Verilog, as
hardware, is without them."""


def activity(design: Design, folder: Path) -> Activity:
    verilog = folder / "top.v"
    verilog.write_text(design.verilog)
    return Activity(verilog=verilog, manifest=design.manifest, nets=rtl_nets(verilog))


@pytest.mark.parametrize("make", [features, residual])
def test_registers_toggle_as_often_as_in_amaranth_bit_for_bit(make, tmp_path: Path):
    design = make()
    mine = activity(design, tmp_path)
    files = Saif(tmp_path / "start.saif", tmp_path / "run.saif")
    simulate(
        mine.verilog, design.manifest, design.images, engine="library", nodes="output", saif=files
    )
    toggles = read_toggles(files)
    counted: dict[tuple[str, ...], Counter[int]] = defaultdict(Counter)
    for path in mine.nets.placed():
        # Amaranth numbers instances of one name in the text only
        place = tuple(re.sub(r"\$\d+$", "", name) for name in path)
        for net in mine.nets.driven[mine.nets.module_at(path)]:
            if net.kind in ("register", "memory"):
                scope = "/".join(("TOP/bench/dut", *path))
                counted[place][toggles[scope][net.name, net.bit]] += 1
    expected = amaranth_toggles(design.plan, design.images, design.manifest.settled_cycles)
    assert sum(counter.total() for counter in counted.values()) > 100
    for path, registers in expected.items():
        bits = Counter(n for _, bits in registers.elements() for n in bits)
        flags = Counter(
            n for name, bits in registers.elements() if re.fullmatch(FLAGS, name) for n in bits
        )
        # names differ where Yosys joins nets, so bits are told apart by their counts alone
        assert counted[path] <= bits
        assert bits - counted[path] <= flags


def test_images_without_contrast_toggle_less_than_random_ones(tmp_path: Path):
    design = features()
    mine = activity(design, tmp_path)
    flat = measure(mine, design.plan, np.zeros_like(design.images))
    drawn = measure(mine, design.plan, random_images(design.graph, len(design.images)))
    for name in ("conv1", "conv1_q", "pool1"):
        assert flat[name].total < drawn[name].total
        assert flat[name].bits == drawn[name].bits


def test_nodes_add_up_to_what_the_whole_design_drives(tmp_path: Path):
    design = features()
    mine = activity(design, tmp_path)
    files = Saif(tmp_path / "start.saif", tmp_path / "run.saif", design.manifest.settled_cycles)
    simulate(
        mine.verilog, design.manifest, design.images, engine="library", nodes="output", saif=files
    )
    toggles = read_toggles(files)
    nodes = count_toggles(mine.nets, toggles, design.manifest)
    scopes = [scope for scope in toggles if scope.startswith("TOP/bench/dut")]
    driven = sum(
        toggles["/".join(("TOP/bench/dut", *path))][net.name, net.bit]
        for path in mine.nets.placed()
        for net in mine.nets.driven[mine.nets.module_at(path)]
    )
    assert sum(node.total for node in nodes.values()) == driven > 0
    assert nodes[DESIGN].total == 0  # the top has wires alone
    # ports and aliases are listed wherever they pass, and counted where they are driven alone
    assert driven < sum(sum(toggles[scope].values()) for scope in scopes)


def test_two_runs_on_the_same_images_are_equal(tmp_path: Path):
    design = features()
    mine = activity(design, tmp_path)
    assert measure(mine, design.plan, design.images) == measure(mine, design.plan, design.images)


def test_a_net_without_toggles_is_named(tmp_path: Path):
    design = features()
    mine = activity(design, tmp_path)
    with pytest.raises(
        CheckFailed, match=r"^The simulation has no net .*\[\d+\] in TOP/bench/dut.*\.$"
    ):
        count_toggles(mine.nets, {}, design.manifest)


def test_a_design_that_computes_something_else_is_not_measured(tmp_path: Path):
    design = features()
    mine = activity(design, tmp_path)
    tensors = dict(design.graph.tensors)
    tensors["conv1.weight"] = -tensors["conv1.weight"]
    other = replace(design.plan, graph=replace(design.graph, tensors=tensors))
    message = r"^The simulated pool1 is not the golden model's; run 'hwgen verify' first\.$"
    with pytest.raises(CheckFailed, match=message):
        measure(mine, other, design.images)


def test_random_images_fill_the_inputs_type():
    images = random_images(features().graph, 200)
    assert images.shape == (200, 2, 4, 4)
    values, counts = np.unique(images, return_counts=True)
    assert values.tolist() == list(range(-8, 8))
    assert counts.min() > 300


def test_waves_and_toggles_are_not_both_written(tmp_path: Path):
    design = features()
    saif, waves = Saif(tmp_path / "a", tmp_path / "b"), Waves(tmp_path / "c")
    with pytest.raises(ValueError, match=r"^waves and saif must not both be given$"):
        simulate(
            tmp_path / "top.v", design.manifest, design.images, engine="library", saif=saif,
            waves=waves,
        )  # fmt: skip


@pytest.mark.slow
def test_a_netlist_moves_the_same_bits_between_nodes_as_the_verilog(tmp_path: Path):
    design = features()
    verilog = tmp_path / "top.v"
    verilog.write_text(design.verilog)
    instances = {s.node: s.instance for s in design.manifest.nodes if s.instance}
    synthesis = synthesize(verilog, instances, load_device("lfe5u-25f"), tmp_path)
    netlist = synthesis.netlist
    ports = []
    for folder, mine in (
        ("rtl", activity(design, tmp_path)),
        ("netlist", Activity.of_netlist(netlist, "ecp5", design.manifest)),
    ):
        files = Saif(tmp_path / f"{folder}.start", tmp_path / f"{folder}.run")
        simulate(
            mine.verilog, mine.manifest, design.images, engine="library", nodes="output",
            saif=files,
        )  # fmt: skip
        toggles = read_toggles(files)
        nodes = count_toggles(mine.nets, toggles, mine.manifest)
        assert all(nodes[name].toggles["register"] > 0 for name in instances)
        ports.append(
            {
                (name, bit): count
                for name in instances.values()
                for bit, count in toggles[f"TOP/bench/dut/{name}"].items()
                if bit[0].startswith("o__")
            }
        )
    # of the netlist, which is simulated last: as many flip-flops as were synthesized
    assert sum(node.bits["register"] for node in nodes.values()) == synthesis.total.ff
    assert ports[0] == ports[1]
    assert sum(ports[0].values()) > 1000
