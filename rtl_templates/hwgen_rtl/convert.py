"""Lane converters: the same elements with more or fewer of them on a beat."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal

from hwgen_rtl.cycles import Timing, holding, pipelining
from hwgen_rtl.numerics import IntType
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.stream import StreamComponent

__all__ = ["Merge", "MergeParams", "Split", "SplitParams"]


@dataclass(frozen=True, kw_only=True)
class _LaneParams:
    kind: IntType
    i_lanes: int
    o_lanes: int

    def _check(self, wide: int, narrow: int):
        if narrow < 1 or wide % narrow:
            raise ValueError(f"lanes must divide {wide}, not {narrow!r}")


@dataclass(frozen=True, kw_only=True)
class SplitParams(_LaneParams):
    """From ``i_lanes`` to fewer ``o_lanes``, lowest lanes first."""

    def __post_init__(self):
        self._check(self.i_lanes, self.o_lanes)

    @property
    def ratio(self) -> int:
        """Beats out per beat in."""
        return self.i_lanes // self.o_lanes

    def create(self) -> "Split":
        """The hardware."""
        return Split(self)

    def timing(self) -> Timing:
        """Cycle model."""
        return holding(self.ratio, through=True)


@dataclass(frozen=True, kw_only=True)
class MergeParams(_LaneParams):
    """From ``i_lanes`` to more ``o_lanes``, lowest lanes first."""

    def __post_init__(self):
        self._check(self.o_lanes, self.i_lanes)

    @property
    def ratio(self) -> int:
        """Beats in per beat out."""
        return self.o_lanes // self.i_lanes

    def create(self) -> "Merge":
        """The hardware."""
        return Merge(self)

    def timing(self) -> Timing:
        """Cycle model."""
        return pipelining(1, (n == self.ratio - 1 for n in range(self.ratio)))


class _LaneConverter(StreamComponent):
    """Two streams of the same elements."""

    def __init__(self, params: SplitParams | MergeParams):
        self._ratio = params.ratio
        super().__init__(
            layout_of(params.kind, params.i_lanes), layout_of(params.kind, params.o_lanes)
        )


class Split(_LaneConverter):
    """A beat of ``i_lanes`` elements leaves as ``ratio`` beats of ``o_lanes``.

    One beat out per cycle without bubbles; latency one cycle.

    Members: i : In(stream of ArrayLayout(kind, i_lanes)); o : Out(stream of ..., o_lanes)
    """

    def elaborate(self, platform):
        m = Module()
        ratio = self._ratio
        held = Signal(len(self.i.payload.as_value()))
        left = Signal(range(ratio + 1))
        width = len(self.o.payload.as_value())
        m.d.comb += [
            self.o.valid.eq(left != 0),
            self.o.payload.as_value().eq(held[:width]),
            self.i.ready.eq((left == 0) | ((left == 1) & self.o.ready)),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [held.eq(self.i.payload.as_value()), left.eq(ratio)]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += [held.eq(held[width:]), left.eq(left - 1)]
        return m


class Merge(_LaneConverter):
    """``ratio`` beats of ``i_lanes`` elements leave as one beat of ``o_lanes``.

    One beat in per cycle without bubbles; the result stands one cycle after the last of them.

    Members: i : In(stream of ArrayLayout(kind, i_lanes)); o : Out(stream of ..., o_lanes)
    """

    def elaborate(self, platform):
        m = Module()
        ratio = self._ratio
        held = self.o.payload.as_value()
        count = Signal(range(ratio + 1))
        full = count == ratio
        taken = self.i.valid & self.i.ready
        m.d.comb += [self.o.valid.eq(full), self.i.ready.eq(~full | self.o.ready)]
        with m.If(full & self.o.ready):
            m.d.sync += count.eq(taken)
        with m.Elif(taken):
            m.d.sync += count.eq(count + 1)
        with m.If(taken):
            beat = self.i.payload.as_value()
            m.d.sync += held.eq(Cat(held, beat)[len(beat) :])
        return m
