"""Where memories go: block RAM, LUT RAM or LUTs; synthesizers are told, so that it is known."""

__all__ = ["ram_in_block", "ram_style", "rom_in_block", "rom_style"]

LOGIC_DEPTH = 64
DISTRIBUTED_BITS = 2048


def rom_in_block(depth: int) -> bool:
    """Say whether a read-only memory of ``depth`` words goes to block RAM, or else to LUTs.

    Up to 64 words a block RAM would be mostly empty, and LUTs take less of a device.
    """
    return depth > LOGIC_DEPTH


def ram_in_block(width: int, depth: int) -> bool:
    """Say whether a memory goes to block RAM, or else, below 2 Kbit or 16 words, to LUT RAM."""
    return depth > 16 and width * depth > DISTRIBUTED_BITS


def rom_style(depth: int) -> dict[str, str]:
    """Attribute of a read-only memory."""
    return {"rom_style": "block" if rom_in_block(depth) else "logic"}


def ram_style(width: int, depth: int) -> dict[str, str]:
    """Attributes of a memory with a write port.

    Every block reads a word only after the cycle in which it was written, so logic that would
    emulate a read during a write is left out.
    """
    style = "block" if ram_in_block(width, depth) else "distributed"
    return {"ram_style": style, "no_rw_check": "1"}
