"""Adds two streams, element by element."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Value

from hwgen_rtl.cycles import Timing, joining
from hwgen_rtl.numerics import IntType
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.stream import JoinComponent

__all__ = ["Add", "AddParams"]


@dataclass(frozen=True, kw_only=True)
class AddParams:
    """Elements of types ``a`` and ``b`` give sums of type ``result``, ``lanes`` per beat.

    Sums wrap at the result's width; whoever chooses ``result`` knows that all of them fit.
    """

    a: IntType
    b: IntType
    result: IntType
    lanes: int

    def __post_init__(self):
        if self.lanes < 1:
            raise ValueError(f"lanes must be at least 1, not {self.lanes!r}")
        if self.result.bipolar:
            raise ValueError(f"result must be a type that holds sums, not {str(self.result)!r}")

    def create(self) -> "Add":
        """The hardware."""
        return Add(self)

    def timing(self) -> Timing:
        """Cycle model."""
        return joining([(0, 1)])


class Add(JoinComponent):
    """o = i0 + i1, lane by lane.

    One beat per cycle, one cycle later; the result is a register. Each input is taken together
    with the other one: its ready depends on the other's valid and on ``o.ready``, never on its
    own valid.

    Members:
        i0 : In(stream of ArrayLayout(a, lanes))
        i1 : In(stream of ArrayLayout(b, lanes))
        o  : Out(stream of ArrayLayout(result, lanes))
    """

    def __init__(self, params: AddParams):
        self._params = params
        a, b, result = (layout_of(k, params.lanes) for k in (params.a, params.b, params.result))
        super().__init__((a, b), result)

    def elaborate(self, platform):
        m = Module()
        params, (a, b) = self._params, self.inputs
        free = ~self.o.valid | self.o.ready
        m.d.comb += [a.ready.eq(b.valid & free), b.ready.eq(a.valid & free)]
        with m.If(free):
            m.d.sync += self.o.valid.eq(a.valid & b.valid)
            for lane in range(params.lanes):
                left = _value(a.payload[lane], params.a)
                right = _value(b.payload[lane], params.b)
                m.d.sync += self.o.payload[lane].eq(left + right)
        return m


def _value(element: Value, kind: IntType) -> Value:
    """The integer that an element stands for: 2b - 1 is the bits ~b, 1 in two's complement."""
    return Cat(1, ~element).as_signed() if kind.bipolar else element
