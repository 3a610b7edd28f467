"""Energy profiles: one published table each, with named rules between its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from hwgen_sim.energy.interpolation import Points, power_law, proportional
from hwgen_sim.energy.made_of import parts_of
from hwgen_sim.energy.picojoules import Energy
from hwgen_sim.energy.rows import Provenance, Row, Unmodelled

__all__ = ["Price", "Profile"]


@dataclass(frozen=True, kw_only=True)
class Price:
    """Energy of one event and the rule that gave it; "published" means that the row exists."""

    energy: Energy
    rule: str

    @property
    def interpolated(self) -> bool:
        """Whether a rule, rather than a row of the table, gave the figure."""
        return self.rule != "published"


class Profile(Provenance):
    """Energy per event from one source.

    Between widths, multipliers follow the product of both widths and everything else follows the
    width. On-chip memories follow a power law of their capacity and the access width.
    """

    name: str
    rows: tuple[Row, ...] = Field(alias="row", min_length=1)
    not_modelled: tuple[Unmodelled, ...] = ()

    @property
    def title(self) -> str:
        """Name for reports."""
        return self.name

    def prices(self, kind: str) -> bool:
        """Whether ``kind`` has rows, or is made of kinds that have."""
        part = parts_of(kind)
        return bool(self._rows(kind)) or (part is not None and self.prices(part[0]))

    def leaves_out(self, kind: str) -> str | None:
        """Why there is no figure for ``kind``, where the profile says so."""
        part = parts_of(kind)
        reasons = {entry.kind: entry.reason for entry in self.not_modelled}
        if self.prices(kind):
            return None
        return reasons.get(kind) or (self.leaves_out(part[0]) if part else None)

    def operation_pj(self, kind: str, bits: int, other_bits: int | None = None) -> Price:
        """Energy of one operation or external access; raises KeyError where nothing prices it."""
        other = other_bits or bits
        if rows := self._rows(kind):
            return _operation(rows, bits, other)
        part, count = _part(kind, bits, other)
        inner = self.operation_pj(part, 1 if part == "lut" else bits)
        return _compose(kind, part, count, inner)

    def memory_pj(self, kind: str, bits: int, capacity_bits: int) -> Price:
        """Energy of one access of ``bits`` to an on-chip memory; raises KeyError as above."""
        if rows := self._rows(kind):
            return _memory(rows, bits, capacity_bits)
        part, count = _part(kind, bits, bits)
        return _compose(kind, part, count, self.memory_pj(part, bits, capacity_bits))

    def _rows(self, kind: str) -> list[Row]:
        return sorted((row for row in self.rows if row.kind == kind), key=lambda row: row.size)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        for row in self.rows:
            if any(getattr(row, name) != getattr(self, name) for name in Provenance.model_fields):
                raise ValueError(
                    f"row {row.kind!r} of {row.bits} bits has another source, node, voltage or "
                    "year than the profile; rows of two tables must not be mixed"
                )
        return self

    @model_validator(mode="after")
    def _priced_or_left_out(self) -> Self:
        for entry in self.not_modelled:
            if self.prices(entry.kind):
                raise ValueError(f"{entry.kind!r} has rows, so it must not be under not_modelled")
        return self

    @model_validator(mode="after")
    def _rising(self) -> Self:
        for kind in {row.kind for row in self.rows}:
            for smaller, larger in pairwise(self._rows(kind)):
                if smaller.size == larger.size:
                    raise ValueError(f"two rows {kind!r} have the same size")
                if smaller.energy.nominal > larger.energy.nominal:
                    raise ValueError(f"a larger {kind!r} must not cost less than a smaller one")
        return self


def _part(kind: str, bits: int, other_bits: int) -> tuple[str, int]:
    part = parts_of(kind, bits, other_bits)
    if part is None:
        raise KeyError(kind)
    return part


def _operation(rows: list[Row], bits: int, other_bits: int) -> Price:
    for row in rows:
        if row.bits == bits == other_bits:
            return Price(energy=row.energy, rule="published")
    if rows[0].kind in ("multiply", "float_multiply"):
        squares = [(row.bits**2, row.energy) for row in rows]
        energy = _apply(proportional, squares, bits * other_bits)
        return Price(energy=energy, rule="interpolated, quadratic in bits")
    energy = _apply(proportional, [(row.bits, row.energy) for row in rows], bits)
    return Price(energy=energy, rule="interpolated, linear in bits")


def _memory(rows: list[Row], bits: int, capacity_bits: int) -> Price:
    for row in rows:
        if (row.bits, row.size) == (bits, capacity_bits):
            return Price(energy=row.energy, rule="published")
    per_bit = [(row.size, row.energy.times(1 / row.bits)) for row in rows]
    energy = _apply(power_law, per_bit, capacity_bits).times(bits)
    inside = rows[0].size <= capacity_bits <= rows[-1].size
    rule = "log-log in capacity" if inside else "square root of capacity beyond the table"
    return Price(energy=energy, rule=f"interpolated, {rule}, per bit of access width")


def _apply(
    rule: Callable[[Points, float], float], points: list[tuple[int, Energy]], x: float
) -> Energy:
    return Energy(
        low=rule([(size, energy.low) for size, energy in points], x),
        nominal=rule([(size, energy.nominal) for size, energy in points], x),
        high=rule([(size, energy.high) for size, energy in points], x),
    )


def _compose(kind: str, part: str, count: int, price: Price) -> Price:
    # one table entry for reads and writes is the published meaning of that entry
    if part in ("sram", "dram"):
        return price
    return Price(
        energy=price.energy.times(count), rule=f"{kind} counted as {count} {part}, {price.rule}"
    )
