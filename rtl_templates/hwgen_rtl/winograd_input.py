"""Winograd input transform V = B' d B of tiles that arrive column by column."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise, product

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data
from numpy.typing import NDArray

from hwgen_rtl.datapath import Datapath
from hwgen_rtl.numerics import Interval, IntType
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.winograd import INPUT_TRANSFORM, tile_interval

__all__ = ["InputTransform", "InputTransformParams"]


@dataclass(frozen=True, kw_only=True)
class InputTransformParams:
    """Tiles of ``lanes`` channels of type ``x``, four beats each."""

    x: IntType
    lanes: int

    latency = 2
    beats = 4

    def __post_init__(self):
        if self.x.bipolar:
            raise ValueError("x must hold 0, the value of a padded tap, not 'bipolar'")
        if self.lanes < 1:
            raise ValueError(f"lanes must be at least 1, not {self.lanes!r}")

    @property
    def v(self) -> IntType:
        """Type of the result, for pixels of ``x`` or 0."""
        return tile_interval(Interval.of(self.x)).type()

    @property
    def column(self) -> IntType:
        """Type of B' d, the difference or sum of two pixels."""
        x = Interval.of(self.x)
        return Interval(min(x.low - x.high, 2 * x.low), max(x.high - x.low, 2 * x.high)).type()

    def compute(self, tiles: NDArray) -> NDArray:
        """V (..., 4, 4) from tiles (..., 4, 4)."""
        return INPUT_TRANSFORM @ tiles @ INPUT_TRANSFORM.T

    def create(self) -> "InputTransform":
        """The hardware."""
        return InputTransform(self)


class InputTransform(Datapath):
    """o = B' d B of one 4x4 tile of each lane; one column of the tile per beat.

        V[i][0] = C[i][0] - C[i][2]    V[i][2] = C[i][2] - C[i][1]
        V[i][1] = C[i][1] + C[i][2]    V[i][3] = C[i][1] - C[i][3]       with C = B' d

    Four adders a lane for C and sixteen for V, which see the last three columns of C; no
    multiplier. One beat per cycle; the result stands two cycles after the fourth beat of a job,
    for one cycle. Fixed rate: it stalls with the window buffer as one pipeline.

    Members:
        taps : In(ArrayLayout(x, 4*lanes)), row a of lane l at a*lanes + l
        o    : Out(ArrayLayout(v, 16*lanes)), V[i][j] of lane l at (4*i + j)*lanes + l
        valid, first, last : In(1); done : Out(1)
    """

    def __init__(self, params: InputTransformParams):
        self._params = params
        super().__init__(
            layout_of(params.x, 4 * params.lanes), layout_of(params.v, 16 * params.lanes)
        )

    def elaborate(self, platform):
        m = Module()
        lanes = self._params.lanes
        beat, index = Signal(range(4)), Signal(range(4))
        moves, ends = Signal(), Signal()
        m.d.comb += index.eq(Mux(self.first, 0, beat))
        with m.If(self.valid):
            m.d.sync += beat.eq(index + 1)
        at = Signal.like(index)
        m.d.sync += [
            at.eq(index),
            moves.eq(self.valid),
            ends.eq(self.valid & self.last),
            self.done.eq(ends),
        ]
        column = Signal(layout_of(self._params.column, 4 * lanes))
        for i in range(4):
            for lane in range(lanes):
                pixels = {a: self.taps[a * lanes + lane] for a in range(4)}
                m.d.sync += column[i * lanes + lane].eq(_row(i, pixels))
        with m.If(moves):
            self._gather(m, at, column)
        return m

    def _gather(self, m: Module, at: Value, column: data.View):
        """Each column of V from the last column of C that it needs and one of the two before it."""
        lanes = self._params.lanes
        recent = [column, Signal.like(column, name="before"), Signal.like(column, name="earlier")]
        m.d.sync += [older.eq(newer) for newer, older in pairwise(recent)]
        for j in range(4):
            begin, end = (int(b) for b in INPUT_TRANSFORM[j].nonzero()[0])
            operands = {end: column, begin: recent[end - begin]}
            with m.If(at == end):
                for k, i in product(range(lanes), range(4)):
                    pair = {b: values[i * lanes + k] for b, values in operands.items()}
                    m.d.sync += self.o[(4 * i + j) * lanes + k].eq(_row(j, pair))


def _row(i: int, vector: Mapping[int, Value]) -> Value:
    """Row i of B' times a vector: the sum or the difference of two elements."""
    plus = [k for k in range(4) if INPUT_TRANSFORM[i, k] > 0]
    minus = [k for k in range(4) if INPUT_TRANSFORM[i, k] < 0]
    if minus:
        return vector[plus[0]] - vector[minus[0]]
    return vector[plus[0]] + vector[plus[1]]
