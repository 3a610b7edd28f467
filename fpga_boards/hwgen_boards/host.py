"""Runs a network on a board: integers of images in, integers of the output back."""

import os
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hwgen.emit.beats import pack_beats, payload_words, unpack_beats
from hwgen.emit.identity import identity_of
from hwgen.emit.manifest import Manifest, Stream
from hwgen.errors import InputError, ToolMissing
from hwgen_boards.host_session import LinkFailed, Port, Session
from hwgen_rtl.link_protocol import (
    VERSION,
    Command,
    Counts,
    Identity,
    Status,
)

__all__ = ["Host"]

_LOAD_BYTES = 128
"""Bytes of a LOAD: more cost less overhead, fewer survive more noise."""

_WAITING_BYTES = 64
"""Bytes of results that are worth a READ while there is input to load."""


class Host:
    """A board with the network that ``manifest`` describes, at a serial port.

    Every answer is checked; one that is damaged or missing is asked for again. What `run` returns
    is therefore what the board computed from these images, or an exception says why not.

    Parameters:
        port     : name of a serial port, or anything with ``read``, ``write`` and ``timeout``
        baudrate : bits per second
        patience : seconds without an answer after which a request is repeated
        retries  : repetitions of one request before LinkFailed
        idle     : seconds without any result while all is loaded that can be, before LinkFailed
    """

    def __init__(
        self,
        port: str | Port,
        baudrate: int = 115_200,
        *,
        manifest: Manifest,
        patience: float = 0.3,
        retries: int = 10,
        idle: float = 10.0,
    ):
        self._port = _open(port, baudrate) if isinstance(port, str) else port
        self._owned = isinstance(port, str)
        self._manifest = manifest
        self._idle = idle
        self._session = Session(self._port, baudrate=baudrate, patience=patience, retries=retries)

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the port back, where `Host` opened it."""
        if self._owned:
            self._port.close()  # pyright: ignore[reportAttributeAccessIssue]

    def identify(self) -> Identity:
        """What the board says it is; InputError where that is not what the manifest describes."""
        data = self._session.look(Command.IDENTIFY)
        found = data[0] if data else None
        if found != VERSION:
            raise InputError(
                f"The board speaks version {found} of the host protocol and this is version "
                f"{VERSION}; program the board again."
            )
        identity, expected = Identity.from_bytes(data), identity_of(self._manifest)
        if identity != expected:
            raise InputError(
                f"The board holds build {identity.build:016x} and the manifest of "
                f"{self._manifest.name} describes {expected.build:016x}; program the board again."
            )
        return identity

    @property
    def repeated(self) -> int:
        """Requests that were sent again, because no answer came."""
        return self._session.repeated

    def counters(self) -> Counts:
        """What the board has counted since the last `run` began."""
        return Counts.from_bytes(self._session.look(Command.COUNTERS))

    def run(self, images: NDArray) -> NDArray[np.int64]:
        """Output integers (N, *shape) for input integers (N, *shape); resets the design first."""
        _check(images, self._manifest.input)
        self.identify()
        self._session.open()
        data = _to_bytes(images, self._manifest.input)
        stream = self._manifest.output
        results = bytearray()
        expected = len(images) * stream.beats * _beat_bytes(stream)
        for part in self._results(data):
            results += part
            if len(results) >= expected:
                break
        if len(results) > expected:
            raise LinkFailed(f"The board gave more than the results of {len(images)} image(s).")
        return _from_bytes(bytes(results), stream)

    def _results(self, data: bytes) -> Iterator[bytes]:
        """Load ``data`` as the board takes it, and give its results as they come, without end."""
        sent, moved = 0, time.monotonic()
        while True:
            loaded, waiting = self._load(data[sent : sent + _LOAD_BYTES])
            part = b""
            if waiting >= _WAITING_BYTES or not loaded:
                part = self._session.ask(Command.READ)
                yield part
            sent += loaded
            if loaded or part:
                moved = time.monotonic()
            elif time.monotonic() - moved > self._idle:
                raise LinkFailed(
                    f"The board neither takes input nor gives results for {self._idle} s, after "
                    f"{sent} of {len(data)} bytes; program it again."
                )

    def _load(self, part: bytes) -> tuple[int, int]:
        """Bytes that the board took, all or none, and bytes of results that wait there."""
        if not part:
            return 0, 0
        status = Status.from_bytes(self._session.ask(Command.LOAD, part))
        return (len(part) if status.accepted else 0), status.waiting


def _open(name: str, baudrate: int) -> Port:
    try:
        import serial
    except ImportError as error:
        raise ToolMissing(
            "pyserial is not installed; run 'pip install \"hwgen[board]\"'."
        ) from error
    try:
        port = serial.Serial(name, baudrate)
        port.reset_input_buffer()
    except serial.SerialException as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise InputError(
            f"The port {name} cannot be opened: {reason}; check its name and your rights to it."
        ) from error
    return port


def _check(images: NDArray, stream: Stream) -> None:
    if images.shape[1:] != stream.shape or len(images) == 0:
        raise InputError(f"images must be (N, *{stream.shape}) with N >= 1, not {images.shape}.")
    if not np.issubdtype(images.dtype, np.integer) or not stream.type.holds(images):
        raise InputError(f"images must hold integers of {stream.type}; these do not fit.")


def _beat_bytes(stream: Stream) -> int:
    return -(-stream.width // 8)


def _to_bytes(images: NDArray, stream: Stream) -> bytes:
    words = pack_beats(images, stream).astype("<u8").view(np.uint8)
    return words[:, : _beat_bytes(stream)].tobytes()


def _from_bytes(data: bytes, stream: Stream) -> NDArray[np.int64]:
    beats = np.frombuffer(data, np.uint8).reshape(-1, _beat_bytes(stream))
    words = np.zeros((len(beats), 8 * payload_words(stream)), np.uint8)
    words[:, : beats.shape[1]] = beats
    return unpack_beats(words.view("<u8").astype(np.uint64), stream)
