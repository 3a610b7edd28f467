"""Requests to a board, one at a time: repeated until answered, and never done twice."""

import secrets
import time
from typing import Any, Protocol

from hwgen.errors import HwgenError
from hwgen_boards.host_frames import FrameReader, frame
from hwgen_rtl.link_protocol import CRC_BYTES, DONE, HEADER_BYTES, READ_LIMIT, REFUSED, Command

__all__ = ["LinkFailed", "Port", "Session"]

_BITS_PER_BYTE = 10  # with start and stop bit
_LONGEST_ANSWER = 2 + 2 * (HEADER_BYTES + READ_LIMIT + CRC_BYTES)  # flags; all bytes escaped


class LinkFailed(HwgenError):
    """The board does not answer, or no longer knows the session."""

    exit_code = 1


class Port(Protocol):
    """What is needed of a serial port; pyserial's ``Serial`` has it."""

    timeout: Any

    def read(self, size: int = 1, /) -> bytes:
        """Up to ``size`` bytes; fewer where ``timeout`` seconds pass."""
        ...

    def write(self, data: bytes, /) -> Any:
        """Send all bytes."""
        ...


class Session:
    """Sends requests and waits for their answers.

    LOAD and READ are numbered, so that the board knows a request that it has already seen; RESET
    opens a session and draws a name and a first number for it, so that answers to earlier requests
    of others do not fit.

    Parameters:
        baudrate : bits per second, from which follows how long a transmission lasts
        patience : seconds beyond that until a request is repeated
        retries  : repetitions before LinkFailed
    """

    def __init__(self, port: Port, *, baudrate: int, patience: float, retries: int):
        self._port = port
        self._seconds_per_byte = _BITS_PER_BYTE / baudrate
        self._patience = patience
        self._retries = retries
        self._reader = FrameReader()
        self.repeated = 0
        """Requests that were sent again."""
        self._name, self._number, self._looks = secrets.token_bytes(3)

    def open(self) -> None:
        """Begin a session: the board forgets all images."""
        self._name = (self._name + 1 + secrets.randbelow(255)) % 256  # not the last one
        self._number = secrets.randbelow(256)
        self._ask(Command.RESET, self._number)

    def ask(self, command: Command, payload: bytes = b"") -> bytes:
        """Payload of the answer to the next numbered request of the session."""
        self._number = (self._number + 1) % 256
        return self._ask(command, self._number, payload)

    def look(self, command: Command) -> bytes:
        """Payload of the answer to a request that changes nothing and needs no session."""
        self._looks = (self._looks + 1) % 256
        return self._ask(command, self._looks)

    def _ask(self, command: Command, number: int, payload: bytes = b"") -> bytes:
        place = bytes([self._name, number])
        request = frame(bytes([command]) + place + payload)
        for attempt in range(1 + self._retries):
            self.repeated += attempt > 0
            self._send(request)
            answer = self._answer(command, place, len(request))
            if answer is None:
                continue
            if answer[0] == command | REFUSED:
                raise LinkFailed(
                    f"The board refused {command.name}: it was reset, or another program talked "
                    "to it; start again."
                )
            return answer[HEADER_BYTES:]
        raise LinkFailed(
            f"The board did not answer {command.name}, sent {1 + self._retries} times; check the "
            "port, the baud rate and the cable."
        )

    def _answer(self, command: Command, place: bytes, sent: int) -> bytes | None:
        """The answer to a request, None where it does not come in time."""
        line = (sent + _LONGEST_ANSWER) * self._seconds_per_byte
        deadline = time.monotonic() + self._patience + line
        wanted = [bytes([command | mark]) + place for mark in (DONE, REFUSED)]
        while (left := deadline - time.monotonic()) > 0:
            data = self._receive(left)
            for content in self._reader.feed(data):
                if content[:HEADER_BYTES] in wanted:
                    return content
        return None

    def _send(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except OSError as error:
            raise LinkFailed(f"The port cannot be written: {error}.") from error

    def _receive(self, seconds: float) -> bytes:
        try:
            self._port.timeout = seconds
            return self._port.read(max(1, getattr(self._port, "in_waiting", 1)))
        except OSError as error:
            raise LinkFailed(f"The port cannot be read: {error}.") from error
