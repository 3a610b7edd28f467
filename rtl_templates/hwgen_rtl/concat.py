"""Puts the channels of several streams one after the other."""

from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal

from hwgen_rtl.cycles import Timing, joining
from hwgen_rtl.numerics import IntType
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.stream import JoinComponent

__all__ = ["Concat", "ConcatParams"]


@dataclass(frozen=True, kw_only=True)
class ConcatParams:
    """Of each pixel, ``words[n]`` beats of ``lanes`` elements of ``kind`` come from input n."""

    kind: IntType
    lanes: int
    words: tuple[int, ...]

    def __post_init__(self):
        if self.lanes < 1:
            raise ValueError(f"lanes must be at least 1, not {self.lanes!r}")
        if len(self.words) < 2 or min(self.words) < 1:
            raise ValueError(f"words must be two or more positive counts, not {self.words!r}")

    def create(self) -> "Concat":
        """The hardware."""
        return Concat(self)

    def timing(self) -> Timing:
        """Cycle model."""
        return joining((n,) for n, count in enumerate(self.words) for _ in range(count))


class Concat(JoinComponent):
    """All channels of a pixel from input 0, then those from input 1, and so on.

    One beat per cycle, one cycle later; the result is a register, which cuts the paths of valid
    and payload. The ready of the input whose turn it is depends on ``o.ready``.

    Members: i0, i1, ..., o : streams of ArrayLayout(kind, lanes)
    """

    def __init__(self, params: ConcatParams):
        self._params = params
        layout = layout_of(params.kind, params.lanes)
        super().__init__([layout] * len(params.words), layout)

    def elaborate(self, platform):
        m = Module()
        words, inputs = self._params.words, self.inputs
        turn, word = Signal(range(len(words))), Signal(range(max(words)))
        free, last = ~self.o.valid | self.o.ready, Signal()
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.Switch(turn):
            for n, (i, count) in enumerate(zip(inputs, words, strict=True)):
                with m.Case(n):
                    m.d.comb += [i.ready.eq(free), last.eq(word == count - 1)]
                    with m.If(i.valid & free):
                        m.d.sync += [
                            self.o.valid.eq(1),
                            self.o.payload.eq(i.payload),
                            word.eq(Mux(last, 0, word + 1)),
                            turn.eq(Mux(last, (n + 1) % len(words), n)),
                        ]
        return m
