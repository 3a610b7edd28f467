"""A pipelined adder tree."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen_rtl.numerics import IntType, bits_for_sum
from hwgen_rtl.shapes import layout_of, shape_of

__all__ = ["AdderTree"]


class AdderTree(wiring.Component):
    """o = sum(i[k] for k in range(terms)), exact, one register after every level.

    One sum per cycle, ceil(log2(terms)) cycles later. Fixed rate, for use inside a pipeline that
    stalls as a whole.

    Parameters:
        terms : number of addends
        kind  : their type
    Members:
        i : In(ArrayLayout(kind, terms))
        o : Out(the narrowest type that holds every sum)
    """

    i: data.View
    o: Signal

    def __init__(self, terms: int, kind: IntType):
        if terms < 1:
            raise ValueError(f"terms must be at least 1, not {terms!r}")
        self._terms = terms
        super().__init__(
            {
                "i": In(layout_of(kind, terms)),
                "o": Out(shape_of(bits_for_sum(terms, kind))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        level = [self.i[k] for k in range(self._terms)]
        depth = 0
        while len(level) > 1:
            depth += 1
            pairs = [level[k : k + 2] for k in range(0, len(level), 2)]
            level = [self._registered(m, pair, f"sum{depth}_{k}") for k, pair in enumerate(pairs)]
        m.d.comb += self.o.eq(level[0])
        return m

    def _registered(self, m: Module, pair: list[Value], name: str) -> Value:
        value = pair[0] + pair[1] if len(pair) == 2 else pair[0]
        register = Signal(value.shape(), name=name)
        m.d.sync += register.eq(value)
        return register
