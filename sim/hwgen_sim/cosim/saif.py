"""Where a run's toggles of every net are written, in the Switching Activity Interchange Format."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Saif"]


@dataclass(frozen=True, slots=True)
class Saif:
    """Two SAIF files of one run, sampled once a clock cycle after all nets have settled.

    Verilator counts as if every bit had been 0 before its first sample. ``start`` holds that sample
    alone, so its toggles are the bits that were 1; those of ``run``, less these, are the run's.

    Parameters:
        start : written in the last cycle before the first image may enter
        run   : from the same cycle to the end
        first : that cycle, counted from the end of reset
    """

    start: Path
    run: Path
    first: int = 0

    def __post_init__(self):
        if self.first < 0:
            raise ValueError(f"first must be 0 or more, not {self.first!r}")
