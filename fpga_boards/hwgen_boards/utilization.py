"""How full nextpnr says the device is, from its report or, after a failure, from its log."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Utilization", "overfull_in_log", "read_utilization"]


@dataclass(frozen=True, kw_only=True)
class Utilization:
    """Sites of one cell type."""

    used: int
    available: int


def read_utilization(report: Mapping[str, Any]) -> dict[str, Utilization]:
    """Cell types that the design uses, from nextpnr's JSON report."""
    return {
        cell: Utilization(used=row["used"], available=row["available"])
        for cell, row in report["utilization"].items()
        if row["used"]
    }


_ROW = re.compile(r"^Info:\s+(\w+):\s*(\d+)/\s*(\d+)\s+\d+%", re.MULTILINE)


def overfull_in_log(log: str) -> dict[str, Utilization]:
    """Cell types of which a log's table "Device utilisation" shows more used than available."""
    rows = {
        cell: Utilization(used=int(used), available=int(available))
        for cell, used, available in _ROW.findall(log)
    }
    return {cell: row for cell, row in rows.items() if row.used > row.available}
