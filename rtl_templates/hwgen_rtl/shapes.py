"""Integer types as Amaranth shapes."""

from amaranth.hdl import Shape, signed, unsigned
from amaranth.lib import data

from hwgen_rtl.numerics import IntType

__all__ = ["layout_of", "shape_of"]


def shape_of(kind: IntType) -> Shape:
    """The Amaranth shape of an integer type; a bipolar element is its bit."""
    if kind.bipolar:
        return unsigned(1)
    return signed(kind.bits) if kind.signed else unsigned(kind.bits)


def layout_of(kind: IntType, lanes: int) -> data.ArrayLayout:
    """The layout of a word: ``lanes`` elements of ``kind``, element 0 in the lowest bits."""
    return data.ArrayLayout(shape_of(kind), lanes)
