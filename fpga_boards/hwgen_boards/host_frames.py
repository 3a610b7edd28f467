"""Frames on a line of bytes: content between flags, with a CRC, as docs/host_protocol.md says."""

import zlib

from hwgen_rtl.link_protocol import CRC_BYTES, ESCAPE, FLAG, FLIP

__all__ = ["FrameReader", "frame"]

_LONGEST = 4096  # bytes between two flags that are kept


def frame(content: bytes) -> bytes:
    """The bytes that carry ``content``; the first flag ends whatever the line held before."""
    whole = content + zlib.crc32(content).to_bytes(CRC_BYTES, "little")
    flag = bytes([FLAG])
    return flag + b"".join(map(_escaped, whole)) + flag


class FrameReader:
    """Finds the frames in bytes that arrive in pieces; what has no right CRC is skipped."""

    def __init__(self):
        self._part = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Contents of the frames that end in ``data``."""
        *ends, rest = data.split(bytes([FLAG]))
        contents = []
        for end in ends:
            contents.append(_content(bytes(self._part + end)))
            self._part.clear()
        self._part += rest
        del self._part[:-_LONGEST]  # noise without end; what is cut has a wrong CRC
        return [content for content in contents if content is not None]


def _escaped(byte: int) -> bytes:
    return bytes([ESCAPE, byte ^ FLIP] if byte in (FLAG, ESCAPE) else [byte])


def _content(raw: bytes) -> bytes | None:
    """Content between two flags, None where it is damaged."""
    whole, escaped = bytearray(), False
    for byte in raw:
        if byte != ESCAPE:
            whole.append(byte ^ FLIP if escaped else byte)
        escaped = byte == ESCAPE
    content, crc = bytes(whole[:-CRC_BYTES]), bytes(whole[-CRC_BYTES:])
    right = zlib.crc32(content).to_bytes(CRC_BYTES, "little") == crc
    return content if content and right and not escaped else None
