"""Layers without multiplications, for training in PyTorch and for export to hwgen."""

from ._adder_ops import ETA
from .adder import AdderConv2d, AdderLinear
from .binary_weight import BinaryWeightConv2d, BinaryWeightLinear
from .ghost import GhostModule
from .ghost_shift import GhostShift2d
from .pow2 import Pow2Conv2d
from .power import PowerActivation
from .quant_relu import QuantReLU
from .shortcut import SelfShortcut
from .winograd import WinogradAdderConv2d
from .xnor import Sign, XnorConv2d, XnorLinear

__all__ = [
    "ETA",
    "AdderConv2d",
    "AdderLinear",
    "BinaryWeightConv2d",
    "BinaryWeightLinear",
    "GhostModule",
    "GhostShift2d",
    "Pow2Conv2d",
    "PowerActivation",
    "QuantReLU",
    "SelfShortcut",
    "Sign",
    "WinogradAdderConv2d",
    "XnorConv2d",
    "XnorLinear",
]
