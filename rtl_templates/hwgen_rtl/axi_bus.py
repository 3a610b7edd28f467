"""Ports of AXI4-Stream and AXI4-Lite, named as AMBA does (Arm IHI 0051 and IHI 0022)."""

from enum import IntEnum

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

__all__ = ["WORD_BITS", "AxiLite", "AxiStream", "Response", "stream_bits"]

WORD_BITS = 32
"""Data of an AXI4-Lite transfer."""


class Response(IntEnum):
    """Of BRESP and RRESP."""

    OKAY = 0
    SLVERR = 2


def stream_bits(bits: int) -> int:
    """TDATA bits for a beat of ``bits``: the next power of two of whole bytes.

    The vendor's DMA engines have these widths only.
    """
    return 8 << ceil_log2(-(-bits // 8))


class AxiStream(wiring.Signature):
    """A stream as its transmitter sees it; all bytes of TDATA count, TLAST ends a packet.

    Members: tdata : Out(bits); tvalid, tlast : Out(1); tready : In(1)
    """

    def __init__(self, bits: int):
        super().__init__({"tdata": Out(bits), "tvalid": Out(1), "tready": In(1), "tlast": Out(1)})


class AxiLite(wiring.Signature):
    """Registers as their manager sees them: addresses of bytes, words of 32 bits.

    Members:
        aw*, w*, b* : write address, write data, write response
        ar*, r*     : read address, read data
    """

    def __init__(self, address_bits: int):
        address, word = Out(address_bits), WORD_BITS
        ports = {"awaddr": address, "awprot": Out(3), "awvalid": Out(1), "awready": In(1)}
        ports |= {"wdata": Out(word), "wstrb": Out(word // 8), "wvalid": Out(1), "wready": In(1)}
        ports |= {"bresp": In(2), "bvalid": In(1), "bready": Out(1)}
        ports |= {"araddr": address, "arprot": Out(3), "arvalid": Out(1), "arready": In(1)}
        super().__init__(
            ports | {"rdata": In(word), "rresp": In(2), "rvalid": In(1), "rready": Out(1)}
        )
