"""The rows of an energy profile, as its TOML file holds them."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt, model_validator

from hwgen_sim.energy.picojoules import Energy

__all__ = ["Provenance", "Row", "RowKind", "Unmodelled"]

_PICOJOULES = {"fJ": 1e-3, "pJ": 1.0, "nJ": 1e3, "uW": 1e-3}
"""Of one event; a microwatt is a femtojoule a nanosecond, the event of ``leakage``."""

RowKind = Literal[
    "add",
    "subtract",
    "compare",
    "abs_difference",
    "multiply",
    "float_add",
    "float_multiply",
    "shift",
    "xnor",
    "mux",
    "lut",
    "register",
    "register_toggle",
    "register_clock",
    "net_toggle",
    "clock",
    "leakage",
    "sram",
    "sram_read",
    "sram_write",
    "dram",
    "dram_read",
    "dram_write",
    "wire",
]


class Provenance(BaseModel):
    """Where a figure comes from; every row of a profile has the same.

    Parameters:
        source  : publication and table, or measurement
        node_nm : process node, nanometres
        voltage : supply, volts; absent where the source states none
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    node_nm: PositiveInt
    voltage: PositiveFloat | None = None
    year: PositiveInt


class Row(Provenance):
    """One figure of the table.

    Parameters:
        kind           : what acts; ``lut`` is one output bit of an FPGA's LUT with its net, in the
                         one cycle of an operation
        bits           : operand width, or access width of a memory
        capacity_bytes : size of the memory, for on-chip memories only
        value          : energy of one event, in ``unit``; power for ``leakage``
        low, high      : range of ``value`` in ``unit``, where the source gives one
    """

    kind: RowKind
    bits: PositiveInt
    capacity_bytes: PositiveInt | None = None
    value: PositiveFloat
    unit: Literal["fJ", "pJ", "nJ", "uW"]
    low: PositiveFloat | None = None
    high: PositiveFloat | None = None

    @property
    def energy(self) -> Energy:
        """Energy of one event."""
        low = self.value if self.low is None else self.low
        high = self.value if self.high is None else self.high
        return Energy(low=low, nominal=self.value, high=high).times(_PICOJOULES[self.unit])

    @property
    def size(self) -> int:
        """What the rows of one kind are sorted by: capacity in bits, else width in bits."""
        return 8 * self.capacity_bytes if self.capacity_bytes else self.bits

    def times(self, factor: float) -> "Row":
        """The same row with another amount."""
        amounts = {"value": self.value, "low": self.low, "high": self.high}
        return self.model_copy(
            update={name: amount * factor for name, amount in amounts.items() if amount is not None}
        )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind.startswith("sram") != (self.capacity_bytes is not None):
            raise ValueError("capacity_bytes belongs to the sram rows, and to all of them")
        if (self.kind == "leakage") != (self.unit == "uW"):
            raise ValueError("the unit uW belongs to the leakage row, and to no other")
        if not self.energy.low <= self.energy.nominal <= self.energy.high:
            raise ValueError("value must lie between low and high")
        return self


class Unmodelled(BaseModel):
    """A kind of action that a profile deliberately has no figure for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: RowKind
    reason: str
