"""Where a memory goes, and how many cells it takes there."""

from hwgen.schedule.plan import Resources

__all__ = ["memory_resources", "memory_style", "rom_resources"]

BLOCK_RAM_BITS = 18 * 1024
BLOCK_RAM_WIDTH = 36
SHALLOW = 64
"""Up to this many words, a block RAM would be mostly empty and LUTs are fewer than it is worth."""


def memory_style(depth: int) -> str:
    """``block`` RAM or ``logic`` for the words of a read-only memory."""
    return "block" if depth > SHALLOW else "logic"


def memory_resources(width: int, depth: int) -> Resources:
    """A memory with one write and one read port: block RAM, or LUT RAM where it is shallow."""
    if depth <= SHALLOW:
        return Resources(lut=width * -(-depth // 16), ff=width)
    per_block = max(1, min(BLOCK_RAM_WIDTH, BLOCK_RAM_BITS // depth))
    return Resources(bram=-(-width // per_block))


def rom_resources(width: int, depth: int) -> Resources:
    """A read-only memory; a single word is wired."""
    if depth == 1:
        return Resources()
    if memory_style(depth) == "logic":
        return Resources(lut=width * max(1, depth / 16) * 0.8, ff=width)
    return memory_resources(width, depth)
