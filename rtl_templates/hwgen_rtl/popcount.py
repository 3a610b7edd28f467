"""A pipelined compressor tree that counts ones."""

from dataclasses import dataclass
from math import ceil

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hwgen_rtl.numerics import IntType
from hwgen_rtl.shapes import layout_of

__all__ = ["Popcount", "PopcountParams"]


@dataclass(frozen=True)
class PopcountParams:
    """Counts the ones among ``terms`` bits.

    Bits stand in columns of weight 1, 2, 4, ...; a *level* puts a full adder (3:2 compressor, two
    4-input LUTs) under every three bits of a column, which leaves one bit there and carries one.
    No column holds more than two bits after the last level, and one carry chain adds what is left.
    """

    terms: int

    LEVELS = 2
    """Levels between two registers: as deep in LUTs as the lanes and the carry chain."""

    def __post_init__(self):
        if self.terms < 1:
            raise ValueError(f"terms must be at least 1, not {self.terms!r}")

    @property
    def count(self) -> IntType:
        """Type of the result."""
        return IntType(self.terms.bit_length(), signed=False)

    @property
    def heights(self) -> tuple[tuple[int, ...], ...]:
        """Bits in each column before every level and after the last."""
        found: list[tuple[int, ...]] = [(self.terms,)]
        while max(found[-1]) > 2:
            found.append(_compressed(found[-1])[: self.count.bits])
        return tuple(found)

    @property
    def full_adders(self) -> int:
        """Compressors of all levels."""
        return sum(height // 3 for level in self.heights[:-1] for height in level)

    @property
    def carry_bits(self) -> int:
        """Columns of the carry chain: those from the first with two bits on."""
        left = self.heights[-1]
        return len(left) - left.index(2) if 2 in left else 0

    @property
    def registers(self) -> int:
        """Flip-flops of all stages."""
        kept = self.heights[self.LEVELS :: self.LEVELS]
        if (len(self.heights) - 1) % self.LEVELS:
            kept += self.heights[-1:]
        return sum(map(sum, kept)) + (self.count.bits if self.carry_bits else 0)

    @property
    def latency(self) -> int:
        """Cycles from bits to their count: a stage for each two levels, one for the carries."""
        return ceil((len(self.heights) - 1) / self.LEVELS) + (self.carry_bits > 0)

    def compute(self, bits: NDArray) -> NDArray:
        """Counts (P,) of bits (P, terms)."""
        return bits.sum(axis=1)

    def create(self) -> "Popcount":
        """The hardware."""
        return Popcount(self)


def _compressed(heights: tuple[int, ...]) -> tuple[int, ...]:
    """Bits in each column after one level."""
    carried = [0, *(height // 3 for height in heights)]
    kept = [*(height - height // 3 * 2 for height in heights), 0]
    return tuple(sum(bits) for bits in zip(kept, carried, strict=True) if sum(bits))


class Popcount(wiring.Component):
    """o = sum(i[k] for k in range(terms)), the number of ones.

    One count per cycle, ``params.latency`` cycles later. Fixed rate, for use inside a pipeline that
    stalls as a whole.

    Members:
        i : In(ArrayLayout(1, terms))
        o : Out(params.count)
    """

    i: data.View
    o: Signal

    def __init__(self, params: PopcountParams):
        self._params = params
        super().__init__(
            {
                "i": In(layout_of(IntType(1, signed=False), params.terms)),
                "o": Out(params.count.bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self._params
        columns = [[self.i[k] for k in range(params.terms)]]
        levels = len(params.heights) - 1
        for level in range(1, levels + 1):
            columns = self._compress(columns)
            if level % params.LEVELS == 0 or level == levels:
                columns = self._registered(m, columns, f"level{level}")
        if params.carry_bits:
            m.d.sync += self.o.eq(self._carried(columns))
        else:
            m.d.comb += self.o.eq(Cat(*(bit for column in columns for bit in column)))
        return m

    def _compress(self, columns: list[list[Value]]) -> list[list[Value]]:
        """One level; carries beyond the width of the count are never set."""
        result: list[list[Value]] = [[] for _ in range(len(columns) + 1)]
        for weight, bits in enumerate(columns):
            triples = len(bits) // 3 * 3
            for a, b, c in zip(*(bits[n:triples:3] for n in range(3)), strict=True):
                result[weight].append(a ^ b ^ c)
                result[weight + 1].append((a & b) | (c & (a ^ b)))
            result[weight] += bits[triples:]
        return [column for column in result if column][: self._params.count.bits]

    def _registered(self, m: Module, columns: list[list[Value]], name: str) -> list[list[Value]]:
        held = []
        for weight, bits in enumerate(columns):
            register = Signal(len(bits), name=f"{name}_{weight}")
            m.d.sync += register.eq(Cat(*bits))
            held.append(list(register))
        return held

    def _carried(self, columns: list[list[Value]]) -> Value:
        """The sum of columns of one or two bits; the lowest single ones pass by."""
        at = len(columns) - self._params.carry_bits
        a = Cat(*(bits[0] for bits in columns[at:]))
        b = Cat(*(bits[1] if len(bits) == 2 else Const(0, 1) for bits in columns[at:]))
        return Cat(*(bits[0] for bits in columns[:at]), a + b)
