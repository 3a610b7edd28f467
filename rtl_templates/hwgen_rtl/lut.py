"""Any function of few bits as a table in memory."""

from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import memory
from numpy.typing import NDArray

from hwgen_rtl.cycles import Timing, pipelining
from hwgen_rtl.numerics import IntType, lookup
from hwgen_rtl.pipelined import FixedRate, Pipelined
from hwgen_rtl.rom import pack
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.storage import rom_in_block, rom_style

__all__ = ["Lut", "LutParams"]

WIDEST = 12


@dataclass(frozen=True, kw_only=True)
class LutParams:
    """Tables of 2**x.bits values.

    Parameters:
        x, out   : types before (at most 12 bits) and after
        lanes    : elements per beat
        channels : tables; beats take them in turn; 1 is one table for all
    """

    x: IntType
    out: IntType
    lanes: int
    channels: int = 1

    def __post_init__(self):
        if self.x.bipolar or self.x.bits > WIDEST:
            raise ValueError(f"x must be an integer type of at most 12 bits, not {self.x}")
        if self.lanes < 1:
            raise ValueError(f"lanes must be at least 1, not {self.lanes!r}")
        if self.channels < 1 or (self.channels > 1 and self.channels % self.lanes):
            raise ValueError(f"lanes must divide the {self.channels} channels, not {self.lanes!r}")

    @property
    def groups(self) -> int:
        """Tables of one lane."""
        return 1 if self.channels == 1 else self.channels // self.lanes

    @property
    def depth(self) -> int:
        """Words of the memory of one lane."""
        return self.groups << self.x.bits

    @property
    def latency(self) -> int:
        """Cycles from a beat to its result; block RAM is slow and gets a register behind it."""
        return 2 if rom_in_block(self.depth) else 1

    def compute(self, x: NDArray, table: NDArray) -> NDArray:
        """y (P, C) from x (P, C)."""
        return lookup(x, table, self.x)

    def create(self, table: NDArray) -> "Lut":
        """The hardware; table (channels, 2**x.bits), the value for the lowest x first."""
        return Lut(self, table)

    def timing(self) -> Timing:
        """Cycle model."""
        return pipelining(self.latency)


class Lut(Pipelined):
    """y = table[c, x - low], or table[0, x - low] where there is one table, ``lanes`` a beat.

    One beat per cycle, ``params.latency`` cycles later. One table is read by all lanes; of several,
    each lane holds those of its channels.

    Members:
        i : In(stream of ArrayLayout(x, lanes))
        o : Out(stream of ArrayLayout(out, lanes))
    """

    def __init__(self, params: LutParams, table: NDArray):
        shape = (params.channels, 1 << params.x.bits)
        if table.shape != shape:
            raise ValueError(f"table must be shaped {shape}, not {table.shape!r}")
        if not params.out.holds(table):
            raise ValueError(f"table must fit {params.out}, not {table.min()}..{table.max()}")
        # in the order of the bits of x, so that no subtraction is needed
        by_bits = np.roll(params.out.encode(table), params.x.low, axis=1)
        super().__init__(_Tables(params, by_bits), params.latency)


class _Tables(FixedRate):
    """The memories, ``params.latency`` cycles long."""

    def __init__(self, params: LutParams, table: NDArray):
        self._params, self._table = params, table
        super().__init__(layout_of(params.x, params.lanes), layout_of(params.out, params.lanes))

    def elaborate(self, platform):
        m = Module()
        params = self._params
        group = self._group(m)
        if params.channels == 1:
            banks = [self._bank(m, "table", self._table)] * params.lanes
        else:
            tables = self._table.reshape(params.groups, params.lanes, -1)
            banks = [self._bank(m, f"table{n}", tables[:, n]) for n in range(params.lanes)]
        for lane, bank in enumerate(banks):
            port = bank.read_port()
            m.d.comb += port.addr.eq(Cat(self.i[lane], group))
            m.d[("comb" if params.latency == 1 else "sync")] += self.o[lane].eq(port.data)
        return m

    def _group(self, m: Module) -> Value:
        """Which of a lane's tables a beat takes."""
        groups = self._params.groups
        group = Signal(range(groups))
        with m.If(self.valid):
            m.d.sync += group.eq(Mux(group == groups - 1, 0, group + 1))
        return group

    def _bank(self, m: Module, name: str, table: NDArray) -> memory.Memory:
        bits = self._params.out.bits
        words = pack(table.reshape(-1, 1), bits)
        m.submodules[name] = bank = memory.Memory(
            shape=unsigned(bits), depth=len(words), init=words, attrs=rom_style(len(words))
        )
        return bank
