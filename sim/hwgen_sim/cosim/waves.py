"""Which part of a run is written as a waveform."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Waves"]


@dataclass(frozen=True, slots=True)
class Waves:
    """A VCD file with the cycles from ``first`` to ``last``, both included."""

    path: Path
    first: int = 0
    last: int = 10_000

    def __post_init__(self):
        if not 0 <= self.first <= self.last:
            raise ValueError(f"first must be from 0 to last, not {self.first!r} > {self.last!r}")
