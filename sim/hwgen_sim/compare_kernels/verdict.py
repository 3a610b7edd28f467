"""Which comparisons of a run favour multipliers, with its figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ADDER",
    "CONSTANT_ADDER",
    "CONSTANT_MULTIPLIER",
    "MULTIPLIER",
    "NO_DSP",
    "verdict",
]

MULTIPLIER = "multiplier"
NO_DSP = "multiplier without DSP"
CONSTANT_MULTIPLIER = "constant multiplier, unrolled"
ADDER = "adder"
CONSTANT_ADDER = "constant adder, unrolled"

SHARED_DIGITS = (
    "Constant multipliers can win where tools share digits between weights, which is not modelled:"
    " a 64x16 layer of 8 bits by da4ml, in Yosys for 7-series, took 15,831 LUTs and 4,359 CARRY4"
    " for products against 14,647 and 8,531 for distances, so about half the slices."
)
"""Measured, not predicted: da4ml 0.6.0, Yosys 0.23 synth_xilinx -nodsp; a slice has one CARRY4."""

Rows = Mapping[str, Mapping[str, Any]]

_UNITS = {"lut": "LUTs", "carry": "carry cells", "energy_nj": "nJ"}


@dataclass(frozen=True)
class _Match:
    """A multiplier against an adder in one figure, and under which condition."""

    multiplier: str
    adder: str
    figure: str
    condition: str


_MATCHES = (
    _Match(MULTIPLIER, ADDER, "lut", "LUTs where DSP blocks are free"),
    _Match(NO_DSP, ADDER, "lut", "LUTs where DSP blocks are not"),
    _Match(CONSTANT_MULTIPLIER, CONSTANT_ADDER, "lut", "LUTs with constant weights"),
    _Match(CONSTANT_MULTIPLIER, CONSTANT_ADDER, "carry", "carry with constant weights"),
    _Match(MULTIPLIER, ADDER, "energy_nj", "energy"),
    _Match(CONSTANT_MULTIPLIER, CONSTANT_ADDER, "energy_nj", "energy with constant weights"),
)


def verdict(rows: Rows) -> list[str]:
    """What favours multipliers, and what adders; ``rows`` by kernel, those with figures only."""
    told: dict[bool, list[str]] = {True: [], False: []}
    for match in _MATCHES:
        if match.multiplier not in rows or match.adder not in rows:
            continue
        ours, theirs = rows[match.multiplier][match.figure], rows[match.adder][match.figure]
        told[ours < theirs].append(_clause(match, rows, ours, theirs))
    if not any(told.values()):
        return ["No multiplier and adder could be compared."]
    unrolled = CONSTANT_MULTIPLIER in rows and CONSTANT_ADDER in rows
    return [
        f"In favour of multipliers: {'; '.join(told[True]) or 'nothing in this run'}.",
        f"In favour of adders, or equal: {'; '.join(told[False]) or 'nothing in this run'}.",
        *([SHARED_DIGITS] if unrolled else []),
    ]


def _clause(match: _Match, rows: Rows, ours: float, theirs: float) -> str:
    blocks = ""
    if match.multiplier == MULTIPLIER and match.figure == "lut":
        blocks = f", for {rows[MULTIPLIER]['dsp']:,} DSP blocks against {rows[ADDER]['dsp']:,}"
    unit = _UNITS[match.figure]
    return f"{match.condition} ({_number(ours)} {unit} against {_number(theirs)}{blocks})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
