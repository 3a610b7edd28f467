"""What a block asks of any FPGA, before a family's cells are chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hwgen_rtl.numerics import IntType
from hwgen_rtl.storage import ram_in_block, rom_in_block

__all__ = [
    "Demand",
    "Memory",
    "Product",
    "distinct_columns",
    "queue_demand",
    "ram_demand",
    "rom_demand",
    "table_demand",
]


@dataclass(frozen=True, kw_only=True)
class Memory:
    """One memory.

    Parameters:
        width, depth : bits of a word, and words
        style        : ``block``, ``distributed``, ``logic`` or, where synthesis chooses, ``auto``
        reads        : read ports
        written      : whether it has a write port
        checked      : whether a read of the word that is being written must give the old one
    """

    width: int
    depth: int
    style: str
    reads: int = 1
    written: bool = True
    checked: bool = False


@dataclass(frozen=True)
class Product:
    """A product of two variables; only its lowest ``bits`` are used."""

    a: IntType
    b: IntType
    bits: int


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Logic and memory.

    Parameters:
        lut   : gates in 4-input LUTs, of which adders take one for each bit of a sum
        chain : bits of carry chains of which no sum is used
        carry : pairs of bits of all carry chains
        ff    : flip-flops
        sums  : bits of further carry chains, with a LUT a bit
        tests : bits of those of which no sum is used
    """

    lut: float = 0
    chain: float = 0
    carry: float = 0
    ff: float = 0
    sums: tuple[int, ...] = ()
    tests: tuple[int, ...] = ()
    memories: tuple[Memory, ...] = ()
    products: tuple[Product, ...] = ()

    def __add__(self, other: "Demand") -> "Demand":
        return Demand(
            lut=self.lut + other.lut,
            chain=self.chain + other.chain,
            carry=self.carry + other.carry,
            ff=self.ff + other.ff,
            sums=self.sums + other.sums,
            tests=self.tests + other.tests,
            memories=self.memories + other.memories,
            products=self.products + other.products,
        )

    def times(self, count: int) -> "Demand":
        """``count`` of the same side by side."""
        return replace(
            self,
            lut=self.lut * count,
            chain=self.chain * count,
            carry=self.carry * count,
            ff=self.ff * count,
            sums=self.sums * count,
            tests=self.tests * count,
            memories=self.memories * count,
            products=self.products * count,
        )


def ram_demand(width: int, depth: int) -> Demand:
    """A memory with one write and one read port; storage.py says where it goes."""
    style = "block" if ram_in_block(width, depth) else "distributed"
    return Demand(memories=(Memory(width=width, depth=depth, style=style),))


def queue_demand(width: int, depth: int) -> Demand:
    """The memory of a queue, which synthesis puts where it likes; a read gives the old word."""
    memory = Memory(width=width, depth=depth, style="auto", checked=True)
    return Demand(memories=(memory,))


def rom_demand(width: int, depth: int, reads: int = 1) -> Demand:
    """A read-only memory; a single word is wired."""
    if depth == 1:
        return Demand()
    style = "block" if rom_in_block(depth) else "logic"
    return Demand(
        memories=(Memory(width=width, depth=depth, style=style, reads=reads, written=False),)
    )


def table_demand(words: Sequence[int]) -> Demand:
    """A read-only memory of known contents; in logic, equal and constant columns are kept once."""
    width = max(words).bit_length()
    if rom_in_block(len(words)):
        return rom_demand(width, len(words))
    columns = {tuple(word >> bit & 1 for word in words) for bit in range(width)}
    return rom_demand(sum(len(set(column)) > 1 for column in columns), len(words))


def distinct_columns(width: int, depth: int) -> float:
    """Expected columns that differ, of ``width`` random ones of ``depth`` bits; constants are none.

    Synthesis keeps one of those that are equal.
    """
    if depth == 1:
        return 0
    kinds = 2.0 ** min(depth, 64)
    return (kinds - 2) * (1 - (1 - 1 / kinds) ** width) if depth < 16 else width
