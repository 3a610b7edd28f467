"""What the scheduler predicts against Yosys, on a small network for a device of each family."""

from dataclasses import replace

import pytest

from hwgen.emit.verilog import to_verilog
from hwgen.flow import target_of
from hwgen.lower.top import lower
from hwgen.options import CompileOptions
from hwgen.schedule.schedule import schedule
from hwgen_boards.devices import load_device
from hwgen_boards.fit import overflows
from hwgen_boards.synth import synthesize
from tests.graphs import GraphBuilder

#  device, and how many LUTs it is said to have, so that little has to be synthesized
SMALL = [("ice40up5k", 3000), ("lfe5u-12f", 1900), ("gw1nr-9", 2100)]


def network():
    """Memories in block RAM and in LUTs, products, an adder layer and a linear layer."""
    return (
        GraphBuilder((2, 12, 12), "uint8")
        .conv("conv1", 4, (3, 3), bits=4)
        .conv("conv2", 4, (3, 3), adder=True, bits=4)
        .flatten()
        .linear("fc", 6, last=True)
        .graph()
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "lut"), SMALL)
def test_the_folding_chosen_for_a_device_fits_it(name, lut, monkeypatch, tmp_path):
    device = replace(load_device(name), lut=lut)
    monkeypatch.setattr("hwgen.flow._load_device", lambda _: device)
    plan = schedule(network(), target_of(CompileOptions(device=name)))
    (tmp_path / "top.v").write_text(to_verilog(lower(plan)))
    found = synthesize(tmp_path / "top.v", {}, device, tmp_path)
    assert found.uncounted == ()
    assert overflows(found.total, device) == ()
    assert (plan.total.bram, plan.total.dsp) == (found.total.bram, found.total.dsp)
    assert plan.total.lut == pytest.approx(found.total.lut, rel=0.2)
