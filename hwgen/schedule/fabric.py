"""What each FPGA family is made of, as far as Yosys 0.70 maps to it.

The figures are those of its library files (``share/<family>/brams*.txt``, ``lutrams*.txt``) and of
the options that its ``synth_<family>`` gives to ``mul2dsp.v``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hwgen.errors import InputError

__all__ = ["FABRICS", "Fabric", "Multiplier", "Ram", "fabric_of"]


@dataclass(frozen=True, kw_only=True)
class Ram:
    """One memory cell in one mode.

    Parameters:
        cost       : of a cell, in the units of memory_libmap
        shared     : part of the cost that is scaled with the bits in use
        address    : address bits at the smallest width
        widths     : data widths, each half as deep as the one before
        byte       : bits for each write enable
        rom_reads  : read ports where nothing is written; with a write port there is one
        ram        : whether a write port of its own can be had
        bram, lut  : block RAMs or LUT sites of a cell
    """

    cost: float
    address: int
    widths: tuple[int, ...]
    byte: int = 9
    shared: float = 0
    rom_reads: int = 1
    ram: bool = True
    bram: int = 0
    lut: int = 0


@dataclass(frozen=True, kw_only=True)
class Multiplier:
    """One rule of mul2dsp: widest and narrowest operands, A the wider one.

    Parameters:
        partial : widest part of an A that is too wide
        product : narrowest result
        signed  : whether only signed products exist, so that parts of an operand lose a bit
        dsp     : multipliers that it takes, in the units of the device
    """

    a: int
    b: int
    least_a: int = 2
    least_b: int = 2
    partial: int = 0
    product: int = 0
    signed: bool = False
    dsp: int = 1


@dataclass(frozen=True, kw_only=True)
class Fabric:
    """One family.

    Parameters:
        blocks, distributed : memory cells
        multipliers         : rules, the first that takes a product wins
        inputs              : of a LUT; 6 for those that also give two functions of five
        wide                : whether multiplexers beside the LUTs make wider ones of them
        carry               : bits of a carry cell; 0 where none is used
        least_chain         : bits of the shortest adder that becomes a carry chain
        chains_take_luts    : whether a carry needs a LUT where its sum is not used
        lone_ff             : share of flip-flops that take a LUT site, as no LUT in it drives them
    """

    blocks: tuple[Ram, ...]
    distributed: tuple[Ram, ...] = ()
    multipliers: tuple[Multiplier, ...] = ()
    inputs: int = 4
    wide: bool = False
    carry: int = 1
    least_chain: int = 3
    chains_take_luts: bool = True
    lone_ff: float = 0


_NINES = (1, 2, 4, 9, 18)
_ECP5 = Fabric(
    blocks=(
        Ram(cost=128, address=14, widths=_NINES, rom_reads=2, bram=1),
        Ram(cost=128, address=14, widths=(*_NINES, 36), bram=1),
    ),
    distributed=(Ram(cost=4, address=4, widths=(4,), lut=6),),
    multipliers=(Multiplier(a=18, b=18),),
    carry=2,
    least_chain=5,
)
_ICE40 = Fabric(
    blocks=(Ram(cost=64, address=11, widths=(2, 4, 8, 16), byte=1, bram=1),),
    chains_take_luts=False,
    lone_ff=0.76,
)
_GOWIN = Fabric(
    blocks=(
        Ram(cost=128, address=14, widths=(*_NINES, 36), ram=False, bram=1),
        Ram(cost=128, address=14, widths=_NINES, rom_reads=2, bram=1),
        Ram(cost=128, address=14, widths=(*_NINES, 36), bram=1),
    ),
    distributed=(Ram(cost=4, shared=4, address=4, widths=(4,), lut=8),),
    multipliers=(
        Multiplier(a=36, b=36, least_a=22, least_b=22, dsp=4),
        Multiplier(a=18, b=18, least_a=10, least_b=4),
        Multiplier(a=18, b=18, least_a=4, least_b=10),
        Multiplier(a=9, b=9, least_a=4, least_b=4),
    ),
    wide=True,
)
_XILINX_BLOCKS = (
    Ram(cost=129, address=14, widths=_NINES, rom_reads=2, bram=1),
    Ram(cost=257, address=15, widths=(*_NINES, 36), rom_reads=2, bram=2),
    Ram(cost=129, address=14, widths=(*_NINES, 36), bram=1),
    Ram(cost=257, address=15, widths=(*_NINES, 36, 72), bram=2),
)
_XC7 = Fabric(
    blocks=_XILINX_BLOCKS,
    distributed=(
        Ram(cost=8, shared=7, address=5, widths=(6,), lut=4),
        Ram(cost=8, shared=7, address=6, widths=(3,), lut=4),
    ),
    multipliers=(Multiplier(a=25, b=18, partial=18, product=9, signed=True),),
    inputs=6,
    carry=4,
)
_XCUP = Fabric(
    blocks=_XILINX_BLOCKS,
    distributed=(
        Ram(cost=16, shared=16, address=5, widths=(14,), lut=8),
        Ram(cost=16, shared=16, address=6, widths=(7,), lut=8),
    ),
    multipliers=(Multiplier(a=27, b=18, partial=18, product=9, signed=True),),
    inputs=6,
    carry=4,  # synthesis makes CARRY4 of them, half a CARRY8
)
_NEXUS = Fabric(
    blocks=(
        Ram(cost=129, address=14, widths=_NINES, rom_reads=2, bram=1),
        Ram(cost=128, address=14, widths=(*_NINES, 36), bram=1),
    ),
    distributed=_ECP5.distributed,
    multipliers=(
        Multiplier(a=36, b=36, least_a=22, least_b=22, dsp=4),
        Multiplier(a=36, b=18, least_a=19, least_b=10, dsp=2),
        Multiplier(a=18, b=18, least_a=10, least_b=4),
        Multiplier(a=18, b=18, least_a=4, least_b=10),
        Multiplier(a=9, b=9, least_a=4, least_b=4),
    ),
    carry=0,  # families.py says why
)

FABRICS: Mapping[str, Fabric] = {
    "ecp5": _ECP5,
    "ice40": _ICE40,
    "ice40up": replace(_ICE40, multipliers=(Multiplier(a=16, b=16, product=11),)),
    "gowin": _GOWIN,
    "nexus": _NEXUS,
    "xc7": _XC7,
    "xcup": _XCUP,
}
"""Family -> fabric; the iCE40 UltraPlus has multipliers, others of its family have none."""


def fabric_of(family: str) -> Fabric:
    """The family's fabric."""
    if family not in FABRICS:
        raise InputError(
            f"Cells are predicted for {', '.join(FABRICS)}, not {family!r}; choose another device."
        )
    return FABRICS[family]
