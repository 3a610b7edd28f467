"""From real numbers to integers: scales, requantize constants and proven widths."""

from hwgen.quantize.build import quantize
from hwgen.quantize.policy import Policy
from hwgen.quantize.ranges import Width, intervals, prove

__all__ = ["Policy", "Width", "intervals", "prove", "quantize"]
