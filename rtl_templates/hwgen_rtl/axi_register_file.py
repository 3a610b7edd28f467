"""Reads and writes of the registers in `hwgen_rtl.axi_registers`."""

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen_rtl.axi_bus import WORD_BITS
from hwgen_rtl.axi_counters import COUNTED, CounterWords
from hwgen_rtl.axi_lite import RegisterBus
from hwgen_rtl.axi_registers import (
    ADDRESS_BITS,
    CONSTANTS,
    CONTROL,
    COUNTERS_AT,
    REGISTERS,
    RESET_BIT,
    SCRATCH,
    SNAPSHOT_BIT,
    STATUS,
    constants_of,
)
from hwgen_rtl.link_counters import CountersControl
from hwgen_rtl.link_protocol import Identity

__all__ = ["RegisterFile"]

_BYTES = WORD_BITS // 8


class RegisterFile(wiring.Component):
    """The registers behind an AXI4-Lite slave.

    Members:
        bus       : In(RegisterBus)
        resetting : In(1), what ``reset`` began is not done
        misplaced : In(1), a TLAST came inside an image
        reset     : Out(1), for one cycle
        counters  : Out(CountersControl)
    """

    bus: Any
    resetting: Signal
    misplaced: Signal
    reset: Signal
    counters: Any

    def __init__(self, identity: Identity):
        self._identity = identity
        ports = {"bus": In(RegisterBus(ADDRESS_BITS)), "resetting": In(1), "misplaced": In(1)}
        ports |= {"reset": Out(1), "counters": Out(CountersControl(8 * COUNTED))}
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        flagged, scratch = Signal(), Signal(WORD_BITS)
        m.submodules.words = words = CounterWords()
        m.d.comb += [self.counters.address.eq(words.place), words.byte.eq(self.counters.byte)]
        with m.If(self.counters.done):
            m.d.sync += self.counters.wanted.eq(0)
        self._write(m, flagged, scratch)
        with m.If(self.misplaced):
            m.d.sync += flagged.eq(1)
        with m.If(self.resetting):
            m.d.sync += flagged.eq(0)
        shown = constants_of(self._identity)
        values = {register.offset: shown[register.name] for register in CONSTANTS}
        values |= {
            CONTROL.offset: self.resetting << RESET_BIT | self.counters.wanted << SNAPSHOT_BIT,
            STATUS.offset: flagged,
            SCRATCH.offset: scratch,
        }
        self._read(m, values, words)
        return m

    def _write(self, m: Module, flagged: Signal, scratch: Signal) -> None:
        bus = self.bus
        low = bus.strobes[0]
        m.d.comb += bus.write_error.eq(1)
        with m.Switch(bus.write_address[2:]):
            for register in REGISTERS:
                if register.writable:
                    with m.Case(register.offset >> 2):
                        m.d.comb += bus.write_error.eq(0)
        with m.If(bus.write), m.Switch(bus.write_address[2:]):
            with m.Case(CONTROL.offset >> 2):
                m.d.comb += self.reset.eq(low & bus.data[RESET_BIT])
                with m.If(low & bus.data[SNAPSHOT_BIT]):
                    m.d.sync += self.counters.wanted.eq(1)
            with m.Case(STATUS.offset >> 2), m.If(low & bus.data[0]):
                m.d.sync += flagged.eq(0)
            with m.Case(SCRATCH.offset >> 2):
                for byte in range(_BYTES):
                    with m.If(bus.strobes[byte]):
                        m.d.sync += scratch.word_select(byte, 8).eq(bus.data.word_select(byte, 8))

    def _read(self, m: Module, values: Mapping[int, Value | int], words: CounterWords) -> None:
        bus = self.bus
        m.d.comb += [bus.done.eq(bus.read), words.address.eq(bus.read_address - COUNTERS_AT)]
        with m.Switch(bus.read_address[2:]):
            for register in REGISTERS:
                with m.Case(register.offset >> 2):
                    if register.offset in values:
                        m.d.comb += bus.value.eq(values[register.offset])
                        continue
                    m.d.comb += [
                        # no copy is made during a reset, which may last: a bus must not hang
                        words.read.eq(bus.read & (~self.counters.wanted | self.resetting)),
                        bus.done.eq(words.done),
                        bus.value.eq(words.word),
                    ]
            with m.Default():
                m.d.comb += bus.read_error.eq(1)
