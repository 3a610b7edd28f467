"""Reads and writes of memories: windows, lines, queues, tables of constants."""

from collections.abc import Iterator

from hwgen_rtl.band import BandParams
from hwgen_rtl.fifo import QueueParams
from hwgen_rtl.line_buffer import LineBufferParams
from hwgen_rtl.lut import LutParams
from hwgen_rtl.shift import ShiftParams
from hwgen_sim.energy.action import Action

__all__ = ["band", "lines", "lut", "memory", "queue", "rom", "shift"]


def memory(component: str, bits: int, depth: int, reads: int, writes: int) -> Iterator[Action]:
    size = {"bits": bits, "capacity_bits": bits * depth, "component": component}
    yield Action(kind="sram_read", count=reads, **size)
    yield Action(kind="sram_write", count=writes, **size)


def rom(component: str, bits: int, depth: int, reads: int) -> Iterator[Action]:
    """A single word is wired, not read."""
    if depth > 1:
        yield from memory(component, bits, depth, reads, 0)


def lines(p: LineBufferParams, elements: int) -> Iterator[Action]:
    words = p.height * p.width * p.words
    bits = (p.rows - 1) * p.lanes * p.kind.bits
    yield from memory("lines", bits, p.width * p.words, words, words)


def queue(p: QueueParams, elements: int) -> Iterator[Action]:
    words = elements // p.lanes
    yield from memory("queue", p.lanes * p.kind.bits, p.depth - 1, words, words)


def band(p: BandParams, elements: int) -> Iterator[Action]:
    words = p.height * p.band
    yield from memory("band", p.i_lanes * p.kind.bits, p.depth, p.interval, words)
    if p.shuffle:
        bits, choices = p.kind.bits, p.factor**2 - 1
        count = p.interval * p.lanes * choices
        yield Action(component="choose", kind="mux", bits=bits, count=count)


def shift(p: ShiftParams, elements: int) -> Iterator[Action]:
    yield from memory("rows", p.lanes * p.kind.bits, p.depth, p.image, p.image)
    count = p.image * p.lanes  # a pixel, or 0 outside
    yield Action(component="choose", kind="mux", bits=p.kind.bits, count=count)
    yield from rom("offsets", p.entry.size, len(p.offsets), p.image)


def lut(p: LutParams, elements: int) -> Iterator[Action]:
    """Every lane reads a word of its own."""
    yield from rom("table", p.out.bits, p.depth, elements)
