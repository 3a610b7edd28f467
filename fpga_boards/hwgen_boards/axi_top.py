"""The AXI core of a build: the generated module ``top`` behind an AXI link."""

from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hwgen_boards.board_top import DESIGN, design_instance
from hwgen_rtl.axi_link import AxiLink, link_ports
from hwgen_rtl.link_protocol import Identity

__all__ = ["CORE", "AxiCore"]

CORE = "hwgen_axi"
"""Name of the core's module."""

_BUSES = ("s_axis", "m_axis", "s_axi_lite")


class AxiCore(wiring.Component):
    """Ports named as the vendor's tools expect them; one clock, everything in step with it.

    Parameters:
        identity : of the build, of whose module ``top`` there is one instance

    Members:
        aclk, aresetn           : In(1); the reset is synchronous and active low
        s_axis_*, m_axis_*      : AXI4-Stream of images and of results
        s_axi_lite_*            : AXI4-Lite, `hwgen_rtl.axi_registers`
    """

    aclk: Signal
    aresetn: Signal

    def __init__(self, identity: Identity):
        self._identity = identity
        ports: dict[str, Any] = {"aclk": In(1), "aresetn": In(1)}
        for path, member in wiring.SignatureMembers(link_ports(identity)).flatten():
            if path[0] in _BUSES and member.is_port:
                ports[_name(path)] = member
        super().__init__(ports)

    def elaborate(self, platform: Any):
        m = Module()
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(~self.aresetn)]
        m.submodules.link = link = AxiLink(self._identity)
        for path, member, port in link.signature.flatten(link):
            if path[0] in _BUSES:
                own = getattr(self, _name(path))
                m.d.comb += port.eq(own) if member.flow is In else own.eq(port)
        m.submodules[DESIGN] = design_instance(link)
        return m


def _name(path: tuple[str | int, ...]) -> str:
    return "_".join(map(str, path))
