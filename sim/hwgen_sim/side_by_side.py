"""Two estimates in one table."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

__all__ = ["side_by_side"]

_FIGURES = ("operations", "off_chip_bits", "cycles", "lut", "ff", "carry", "bram", "dsp")


def side_by_side(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Energies by component, then totals; ``ratio`` is second / first, None for nothing."""
    ours, theirs = first["total"], second["total"]
    parts = [Counter(total["energy_pj"]) for total in (ours, theirs)]
    components = [
        _nanojoules(name, *(part[name] for part in parts)) for name in parts[0] | parts[1]
    ]
    components.append(_nanojoules("total", *(sum(part.values()) for part in parts)))
    both = [name for name in _FIGURES if name in ours and name in theirs]
    actions = [Counter(total.get("actions", {})) for total in (ours, theirs)]
    totals = [_row(name, ours[name], theirs[name]) for name in both]
    totals += [_row(kind, *(found[kind] for found in actions)) for kind in actions[0] | actions[1]]
    missing = (f"{d['network']}: {line}" for d in (first, second) for line in d["not_modelled"])
    shared = [line for line in first["not_modelled"] if line in second["not_modelled"]]
    alone = [line for line in missing if line.partition(": ")[2] not in shared]
    return {
        "first": dict(first),
        "second": dict(second),
        "components": components,
        "totals": totals,
        "not_modelled": shared + alone,
    }


def _nanojoules(name: str, first: float, second: float) -> dict[str, Any]:
    row = _row(name, first / 1000, second / 1000)
    return {
        "component": name,
        "first_nj": row["first"],
        "second_nj": row["second"],
        "ratio": row["ratio"],
    }


def _row(what: str, first: float, second: float) -> dict[str, Any]:
    return {
        "what": what,
        "first": first,
        "second": second,
        "ratio": second / first if first else None,
    }
