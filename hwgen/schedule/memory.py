"""How many cells of a family a memory takes: the choice that Yosys' memory_libmap makes."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, log2

import numpy as np

from hwgen.schedule.demand import Memory, distinct_columns
from hwgen.schedule.fabric import Fabric, Ram
from hwgen.schedule.plan import Resources
from hwgen_rtl.numerics import ceil_log2

__all__ = ["memory_resources"]

PORT, OLD_WORD = 2, 12
"""Costs of a read port, and of logic that gives the old word during a write."""
LOGIC_ROM = 1 / 16
"""Cost of a bit of a read-only memory in LUTs; one of a flip-flop is 1."""


@dataclass(frozen=True)
class _Mapping:
    """A memory in cells of one kind: how many, how many rows of them, and what that costs."""

    ram: Ram | None
    cells: int
    rows: int
    cost: float


def memory_resources(memory: Memory, fabric: Fabric) -> Resources:
    """The cheapest mapping that the memory's style allows."""
    found = _chosen(memory, fabric)
    chooser = _multiplexers(memory, found.rows, fabric.inputs)
    if found.ram and not found.ram.bram and memory.written and found.rows > 1:
        chooser += 2 * found.rows  # which row is written
    if found.ram is None:
        return _in_logic(memory, fabric)
    # distributed RAM is read at once: the register behind it is made of flip-flops
    register = 0 if found.ram.bram else memory.width * memory.reads
    return Resources(
        lut=found.cells * found.ram.lut + chooser,
        ff=register,
        bram=found.cells * found.ram.bram,
    )


def _chosen(memory: Memory, fabric: Fabric) -> _Mapping:
    bits = memory.width * memory.depth
    logic = _Mapping(None, 0, 1, int(bits * (1 if memory.written else LOGIC_ROM)))
    if memory.style == "logic":
        return logic
    cells = {"block": fabric.blocks, "distributed": fabric.distributed}
    candidates = cells.get(memory.style, fabric.blocks + fabric.distributed)
    if not candidates:  # no distributed RAM: synthesis is free to choose
        candidates = fabric.blocks
    best = [_best_geometry(memory, ram) for ram in candidates if ram.ram or not memory.written]
    if memory.style == "auto" or not cells.get(memory.style):
        best.insert(0, logic)
    return min(best, key=lambda mapping: mapping.cost)


def _best_geometry(memory: Memory, ram: Ram) -> _Mapping:
    """The cheapest width; each is compared with the one before, whose cost loses its fraction."""
    best: _Mapping | None = None
    for mapping in _geometries(memory, ram):
        if best is None or mapping.cost < int(best.cost):
            best = mapping
    assert best is not None
    return best


def _geometries(memory: Memory, ram: Ram) -> Iterator[_Mapping]:
    """Every width: rows of words, which share cells where a row leaves some of one free."""
    copies = 1 if memory.written else ceil(memory.reads / ram.rom_reads)
    for n, width in enumerate(ram.widths):
        rows = ceil(memory.depth / 2 ** (ram.address - n))
        byte = min(ram.byte, width) if memory.written and ram.bram else 1
        padded = ceil(memory.width / byte) * byte
        cells = ceil(rows * padded / width)
        cost = (ram.cost - ram.shared) * cells + ram.shared * rows * memory.width / width
        cost = cost * copies + (rows - 1) * memory.width * memory.reads / 2
        if memory.written and rows > 1:
            cost += rows / 2
        cost += PORT * memory.reads + (OLD_WORD if memory.checked and ram.bram else 0)
        yield _Mapping(ram, cells * copies, rows, cost)


def _multiplexers(memory: Memory, rows: int, inputs: int) -> int:
    """LUTs that choose among rows: with four inputs two of three more words, with six one."""
    return memory.width * memory.reads * ceil((rows - 1) * (2 if inputs == 4 else 1) / 3)


def _in_logic(memory: Memory, fabric: Fabric) -> Resources:
    if memory.written:
        choice = _multiplexers(memory, memory.depth, fabric.inputs)
        return Resources(lut=memory.depth + choice, ff=memory.width * (memory.depth + 1))
    distinct = distinct_columns(memory.width, memory.depth)
    each = _table(memory.depth, distinct, fabric)
    return Resources(lut=distinct * each * memory.reads, ff=distinct * memory.reads)


DEPTHS, LUTS = (16, 24, 32, 36, 48, 54, 64), (1.0, 3.2, 3.9, 5.4, 6.5, 8.3, 8.9)
"""Words of 24 random bits and 4-input LUTs for each of these, as measured on ECP5 and iCE40.

ABC finds trees with more LUTs than the six that 64 words need.
"""
ALIKE = 24, 0.075
"""Columns, and the share of LUTs that twice as many save, as measured on ECP5 up to 384."""
SIX = (32, 36, 45, 54), (1.0, 2.1, 2.7, 3.4)
"""The same for 6-input LUTs, behind the counter that addresses such a memory.

ABC puts parts of the counter into the table, so that beyond 32 words one LUT does not do.
"""


def _table(depth: int, columns: float, fabric: Fabric) -> float:
    """LUTs for each column of a read-only memory."""
    words = 2**fabric.inputs
    if fabric.inputs == 6:
        return float(np.interp(depth, *SIX))
    if depth <= words:
        return 1.0
    if fabric.wide:
        return 2.0 ** ceil_log2(depth) / words
    each = depth / DEPTHS[-1] * LUTS[-1] if depth > DEPTHS[-1] else np.interp(depth, DEPTHS, LUTS)
    few, saved = ALIKE
    return float(each) * (1 - saved * log2(max(columns, few) / few))
