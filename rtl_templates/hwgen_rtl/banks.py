"""What fixed-rate datapaths share: flags that travel with the beats, memories of constants."""

from typing import NamedTuple

from amaranth.hdl import Module, Signal, Value
from numpy.typing import NDArray

from hwgen_rtl.datapath import Datapath
from hwgen_rtl.rom import CyclicRom, pack
from hwgen_rtl.storage import rom_in_block

__all__ = ["Flags", "delayed_flags", "fetch_cycles", "fetched"]


class Flags(NamedTuple):
    """What is known about a beat; ``done`` is ``valid`` and ``last``."""

    done: Value
    valid: Value
    first: Value
    last: Value


def delayed_flags(m: Module, datapath: Datapath, stages: int) -> list[Flags]:
    """The flags of the taps, delayed by 0 to ``stages`` cycles."""
    first = datapath.valid & datapath.last, datapath.valid, datapath.first, datapath.last
    flags = [Flags(*first)]
    for n in range(1, stages + 1):
        delayed = Flags(*(Signal(name=f"{name}{n}") for name in Flags._fields))
        m.d.sync += [now.eq(before) for now, before in zip(delayed, flags[-1], strict=True)]
        flags.append(delayed)
    return flags


def fetch_cycles(depth: int) -> int:
    """Cycles to read one of ``depth`` constants; block RAM is slow and gets a register behind."""
    return 2 if rom_in_block(depth) else 1


def fetched(m: Module, name: str, rows: NDArray, bits: int, step: Value) -> Value:
    """The next row of integers of ``bits`` bits, ``fetch_cycles(len(rows))`` after ``step``."""
    width = rows[0].size * bits
    m.submodules[name] = bank = CyclicRom(width, pack(rows, bits))
    m.d.comb += bank.step.eq(step)
    if fetch_cycles(len(rows)) == 1:
        return bank.data
    word = Signal(width, name=f"held_{name}")
    m.d.sync += word.eq(bank.data)
    return word
