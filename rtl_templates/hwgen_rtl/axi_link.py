"""What surrounds a design on an AXI bus: images and results as streams, the rest as registers."""

from typing import Any

from amaranth.hdl import Cat, Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen_rtl.axi_bus import AxiLite, AxiStream, stream_bits
from hwgen_rtl.axi_counters import COUNTED
from hwgen_rtl.axi_lite import AxiLiteSlave
from hwgen_rtl.axi_register_file import RegisterFile
from hwgen_rtl.axi_registers import ADDRESS_BITS
from hwgen_rtl.axi_stream import AxiStreamInput, AxiStreamOutput
from hwgen_rtl.link_counters import Counters, counted_events
from hwgen_rtl.link_protocol import Identity

__all__ = ["AxiLink", "link_ports"]


def link_ports(identity: Identity) -> dict[str, wiring.Member]:
    """The members of an `AxiLink`."""
    return {
        "s_axis": In(AxiStream(stream_bits(identity.i_bits))),
        "m_axis": Out(AxiStream(stream_bits(identity.o_bits))),
        "s_axi_lite": In(AxiLite(ADDRESS_BITS)),
        "to_design": Out(stream.Signature(identity.i_bits)),
        "from_design": In(stream.Signature(identity.o_bits)),
        "reset": Out(1),
    }


class AxiLink(wiring.Component):
    """Images from an AXI4-Stream to a design, its results to another, registers on AXI4-Lite.

    A reset from the registers lasts until the result that ``m_axis`` offers is taken, so that none
    of the images before it is delivered after it.

    Parameters:
        identity : what the registers say of the design

    Members:
        s_axis      : In(AxiStream), images
        m_axis      : Out(AxiStream), results
        s_axi_lite  : In(AxiLite), `hwgen_rtl.axi_registers`
        to_design   : Out(stream of i_bits)
        from_design : In(stream of o_bits)
        reset       : Out(1), resets the design
    """

    s_axis: Any
    m_axis: Any
    s_axi_lite: Any
    to_design: stream.Interface
    from_design: stream.Interface
    reset: Signal

    def __init__(self, identity: Identity):
        self._identity = identity
        super().__init__(link_ports(identity))

    def elaborate(self, platform):
        m = Module()
        sizes = self._identity
        m.submodules.lite = lite = AxiLiteSlave(ADDRESS_BITS)
        m.submodules.registers = registers = RegisterFile(sizes)
        m.submodules.images = images = AxiStreamInput(bits=sizes.i_bits, beats=sizes.i_beats)
        m.submodules.results = results = AxiStreamOutput(bits=sizes.o_bits, beats=sizes.o_beats)
        counters = Counters(COUNTED)
        m.submodules.counters = ResetInserter(self.reset)(counters)
        wiring.connect(m, wiring.flipped(self.s_axi_lite), lite.axi)
        wiring.connect(m, lite.bus, registers.bus)
        wiring.connect(m, registers.counters, counters.control)
        wiring.connect(m, wiring.flipped(self.s_axis), images.axis)
        wiring.connect(m, images.o, wiring.flipped(self.to_design))
        wiring.connect(m, wiring.flipped(self.from_design), results.i)
        wiring.connect(m, results.axis, wiring.flipped(self.m_axis))
        events = counted_events(self.to_design, self.from_design, results.last)
        m.d.comb += [
            images.reset.eq(self.reset),
            results.reset.eq(self.reset),
            registers.resetting.eq(self.reset),
            registers.misplaced.eq(images.misplaced),
            counters.events.eq(Cat(events, images.last)),
        ]
        with m.If(registers.reset):
            m.d.sync += self.reset.eq(1)
        with m.Elif(~self.m_axis.tvalid):
            m.d.sync += self.reset.eq(0)
        return m
