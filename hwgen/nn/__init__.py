"""Layers without multiplications, for training in PyTorch and for export to hwgen."""

from ._adder_ops import ETA
from .adder import AdderConv2d, AdderLinear

__all__ = ["ETA", "AdderConv2d", "AdderLinear"]
