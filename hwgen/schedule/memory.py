"""How many cells a memory takes on an ECP5: block RAMs of 18 Kbit, or LUTs."""

from hwgen.schedule.plan import Resources
from hwgen_rtl.storage import ram_in_block, rom_in_block

__all__ = ["memory_resources", "rom_resources"]

SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
"""Words and bits of a block RAM."""
LUT_RAM_DEPTH = 16


def memory_resources(width: int, depth: int) -> Resources:
    """A memory with one write and one read port; small ones stay in LUT RAM."""
    if ram_in_block(width, depth):
        return _blocks(width, depth)
    return Resources(lut=2 * width * -(-depth // LUT_RAM_DEPTH), ff=width)


def rom_resources(width: int, depth: int) -> Resources:
    """A read-only memory; a single word is wired."""
    if depth == 1:
        return Resources()
    if rom_in_block(depth):
        return _blocks(width, depth)
    distinct = min(width, 2**depth)  # columns of so few words repeat
    sixteens = -(-depth // 16)  # a LUT holds 16 words of a bit; more LUTs select among them
    return Resources(lut=distinct * (max(1.0, depth / 16) + (sixteens - 1) / 2), ff=distinct)


def _blocks(width: int, depth: int) -> Resources:
    """The shape that takes the fewest blocks; rows of them need a multiplexer for each bit."""
    counts = [
        (-(-depth // words) * -(-width // bits), -(-depth // words)) for words, bits in SHAPES
    ]
    blocks, rows = min(counts)
    return Resources(bram=blocks, lut=width * (rows - 1))
