"""A bad line: bytes that get lost, change, appear or come late, the same ones for the same seed."""

import random
from dataclasses import dataclass

__all__ = ["Faults", "Line"]


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What happens to bytes, in each direction; all but ``late`` are probabilities per byte.

    Parameters:
        drop    : it is lost
        corrupt : one of its bits changes
        insert  : a byte nobody sent follows it
        delay   : it and all behind it wait for ``late`` seconds
    """

    drop: float = 0
    corrupt: float = 0
    insert: float = 0
    delay: float = 0
    late: float = 0.1
    seed: int = 0


class Line:
    """One direction of a line; bytes stay in order."""

    def __init__(self, faults: Faults, direction: str):
        self._faults = faults
        self._random = random.Random(f"{faults.seed} {direction}")
        self._held = bytearray()
        self._until = 0.0
        self.happened = 0

    def push(self, data: bytes, now: float) -> None:
        """Bytes enter, at ``now`` seconds."""
        for byte in data:
            self._push(byte, now)

    def pull(self, now: float) -> bytes:
        """Bytes that have arrived."""
        if now < self._until:
            return b""
        data = bytes(self._held)
        self._held.clear()
        return data

    def _push(self, byte: int, now: float) -> None:
        if self._happens(self._faults.delay):
            self._until = now + self._faults.late
        if self._happens(self._faults.corrupt):
            byte ^= 1 << self._random.randrange(8)
        if not self._happens(self._faults.drop):
            self._held.append(byte)
        if self._happens(self._faults.insert):
            self._held.append(self._random.randrange(256))

    def _happens(self, share: float) -> bool:
        happens = share > 0 and self._random.random() < share
        self.happened += happens
        return happens
