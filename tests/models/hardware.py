"""A network's Verilog beside its golden model."""

from pathlib import Path

from numpy.typing import NDArray

from hwgen.emit.emit import describe
from hwgen.emit.verilog import to_verilog
from hwgen.ir.graph import Graph
from hwgen.lower.top import lower
from hwgen.schedule.plan import Plan, Target
from hwgen.schedule.schedule import schedule
from hwgen_sim import fast, golden
from hwgen_sim.compare import compare
from hwgen_sim.cosim import simulate

__all__ = ["check_verilog", "is_as_fast_as_its_slowest_node"]

ELSEWHERE = ("input", "flatten")
"""Kinds of node whose integers no stream of their own carries."""


def check_verilog(integers: Graph, images: NDArray, cycles: int, folder: Path) -> Plan:
    """Every integer of every node is the golden model's, and each image ends when predicted."""
    inputs = golden.prepare(integers, images)
    plan = schedule(integers, Target(cycles=cycles))
    verilog = folder / "top.v"
    verilog.write_text(to_verilog(lower(plan)))
    manifest = describe(plan, verilog.read_text(), "")
    run = simulate(verilog, manifest, inputs, engine="library")
    found = compare(fast.run(integers, inputs), run.arrays, manifest)
    assert set(found.nodes_checked) == {n.name for n in integers.nodes if n.kind not in ELSEWHERE}
    assert found.total == 0, found.first
    measured = run.transfers[manifest.output.node][:, -1] - run.transfers[manifest.input.node][0, 0]
    assert tuple(measured) == plan.finished[: len(images)]
    assert plan.interval <= cycles
    return plan


def is_as_fast_as_its_slowest_node(plan: Plan) -> bool:
    """Whether no image waits for another one."""
    return plan.interval == max(unit.interval for unit in plan.units)
