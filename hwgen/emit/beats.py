"""Integers of a tensor to beats of a stream and back, as ``Stream`` describes them."""

import numpy as np
from numpy.typing import NDArray

from hwgen.emit.manifest import Stream
from hwgen_rtl.numerics import IntType

__all__ = ["beat_of", "pack_beats", "payload_words", "unpack_beats"]

Words = NDArray[np.uint64]
_WORD = 64


def payload_words(stream: Stream) -> int:
    """64-bit words that hold one payload."""
    return -(-stream.width // _WORD)


def pack_beats(values: NDArray, stream: Stream) -> Words:
    """Turn (N, *shape) integers into (N * beats, words) payloads, least significant word first."""
    encoded = stream.type.encode(np.asarray(values, dtype=np.int64))
    lanes = _to_lanes(encoded, stream).view(np.uint64)
    words = np.zeros((len(lanes), payload_words(stream)), dtype=np.uint64)
    mask = _mask(stream.type)
    for lane in range(stream.lanes):
        word, shift = divmod(lane * stream.type.bits, _WORD)
        value = lanes[:, lane] & mask
        words[:, word] |= value << np.uint64(shift)
        if shift + stream.type.bits > _WORD:
            words[:, word + 1] |= value >> np.uint64(_WORD - shift)
    return words


def unpack_beats(words: Words, stream: Stream) -> NDArray[np.int64]:
    """Turn (N * beats, words) payloads into (N, *shape) integers."""
    lanes = np.empty((len(words), stream.lanes), dtype=np.uint64)
    for lane in range(stream.lanes):
        word, shift = divmod(lane * stream.type.bits, _WORD)
        lanes[:, lane] = words[:, word] >> np.uint64(shift)
        if shift + stream.type.bits > _WORD:
            lanes[:, lane] |= words[:, word + 1] << np.uint64(_WORD - shift)
    values = _signed(lanes & _mask(stream.type), stream.type)
    return _from_lanes(stream.type.decode(values), stream)


def beat_of(index: tuple[int, ...], stream: Stream) -> int:
    """Give the number of the beat, within its image, that carries element ``index``."""
    if len(stream.shape) == 1:
        return index[0] // stream.lanes
    channel, row, column = index
    channels, _, columns = stream.shape
    return (row * columns + column) * (channels // stream.lanes) + channel // stream.lanes


def _mask(kind: IntType) -> np.uint64:
    return np.uint64((1 << kind.bits) - 1)


def _signed(raw: Words, kind: IntType) -> NDArray[np.int64]:
    if not kind.signed or kind.bipolar:
        return raw.view(np.int64)
    sign = np.uint64(1 << (kind.bits - 1))
    return ((raw ^ sign) - sign).view(np.int64)  # wraps modulo 2**64, which is the sign extension


def _to_lanes(values: NDArray[np.int64], stream: Stream) -> NDArray[np.int64]:
    if len(stream.shape) == 3:
        values = values.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(values).reshape(-1, stream.lanes)


def _from_lanes(lanes: NDArray[np.int64], stream: Stream) -> NDArray[np.int64]:
    if len(stream.shape) == 1:
        return lanes.reshape(-1, *stream.shape)
    channels, rows, columns = stream.shape
    pixels = lanes.reshape(-1, rows, columns, channels)
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
