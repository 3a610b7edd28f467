"""An amount of energy with the range that its sources leave open."""

from dataclasses import dataclass

__all__ = ["Energy"]


@dataclass(frozen=True, kw_only=True)
class Energy:
    """Picojoules: the nominal figure, and the lowest and highest that the source supports."""

    low: float = 0.0
    nominal: float = 0.0
    high: float = 0.0

    def __add__(self, other: "Energy") -> "Energy":
        """Energy of both; ranges add up as if all errors went the same way."""
        return Energy(
            low=self.low + other.low,
            nominal=self.nominal + other.nominal,
            high=self.high + other.high,
        )

    def times(self, factor: float) -> "Energy":
        """Energy of ``factor`` events."""
        return Energy(low=self.low * factor, nominal=self.nominal * factor, high=self.high * factor)
