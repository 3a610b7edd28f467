"""The critical path of a routed design, and which instance each of its steps belongs to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["PathStep", "delay_by_block", "delay_by_instance", "read_critical_path"]


@dataclass(frozen=True, kw_only=True)
class PathStep:
    """One delay on a path.

    Parameters:
        kind     : ``clk-to-q``, ``logic``, ``routing`` or ``setup``
        cell     : cell at the end of the step
        instance : instance below the top module that holds the cell, "" for the top itself
        net      : net that a ``routing`` step runs along, else ""
        delay_ns : nanoseconds
    """

    kind: str
    cell: str
    instance: str
    net: str
    delay_ns: float


def read_critical_path(report: Mapping[str, Any]) -> tuple[PathStep, ...]:
    """Longest register-to-register path in nextpnr's JSON report; empty where there is none."""
    paths = [path["path"] for path in report["critical_paths"] if _is_internal(path)]
    longest = max(paths, key=_length, default=[])
    return tuple(_step(step) for step in longest)


def delay_by_block(path: Iterable[PathStep], inside: str) -> dict[str, float]:
    """Nanoseconds that each block contributes, largest first.

    Blocks are the instances below ``inside``, and beside it those of the top module.
    """
    return delay_by_instance(replace(step, instance=_block(step.cell, inside)) for step in path)


def delay_by_instance(path: Iterable[PathStep]) -> dict[str, float]:
    """Nanoseconds that each instance contributes, largest first."""
    delays: dict[str, float] = {}
    for step in path:
        delays[step.instance] = delays.get(step.instance, 0.0) + step.delay_ns
    return dict(sorted(delays.items(), key=lambda item: -item[1]))


def _instance(cell: str) -> str:
    # nextpnr flattens the hierarchy and joins the names with dots
    return cell.split(".", 1)[0] if "." in cell else ""


def _block(cell: str, inside: str) -> str:
    return _instance(cell.removeprefix(f"{inside}.")) or _instance(cell)


def _is_internal(path: Mapping[str, Any]) -> bool:
    # pins are placed at random, so paths to and from them say nothing
    return "<async>" not in (path["from"], path["to"])


def _length(steps: Iterable[Mapping[str, Any]]) -> float:
    return sum(step["delay"] for step in steps)


def _step(step: Mapping[str, Any]) -> PathStep:
    cell = step["to"]["cell"]
    return PathStep(
        kind=step["type"],
        cell=cell,
        instance=_instance(cell),
        net=step.get("net", ""),
        delay_ns=step["delay"],
    )
