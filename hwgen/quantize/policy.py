"""How many bits, and how the range of an activation is chosen."""

from dataclasses import dataclass
from typing import Literal

from hwgen.errors import InputError

__all__ = ["Policy"]

_RANGES = (("bits", 2, 16), ("edge_bits", 4, 16), ("residual_bits", 4, 16), ("output_bits", 8, 24))


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What `quantize` may choose.

    Parameters:
        bits        : activations and weights, 2..16
        edge_bits   : input, first and last multiply weights: max(bits, edge_bits), 4..16
        residual_bits : operands of a sum of branches: max(bits, residual_bits), 4..16
        output_bits : scores that pass a last batch norm, 8..24
        calibration : "output" minimizes the error behind adder layers and that of operands
                      elsewhere, "mse" the error of operands, "percentile" cuts off
        percentile  : of absolute values, for "percentile", above 50 up to 100
    """

    bits: int = 8
    edge_bits: int = 8
    residual_bits: int = 12
    output_bits: int = 16
    calibration: Literal["output", "percentile", "mse"] = "output"
    percentile: float = 99.99

    def __post_init__(self):
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise InputError(f"{name} must be an integer from {low} to {high}, not {value!r}.")
        if self.calibration not in ("output", "percentile", "mse"):
            raise InputError(
                f"calibration must be 'output', 'percentile' or 'mse', not {self.calibration!r}."
            )
        if not 50 < self.percentile <= 100:
            raise InputError(f"percentile must be above 50 up to 100, not {self.percentile!r}.")

    @property
    def at_edge(self) -> int:
        """Bits of the input and of the first and last multiply weights."""
        return max(self.bits, self.edge_bits)

    @property
    def at_residual(self) -> int:
        """Bits of the operands of a sum of branches."""
        return max(self.bits, self.residual_bits)
