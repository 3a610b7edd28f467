"""What an action without rows of its own is made of."""

from collections.abc import Callable

from hwgen_rtl.numerics import ceil_log2

__all__ = ["parts_of"]

_SIMPLER = {
    "subtract": ("add", 1),
    "compare": ("subtract", 1),
    "abs_difference": ("add", 2),
    "sram_read": ("sram", 1),
    "sram_write": ("sram", 1),
    "dram_read": ("dram", 1),
    "dram_write": ("dram", 1),
}
_LUTS: dict[str, Callable[[int, int], int]] = {
    "add": lambda bits, other: bits,
    "xnor": lambda bits, other: bits,
    "mux": lambda bits, other: bits,
    # a row of full adders for each bit of the second factor
    "multiply": lambda bits, other: bits * other,
    # a choice for each bit and each bit of the distance
    "shift": lambda bits, other: bits * ceil_log2(bits),
}


def parts_of(kind: str, bits: int = 1, other_bits: int = 1) -> tuple[str, int] | None:
    """Kind of row that stands in for ``kind``, and how many of its events one action is.

    A subtraction is an addition, a distance two; one table entry for memory reads and writes is the
    published meaning of that entry. On an FPGA, an operation is the LUT bits that it takes.
    """
    if kind in _SIMPLER:
        return _SIMPLER[kind]
    if kind in _LUTS:
        return "lut", _LUTS[kind](bits, other_bits)
    return None
