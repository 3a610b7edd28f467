"""What a netlist uses, in the units a device is sold in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["Resources", "count_resources", "total_resources", "uncounted_cells"]


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Resources of one node or one design.

    Parameters:
        lut    : LUT sites, including those inside carry cells and distributed RAM; of four inputs,
                 on Xilinx of six
        ff     : flip-flops
        bram   : block RAMs
        dsp    : multipliers
        carry  : carry cells (where they take LUT sites, those are already in ``lut``)
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


def _same(kinds: str, resources: Resources) -> dict[str, Resources]:
    return dict.fromkeys(kinds.split(), resources)


_LUT, _FF, _BRAM, _DSP = Resources(lut=1), Resources(ff=1), Resources(bram=1), Resources(dsp=1)
_NOTHING = Resources()

# As nextpnr's "Total LUT4s" line counts: a 16x4 distributed RAM is four LUT sites that hold data
# and two that the write port blocks. Wide multiplexers sit beside the LUTs they join.
_ECP5 = {
    "LUT4": _LUT,
    "CCU2C": Resources(lut=2, carry=1),
    "TRELLIS_DPR16X4": Resources(lut=6, lutram=6),
    "TRELLIS_FF": _FF,
    **_same("DP16KD PDPW16KD", _BRAM),
    "MULT18X18D": _DSP,
    **_same("PFUMX L6MUX21 TRELLIS_IO EHXPLLL", _NOTHING),
}

# A carry cell shares its logic cell with the LUT that adds.
_ICE40 = {
    "SB_LUT4": _LUT,
    "SB_CARRY": Resources(carry=1),
    **_same("SB_DFF SB_DFFE SB_DFFSR SB_DFFR SB_DFFSS SB_DFFS", _FF),
    **_same("SB_DFFESR SB_DFFER SB_DFFESS SB_DFFES", _FF),
    **_same("SB_RAM40_4K SB_RAM40_4KNR SB_RAM40_4KNW SB_RAM40_4KNRNW", _BRAM),
    "SB_MAC16": _DSP,
    **_same("SB_IO SB_GB SB_GB_IO SB_PLL40_CORE SB_PLL40_PAD", _NOTHING),
}

_GOWIN = {
    **_same("LUT1 LUT2 LUT3 LUT4", _LUT),
    "ALU": Resources(lut=1, carry=1),
    "RAM16SDP4": Resources(lut=8, lutram=8),
    **_same("DFF DFFE DFFS DFFSE DFFR DFFRE DFFP DFFPE DFFC DFFCE", _FF),
    **_same("SP SPX9 SDPB SDPX9B DPB DPX9B pROM pROMX9", _BRAM),
    **_same("MULT9X9 MULT18X18 MULTALU18X18 MULTADDALU18X18", _DSP),
    "MULT36X36": Resources(dsp=4),
    **_same("MUX2_LUT5 MUX2_LUT6 MUX2_LUT7 MUX2_LUT8 IBUF OBUF IOBUF TBUF", _NOTHING),
    **_same("GND VCC GSR rPLL", _NOTHING),
}

_NEXUS = {
    "LUT4": _LUT,
    "CCU2": Resources(lut=2, carry=1),
    "WIDEFN9": Resources(lut=2),
    "DPR16X4": Resources(lut=6, lutram=6),
    **_same("FD1P3BX FD1P3DX FD1P3IX FD1P3JX", _FF),
    **_same("DP16K PDP16K PDPSC16K", _BRAM),
    **_same("DP16K_MODE PDP16K_MODE PDPSC16K_MODE SP16K_MODE", _BRAM),
    **_same("MULT9X9 MULT18X18 MULTADDSUB18X18", _DSP),
    "MULT18X36": Resources(dsp=2),
    "MULT36X36": Resources(dsp=4),
    **_same("IB OB BB VHI VLO INV", _NOTHING),
}

# RAMB36 is counted as the two RAMB18 that it is made of. A LUT holds 64 bits of distributed RAM; a
# second port doubles the LUTs (AMD UG474, UG574).
_XILINX = {
    **_same("LUT1 LUT2 LUT3 LUT4 LUT5 LUT6 LUT6_2 INV", _LUT),
    **_same("CARRY4 CARRY8", Resources(carry=1)),
    **_same("RAM32X1S RAM64X1S SRL16E SRLC32E", Resources(lut=1, lutram=1)),
    **_same("RAM128X1S RAM32X1D RAM64X1D", Resources(lut=2, lutram=2)),
    **_same("RAM256X1S RAM128X1D RAM32M RAM64M", Resources(lut=4, lutram=4)),
    **_same("RAM512X1S RAM256X1D RAM32M16 RAM64M8", Resources(lut=8, lutram=8)),
    **_same("RAM32X16DR8 RAM64X8SW", Resources(lut=8, lutram=8)),
    **_same("FDRE FDSE FDCE FDPE", _FF),
    **_same("RAMB18E1 RAMB18E2", _BRAM),
    **_same("RAMB36E1 RAMB36E2", Resources(bram=2)),
    **_same("DSP48E1 DSP48E2", _DSP),
    **_same("MUXF7 MUXF8 MUXF9 IBUF OBUF BUFG", _NOTHING),
}

_CELLS: Mapping[str, Mapping[str, Resources]] = {
    "ecp5": _ECP5,
    "ice40": _ICE40,
    "gowin": _GOWIN,
    "nexus": _NEXUS,
    "xc7": _XILINX,
    "xcup": _XILINX,
}
"""Family -> cell type -> one cell."""

# scope cells are names only
_NAMES_ONLY = "$scopeinfo"


def count_resources(cells: Mapping[str, int], family: str = "ecp5") -> Resources:
    """Resources of a family's cells given as {cell type: count}."""
    table = _CELLS[family]
    return total_resources(table[kind].times(n) for kind, n in cells.items() if kind in table)


def uncounted_cells(cells: Mapping[str, int], family: str = "ecp5") -> tuple[str, ...]:
    """Cell types that ``count_resources`` knows nothing about, sorted."""
    known = {*_CELLS[family], _NAMES_ONLY}
    return tuple(sorted(kind for kind in cells if kind not in known))


def total_resources(parts: Iterable[Resources]) -> Resources:
    """Sum of any number of parts."""
    return sum(parts, Resources())
