"""Puts rows and columns of a constant around an image."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Module, Mux, Signal

from hwgen_rtl.cycles import Pass, Timing, passing
from hwgen_rtl.numerics import IntType
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.stream import StreamComponent

__all__ = ["Pad", "PadParams"]


@dataclass(frozen=True, kw_only=True)
class PadParams:
    """``padding`` (rows, columns) on each side of a height x width image of ``words`` per pixel.

    ``extra`` more rows and columns follow at the bottom and right.
    """

    height: int
    width: int
    words: int
    lanes: int
    kind: IntType
    padding: tuple[int, int]
    value: int = 0
    extra: tuple[int, int] = (0, 0)

    def __post_init__(self):
        if not self.kind.low <= self.value <= self.kind.high:
            raise ValueError(f"value must fit {self.kind}, not {self.value!r}")

    @property
    def padded(self) -> tuple[int, int]:
        """Rows and columns after padding."""
        (ph, pw), (eh, ew) = self.padding, self.extra
        return self.height + 2 * ph + eh, self.width + 2 * pw + ew

    @property
    def interval(self) -> int:
        """Cycles per image when nothing else is slower."""
        return self.padded[0] * self.padded[1] * self.words

    def inside(self) -> Iterator[bool]:
        """For each word of a padded image: does it come from the input?"""
        rows, columns = self.padded
        (ph, pw), words = self.padding, self.words
        for y in range(rows):
            for x in range(columns):
                yield from [ph <= y < ph + self.height and pw <= x < pw + self.width] * words

    @property
    def longest_run(self) -> int:
        """Most padding words in a row, from one image into the next."""
        (ph, pw), (eh, ew) = self.padding, self.extra
        return ((2 * ph + eh) * self.padded[1] + 2 * pw + ew) * self.words

    def create(self) -> "Pad":
        """The hardware."""
        return Pad(self)

    def timing(self) -> Timing:
        """Cycle model."""
        return passing(Pass.BOTH if inside else Pass.GIVE for inside in self.inside())


class Pad(StreamComponent):
    """The input image with ``value`` around it, word by word in raster order.

    One word per cycle, latency 0: input words pass through, padding words need no input. The
    padding before the first pixel of an image is sent while that pixel has not arrived yet.

    Members: i, o : streams of ArrayLayout(kind, lanes)
    """

    def __init__(self, params: PadParams):
        self._params = params
        layout = layout_of(params.kind, params.lanes)
        super().__init__(layout, layout)

    def elaborate(self, platform):
        m = Module()
        params = self._params
        (rows, columns), (ph, pw) = params.padded, params.padding
        value = int(params.kind.encode(np.array(params.value)))
        row, column = Signal(range(rows)), Signal(range(columns * params.words))
        inside = (row >= ph) & (row < ph + params.height)
        inside &= (column >= pw * params.words) & (column < (pw + params.width) * params.words)
        m.d.comb += [
            self.o.valid.eq(~inside | self.i.valid),
            self.i.ready.eq(inside & self.o.ready),
        ]
        for lane in range(params.lanes):
            m.d.comb += self.o.payload[lane].eq(Mux(inside, self.i.payload[lane], value))
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += column.eq(column + 1)
            with m.If(column == columns * params.words - 1):
                m.d.sync += [column.eq(0), row.eq(Mux(row == rows - 1, 0, row + 1))]
        return m
