"""One of several values, by a tree of choices."""

from collections.abc import Sequence

from amaranth.hdl import Mux, Value, ValueLike

from hwgen_rtl.numerics import ceil_log2

__all__ = ["chosen"]


def chosen(values: Sequence[ValueLike], index: Value) -> Value:
    """values[index], by a choice for each bit of the index.

    Yosys makes a memory of an Array of constants, which takes more LUTs than their logic.
    """
    if len(values) == 1:
        return Value.cast(values[0])
    half = 1 << ceil_log2(len(values)) - 1
    low, high = chosen(values[:half], index), chosen(values[half:], index)
    return Mux(index[ceil_log2(half)], high, low)
