"""How many cells a memory takes on an ECP5: block RAMs of 18 Kbit, or LUTs."""

from hwgen.schedule.plan import Resources
from hwgen_rtl.rom import in_block_ram

__all__ = ["memory_resources", "rom_resources"]

SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
"""Words and bits of a block RAM."""
LUT_RAM_DEPTH = 16


def memory_resources(width: int, depth: int) -> Resources:
    """A memory with one write and one read port; small ones stay in LUT RAM."""
    if depth <= 4 * LUT_RAM_DEPTH:
        return Resources(lut=3 * width * -(-depth // LUT_RAM_DEPTH), ff=width)
    return _blocks(width, depth)


def rom_resources(width: int, depth: int) -> Resources:
    """A read-only memory; a single word is wired."""
    if depth == 1:
        return Resources()
    if in_block_ram(depth):
        return _blocks(width, depth)
    return Resources(lut=width * max(1.0, depth / 16) * 0.7, ff=width)


def _blocks(width: int, depth: int) -> Resources:
    """The shape that takes the fewest blocks; rows of them need a multiplexer for each bit."""
    counts = [
        (-(-depth // words) * -(-width // bits), -(-depth // words)) for words, bits in SHAPES
    ]
    blocks, rows = min(counts)
    return Resources(bram=blocks, lut=width * (rows - 1))
