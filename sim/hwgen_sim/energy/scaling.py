"""A profile at another process node, by a named rule alone."""

import re
from typing import Self

from hwgen.errors import InputError
from hwgen_sim.energy.profile import Price, Profile

__all__ = ["RULES", "ScaledProfile", "scaled"]

# nanometres -> a, b, c of the energy a*V^2 + b*V + c, in the table's arbitrary unit
STILLMAKER_BAAS = {
    130: (7.171, -6.709, 2.904),
    90: (4.762, -4.781, 2.092),
    65: (3.755, -4.398, 1.975),
    45: (1.103, -0.362, 0.2767),
    32: (0.9559, -0.7823, 0.471),
    20: (0.373, -0.1582, 0.04104),
    16: (0.2958, -0.1241, 0.03024),
    14: (0.2363, -0.09675, 0.02239),
    10: (0.2068, -0.09311, 0.02375),
    7: (0.1776, -0.09097, 0.02447),
}
"""Stillmaker and Baas, Integration 58 (2017) 74-81, doi:10.1016/j.vlsi.2017.02.002."""

RULES = {"stillmaker-baas": STILLMAKER_BAAS}
_FORM = re.compile(r"(?P<rule>[\w-]+):(?P<start>\d+)->(?P<end>\d+)(@(?P<voltage>\d+(\.\d+)?))?")
_UNSCALED = ("dram", "dram_read", "dram_write")
"""External memory is another chip."""


class ScaledProfile(Profile):
    """A published table moved to another node; every price says so."""

    rule: str

    @property
    def title(self) -> str:
        """Name for reports."""
        return f"{self.name}, scaled {self.rule}"

    def operation_pj(self, kind: str, bits: int, other_bits: int | None = None) -> Price:
        """As the table's, times the rule's factor."""
        return self._labelled(kind, super().operation_pj(kind, bits, other_bits))

    def memory_pj(self, kind: str, bits: int, capacity_bits: int) -> Price:
        """As the table's, times the rule's factor."""
        return self._labelled(kind, super().memory_pj(kind, bits, capacity_bits))

    def _labelled(self, kind: str, price: Price) -> Price:
        told = f"scaled {self.rule}"
        if kind in _UNSCALED or price.rule.endswith(told):
            return price
        return Price(energy=price.energy, rule=f"{price.rule}, {told}")

    @classmethod
    def of(cls, profile: Profile, rule: str, factor: float, end: int, voltage: float) -> Self:
        """All rows but those of external memory times ``factor``."""
        place = {"node_nm": end, "voltage": voltage}
        rows = tuple(
            (row if row.kind in _UNSCALED else row.times(factor)).model_copy(update=place)
            for row in profile.rows
        )
        kept = {name: getattr(profile, name) for name in Profile.model_fields if name != "rows"}
        return cls.model_validate(kept | place | {"row": rows, "rule": rule})


def scaled(profile: Profile, rule: str) -> ScaledProfile:
    """``profile`` by a rule such as ``stillmaker-baas:45->7`` or ``stillmaker-baas:45->7@0.7``.

    E' = E * (a'V'^2 + b'V' + c') / (aV^2 + bV + c) with the coefficients of both nodes; the supply
    stays that of the profile unless the rule ends in another one.
    """
    found = _FORM.fullmatch(rule)
    if not found or found["rule"] not in RULES:
        raise InputError(
            f"A scaling rule is {' or '.join(RULES)}:FROM->TO[@VOLT], for example"
            f" stillmaker-baas:45->7@0.7, not {rule!r}."
        )
    table, start, end = RULES[found["rule"]], int(found["start"]), int(found["end"])
    for node in (start, end):
        if node not in table:
            nodes = ", ".join(map(str, table))
            raise InputError(f"{found['rule']} has no node of {node} nm; its nodes are {nodes}.")
    if profile.node_nm != start or profile.voltage is None:
        raise InputError(_unfit(profile, start))
    voltage = float(found["voltage"] or profile.voltage)
    factor = _energy(table[end], voltage) / _energy(table[start], profile.voltage)
    return ScaledProfile.of(profile, rule, factor, end, voltage)


def _unfit(profile: Profile, start: int) -> str:
    if profile.voltage is None:
        return f"The energy profile {profile.name} states no voltage, so no rule can scale it."
    return (
        f"The energy profile {profile.name} is of {profile.node_nm} nm; write"
        f" {profile.node_nm}->, not {start}->."
    )


def _energy(coefficients: tuple[float, float, float], voltage: float) -> float:
    a, b, c = coefficients
    return a * voltage**2 + b * voltage + c
