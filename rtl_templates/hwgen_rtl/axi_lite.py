"""AXI4-Lite to one register access at a time."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen_rtl.axi_bus import WORD_BITS, AxiLite, Response

__all__ = ["AxiLiteSlave", "RegisterBus"]


class RegisterBus(wiring.Signature):
    """Registers as whoever reads and writes them sees them.

    Members:
        write         : Out(1), for one cycle
        write_address : Out(address_bits), of a byte
        data          : Out(32)
        strobes       : Out(4), which bytes of ``data`` are meant
        write_error   : In(1), in the cycle of ``write``: there is nothing to write
        read          : Out(1), stays 1 until ``done``
        read_address  : Out(address_bits), of a byte
        done          : In(1), ``value`` and ``read_error`` hold
        value         : In(32)
        read_error    : In(1), there is nothing to read
    """

    def __init__(self, address_bits: int):
        ports = {"write": Out(1), "write_address": Out(address_bits), "data": Out(WORD_BITS)}
        ports |= {"strobes": Out(WORD_BITS // 8), "write_error": In(1)}
        ports |= {"read": Out(1), "read_address": Out(address_bits), "done": In(1)}
        super().__init__(ports | {"value": In(WORD_BITS), "read_error": In(1)})


class AxiLiteSlave(wiring.Component):
    """Takes addresses and data in any order, one access of each direction at a time.

    A write acts once its address and its data are there, and not while an earlier response waits.
    No output depends on an input of the same cycle.

    Members:
        axi : In(AxiLite(address_bits))
        bus : Out(RegisterBus(address_bits))
    """

    axi: Any
    bus: Any

    def __init__(self, address_bits: int):
        self._address_bits = address_bits
        super().__init__({"axi": In(AxiLite(address_bits)), "bus": Out(RegisterBus(address_bits))})

    def elaborate(self, platform):
        m = Module()
        self._write(m)
        self._read(m)
        return m

    def _write(self, m: Module) -> None:
        axi, bus = self.axi, self.bus
        has_address, has_data = Signal(), Signal()
        m.d.comb += [
            axi.awready.eq(~has_address),
            axi.wready.eq(~has_data),
            bus.write.eq(has_address & has_data & ~axi.bvalid),
        ]
        with m.If(axi.awvalid & axi.awready):
            m.d.sync += [has_address.eq(1), bus.write_address.eq(axi.awaddr)]
        with m.If(axi.wvalid & axi.wready):
            m.d.sync += [has_data.eq(1), bus.data.eq(axi.wdata), bus.strobes.eq(axi.wstrb)]
        with m.If(bus.write):
            m.d.sync += [has_address.eq(0), has_data.eq(0), axi.bvalid.eq(1)]
            m.d.sync += axi.bresp.eq(_response(bus.write_error))
        with m.Elif(axi.bready):
            m.d.sync += axi.bvalid.eq(0)

    def _read(self, m: Module) -> None:
        axi, bus = self.axi, self.bus
        has_address = Signal()
        m.d.comb += [axi.arready.eq(~has_address), bus.read.eq(has_address & ~axi.rvalid)]
        with m.If(axi.arvalid & axi.arready):
            m.d.sync += [has_address.eq(1), bus.read_address.eq(axi.araddr)]
        with m.If(bus.read & bus.done):
            m.d.sync += [has_address.eq(0), axi.rvalid.eq(1), axi.rdata.eq(bus.value)]
            m.d.sync += axi.rresp.eq(_response(bus.read_error))
        with m.Elif(axi.rready):
            m.d.sync += axi.rvalid.eq(0)


def _response(error: Signal) -> Any:
    return Mux(error, Response.SLVERR, Response.OKAY)
