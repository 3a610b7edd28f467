"""Numbers and layouts of the host protocol, for the hardware and for the host that talks to it.

docs/host_protocol.md describes the protocol.
"""

import struct
from dataclasses import astuple, dataclass
from enum import IntEnum

__all__ = [
    "CRC_BYTES",
    "DONE",
    "ESCAPE",
    "FLAG",
    "FLIP",
    "HEADER_BYTES",
    "INPUT_BYTES",
    "OUTPUT_BYTES",
    "READ_LIMIT",
    "REFUSED",
    "VERSION",
    "Command",
    "Counts",
    "Identity",
    "Status",
]

VERSION = 1
FLAG, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
"""Begins and ends a frame; precedes a byte that is one of the two; what such a byte is XORed by."""

HEADER_BYTES, CRC_BYTES = 3, 4
DONE, REFUSED = 0x80, 0xC0
"""Added to the command in the first byte of an answer."""

INPUT_BYTES, OUTPUT_BYTES = 512, 512
"""Queues on the way to the design and back; each is one block RAM of an iCE40."""

READ_LIMIT = 127
"""Most bytes that one answer to READ carries."""


class Command(IntEnum):
    """First byte of a request."""

    IDENTIFY = 1
    RESET = 2
    LOAD = 3
    READ = 4
    COUNTERS = 5


class _Packed:
    """A dataclass of integers that travels as bytes, little endian, without gaps."""

    LAYOUT: struct.Struct

    def to_bytes(self) -> bytes:
        """As it travels."""
        return self.LAYOUT.pack(*astuple(self))  # pyright: ignore[reportArgumentType]

    @classmethod
    def from_bytes(cls, data: bytes):
        """Inverse of `to_bytes`; raises struct.error where the length is another."""
        return cls(*cls.LAYOUT.unpack(data))


@dataclass(frozen=True)
class Identity(_Packed):
    """Answer to IDENTIFY: what the board is.

    Parameters:
        version          : of the protocol
        build            : first 64 bits of the configuration hash
        i_bits, o_bits   : payload bits of a beat
        i_beats, o_beats : beats per image
    """

    LAYOUT = struct.Struct("<BQHHII")

    version: int
    build: int
    i_bits: int
    o_bits: int
    i_beats: int
    o_beats: int


@dataclass(frozen=True)
class Status(_Packed):
    """Answer to LOAD.

    Parameters:
        accepted : 1 where all bytes of the request were taken, 0 where none was
        waiting  : bytes of results that READ would give now
    """

    LAYOUT = struct.Struct("<BB")

    accepted: int
    waiting: int


@dataclass(frozen=True)
class Counts(_Packed):
    """Answer to COUNTERS, all from one instant.

    Parameters:
        cycles        : clock cycles since RESET
        input_stalls  : cycles in which a beat waited for the design
        output_stalls : cycles in which a result waited for the link
        images        : images whose last result has left the design
    """

    LAYOUT = struct.Struct("<QQQQ")

    cycles: int
    input_stalls: int
    output_stalls: int
    images: int
