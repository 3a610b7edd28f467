"""What a netlist uses, in the units a device is sold in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["Resources", "count_resources", "total_resources", "uncounted_cells"]


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Resources of one node or one design.

    Parameters:
        lut    : four-input LUT sites, including those inside carry cells and distributed RAM
        ff     : flip-flops
        bram   : block RAMs
        dsp    : 18x18-bit multipliers
        carry  : carry cells (their LUT sites are already in ``lut``)
        lutram : LUT sites that serve distributed RAM (already in ``lut``)
    """

    lut: int = 0
    ff: int = 0
    bram: int = 0
    dsp: int = 0
    carry: int = 0
    lutram: int = 0

    def __add__(self, other: "Resources") -> "Resources":
        """Resources of two parts side by side."""
        return Resources(
            lut=self.lut + other.lut,
            ff=self.ff + other.ff,
            bram=self.bram + other.bram,
            dsp=self.dsp + other.dsp,
            carry=self.carry + other.carry,
            lutram=self.lutram + other.lutram,
        )

    def times(self, count: int) -> "Resources":
        """Resources of ``count`` copies."""
        return Resources(
            lut=self.lut * count,
            ff=self.ff * count,
            bram=self.bram * count,
            dsp=self.dsp * count,
            carry=self.carry * count,
            lutram=self.lutram * count,
        )


# One cell each, as nextpnr's "Total LUT4s" line counts: a 16x4 distributed RAM is four LUT sites
# that hold data and two that the write port blocks.
_ECP5 = {
    "LUT4": Resources(lut=1),
    "CCU2C": Resources(lut=2, carry=1),
    "TRELLIS_DPR16X4": Resources(lut=6, lutram=6),
    "TRELLIS_FF": Resources(ff=1),
    "DP16KD": Resources(bram=1),
    "PDPW16KD": Resources(bram=1),
    "MULT18X18D": Resources(dsp=1),
}

# Wide multiplexers sit beside the LUTs they join; scope cells are names only.
_FREE = frozenset({"PFUMX", "L6MUX21", "$scopeinfo"})


def count_resources(cells: Mapping[str, int]) -> Resources:
    """Resources of ECP5 cells given as {cell type: count}."""
    return total_resources(
        _ECP5[kind].times(count) for kind, count in cells.items() if kind in _ECP5
    )


def uncounted_cells(cells: Mapping[str, int]) -> tuple[str, ...]:
    """Cell types that ``count_resources`` knows nothing about, sorted."""
    return tuple(sorted(kind for kind in cells if kind not in _ECP5 and kind not in _FREE))


def total_resources(parts: Iterable[Resources]) -> Resources:
    """Sum of any number of parts."""
    return sum(parts, Resources())
