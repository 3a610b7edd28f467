"""What hardware does, counted: the input of every energy estimate."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from hwgen.errors import InputError

__all__ = ["KINDS", "Action", "count_by_kind"]

KINDS = {
    "add": "sum of two integers of `bits`",
    "subtract": "difference of two integers of `bits`",
    "compare": "order of two integers of `bits`",
    "abs_difference": "abs(x - w) of two integers of `bits`",
    "multiply": "product of integers of `bits` and `other_bits`",
    "float_add": "sum of two floating-point numbers of `bits`",
    "float_multiply": "product of two floating-point numbers of `bits`",
    "shift": "shift of `bits` by a variable distance, with conditional negation",
    "xnor": "`bits` XNOR gates",
    "mux": "choice between two words of `bits`",
    "register": "`bits` flip-flops for one clock cycle",
    "register_toggle": "change of a flip-flop's output, with its net",
    "net_toggle": "change of a LUT's output or of a memory's read data, with its net",
    "register_clock": "clock of a flip-flop in one cycle",
    "sram_read": "read of `bits` from an on-chip memory of `capacity_bits`",
    "sram_write": "write of `bits` to an on-chip memory of `capacity_bits`",
    "dram_read": "read of `bits` from external memory",
    "dram_write": "write of `bits` to external memory",
    "clock": "one cycle of the clock tree",
    "wire": "`bits` moved between blocks",
    "leakage": "one nanosecond of leakage",
}


@dataclass(frozen=True, kw_only=True)
class Action:
    """One kind of event, and how often it happens per image.

    Parameters:
        component     : part of the node that acts, e.g. "lanes", "weights", "window"
        kind          : one of ``KINDS``
        bits          : operand width, or access width of a memory
        count         : events per image
        other_bits    : width of the second factor of a ``multiply``, where it differs
        capacity_bits : size of the memory that an ``sram_*`` action accesses
    """

    component: str
    kind: str
    bits: int
    count: int
    other_bits: int | None = None
    capacity_bits: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(_unknown(self.kind))
        if self.count < 0:
            raise InputError(f"{self._name}: count must not be negative, not {self.count}.")
        if self.bits <= 0:
            raise InputError(f"{self._name}: bits must be positive, not {self.bits}.")
        if self.kind.startswith("sram_") and not (self.capacity_bits or 0) > 0:
            raise InputError(f"{self._name}: capacity_bits must be given.")

    @property
    def _name(self) -> str:
        return f"Action {self.kind!r} of {self.component!r}"


def count_by_kind(actions: Iterable[Action]) -> dict[str, int]:
    """Events of each kind; accesses are counted in words."""
    found: Counter[str] = Counter()
    for action in actions:
        found[action.kind] += action.count
    return dict(found)


def _unknown(kind: str) -> str:
    nearest = get_close_matches(kind, KINDS, n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"the kinds are {', '.join(KINDS)}."
    return f"There is no kind of action {kind!r}; {hint}"
