"""Power tables of a Liberty file, in femtojoules."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.errors import InputError
from hwgen_sim.liberty.syntax import Group

__all__ = ["PowerTable", "Units", "read_table"]

SLEW, LOAD = "input_transition_time", "total_output_net_capacitance"
_SCALES = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}


@dataclass(frozen=True, kw_only=True)
class Units:
    """What 1 stands for in a Liberty file: ps, fF, fJ and nW.

    Energies of power tables are in capacitive_load_unit * voltage_unit**2.
    """

    time_ps: float
    load_ff: float
    energy_fj: float
    leakage_nw: float

    @classmethod
    def of(cls, library: Group) -> "Units":
        """Units of a library; raises InputError where one is missing."""
        try:
            load = "".join(library.values["capacitive_load_unit"])
            load_ff = _quantity(load, "f") / 1e-15
            volt = _quantity(library.get("voltage_unit", "1V"), "v")
            return cls(
                time_ps=_quantity(library.values["time_unit"][0], "s") / 1e-12,
                load_ff=load_ff,
                energy_fj=load_ff * volt**2,
                leakage_nw=_quantity(library.values["leakage_power_unit"][0], "w") / 1e-9,
            )
        except KeyError as missing:
            raise InputError(
                f"The Liberty library {', '.join(library.names)} has no {missing.args[0]}; add it."
            ) from None


def _quantity(text: str, unit: str) -> float:
    found = re.fullmatch(rf"([\d.eE+-]+?)\s*([munpf]?){unit}", text.strip().lower())
    if not found:
        raise InputError(
            f"The Liberty unit {text!r} must be a number and a unit, as in '1n{unit}'."
        )
    return float(found[1]) * _SCALES[found[2]]


@dataclass(frozen=True)
class PowerTable:
    """Energy per event, bilinear between its points: values[i, j] fJ at slews[i] ps, loads[j] fF.

    Beyond the outermost points the last two are continued, as timing tools do.
    """

    slews: tuple[float, ...]
    loads: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]

    def at(self, slew_ps: float, load_ff: float) -> float:
        """Energy of one event, fJ."""
        columns = [_line(self.loads, row, load_ff) for row in self.values]
        return _line(self.slews, columns, slew_ps)


def _line(points: Sequence[float], values: Sequence[float], x: float) -> float:
    """Piecewise linear through (points, values), at ``x``."""
    if len(points) == 1:
        return values[0]
    k = int(np.clip(np.searchsorted(points, x) - 1, 0, len(points) - 2))
    share = (x - points[k]) / (points[k + 1] - points[k])
    return values[k] + (values[k + 1] - values[k]) * share


def read_table(group: Group, templates: Mapping[str, Group], units: Units) -> PowerTable:
    """The table of a rise_power or fall_power group; raises InputError where it is not whole."""
    template = templates.get(group.names[0]) if group.names else None
    points: dict[str, tuple[float, ...]] = {}
    for axis in ("1", "2"):
        variable = template.get(f"variable_{axis}") if template else ""
        if not variable:
            continue
        given = group.values.get(f"index_{axis}") or (
            template and template.values.get(f"index_{axis}")
        )
        points[variable] = _numbers(given or ("",))
    shape = tuple(len(values) for values in points.values())
    values = np.array(_numbers(group.values.get("values", ("",))))
    if values.size != np.prod(shape, dtype=int) or not values.size or set(points) - {SLEW, LOAD}:
        raise InputError(
            f"The Liberty table {group.kind}({', '.join(group.names)}) must hold a value for every"
            f" {SLEW} and {LOAD} of its template, not {values.size} values."
        )
    values = values.reshape(shape) if tuple(points) != (LOAD, SLEW) else values.reshape(shape).T
    slews, loads = points.get(SLEW, (0.0,)), points.get(LOAD, (0.0,))
    return PowerTable(
        tuple(s * units.time_ps for s in slews),
        tuple(load * units.load_ff for load in loads),
        tuple(map(tuple, (values.reshape(len(slews), len(loads)) * units.energy_fj).tolist())),
    )


def _numbers(texts: Sequence[str]) -> tuple[float, ...]:
    words = " ".join(texts).replace(",", " ").split()
    try:
        return tuple(float(word) for word in words)
    except ValueError:
        raise InputError(f"A Liberty table must hold numbers, not {' '.join(words)!r}.") from None
