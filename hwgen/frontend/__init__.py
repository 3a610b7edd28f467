"""From PyTorch to the float graph; the only part beside hwgen.nn that imports torch."""

from hwgen.frontend.importer import from_torch
from hwgen.frontend.integer_torch import run_integer_torch
from hwgen.frontend.load import load_model
from hwgen.frontend.weights import load_weights

__all__ = ["from_torch", "load_model", "load_weights", "run_integer_torch"]
