"""Band buffer: reads every row of pixels several times, for pixel shuffle and upsampling."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hwgen_rtl.cycles import Timing, buffering
from hwgen_rtl.numerics import IntType
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.storage import ram_style
from hwgen_rtl.stream import StreamComponent

__all__ = ["Band", "BandParams"]


@dataclass(frozen=True, kw_only=True)
class BandParams:
    """A height x width image grows by ``factor`` along both axes.

    Parameters:
        height, width : pixels of the input image
        words         : words per pixel, on both sides
        lanes         : elements per output word
        kind          : type of an element
        factor        : output pixels per input pixel, along each axis
        shuffle       : an input word has ``lanes`` * factor**2 elements, one for each output
                        pixel; otherwise it has ``lanes`` elements, which repeat
        crop          : rows and columns of output left out at the bottom and right
    """

    height: int
    width: int
    words: int
    lanes: int
    kind: IntType
    factor: int
    shuffle: bool
    crop: tuple[int, int] = (0, 0)

    LATENCY = 1

    def __post_init__(self):
        for name in ("height", "width", "words", "lanes", "factor"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)!r}")
        if not all(0 <= cut < self.factor for cut in self.crop):
            raise ValueError(f"crop must be less than factor {self.factor}, not {self.crop!r}")

    @property
    def i_lanes(self) -> int:
        """Elements per input word."""
        return self.lanes * (self.factor**2 if self.shuffle else 1)

    @property
    def output(self) -> tuple[int, int]:
        """Rows and columns of the output image."""
        return (
            self.height * self.factor - self.crop[0],
            self.width * self.factor - self.crop[1],
        )

    @property
    def band(self) -> int:
        """Words of one row of input pixels."""
        return self.width * self.words

    @property
    def depth(self) -> int:
        """Words of memory: one band is read while the next arrives."""
        return 2 * self.band

    @property
    def interval(self) -> int:
        """Cycles per image when nothing else is slower."""
        return self.output[0] * self.output[1] * self.words

    def reads(self) -> Iterator[tuple[bool, bool]]:
        """For each output word of an image: is its input word read the first, the last time?"""
        for i in range(self.height):
            passes = self._times(i == self.height - 1, self.crop[0])
            for u in range(passes):
                for j in range(self.width):
                    copies = self._times(j == self.width - 1, self.crop[1])
                    for v in range(copies):
                        pair = (u == v == 0, (u, v) == (passes - 1, copies - 1))
                        yield from [pair] * self.words

    def _times(self, at_end: bool, cut: int) -> int:
        return self.factor - cut if at_end else self.factor

    def create(self) -> "Band":
        """The hardware."""
        return Band(self)

    def timing(self) -> Timing:
        """Cycle model."""
        first, last = np.array([*self.reads()], np.int64).T
        # words that must have come since reset, less those that no longer count
        needs = np.cumsum(first) - (np.cumsum(last) - last)
        return buffering(room=self.depth, needs=needs * first, releases=last, latency=self.LATENCY)


class Walk(wiring.Component):
    """Which word of a circular memory of two bands comes next, and for which output pixel.

    Members:
        step    : In(1)
        address : Out(range(depth))
        u, v    : Out(range(factor)), row and column inside the pixel
        first   : Out(1), the word is read the first time
        last    : Out(1), the word is read the last time
    """

    step: Signal
    address: Signal
    u: Signal
    v: Signal
    first: Signal
    last: Signal

    def __init__(self, params: BandParams):
        self._params = params
        super().__init__(
            {
                "step": In(1),
                "address": Out(range(params.depth)),
                "u": Out(range(params.factor)),
                "v": Out(range(params.factor)),
                "first": Out(1),
                "last": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self._params
        row, column = Signal(range(params.height)), Signal(range(params.width))
        word = Signal(range(params.words))
        ends = Signal(5)  # of word, v, column, u, row
        m.d.comb += [
            ends[0].eq(word == params.words - 1),
            ends[1].eq(self.v == self._last(ends[2], params.crop[1])),
            ends[2].eq(column == params.width - 1),
            ends[3].eq(self.u == self._last(ends[4], params.crop[0])),
            ends[4].eq(row == params.height - 1),
            self.first.eq((self.u == 0) & (self.v == 0)),
            self.last.eq(ends[1] & ends[3]),
        ]
        with m.If(self.step):
            m.d.sync += self.address.eq(self._following(ends))
            for n, counter in enumerate((word, self.v, column, self.u, row)):
                with m.If(ends[:n].all()):
                    m.d.sync += counter.eq(Mux(ends[n], 0, counter + 1))
        return m

    def _last(self, at_end: Value, cut: int) -> Value:
        last = self._params.factor - 1
        return Mux(at_end, last - cut, last)

    def _following(self, ends: Signal) -> Value:
        """The next word; the pixel's first one, the band's first one, or the other band's."""
        words, band, depth = self._params.words, self._params.band, self._params.depth
        again = self.address - (words - 1)
        over = self.address - (band - 1)
        onward = Mux(self.address == depth - 1, 0, self.address + 1)
        at_end = Mux(ends[1], Mux(ends[2] & ~ends[3], over, onward), again)
        return Mux(ends[0], at_end, self.address + 1)


class Band(StreamComponent):
    """An image enlarged by ``factor``, f, in raster order.

        shuffle: o[i*f + u, j*f + v, c] = i[i, j, c*f*f + u*f + v]
        nearest: o[i*f + u, j*f + v, c] = i[i, j, c]

    for the channels c of each word. A row of pixels (a band) is read f times while the next one
    arrives; a word can be read the cycle after it came, and its place is free after its last
    reading. One output word per cycle without bubbles, two cycles after its input word at best.

    Members:
        i : In(stream of ArrayLayout(kind, params.i_lanes))
        o : Out(stream of ArrayLayout(kind, lanes))
    """

    def __init__(self, params: BandParams):
        self._params = params
        super().__init__(
            layout_of(params.kind, params.i_lanes), layout_of(params.kind, params.lanes)
        )

    def elaborate(self, platform):
        m = Module()
        params = self._params
        width = len(self.i.payload.as_value())
        m.submodules.memory = bank = memory.Memory(
            shape=width,
            depth=params.depth,
            init=[],
            attrs=ram_style(width, params.depth),
        )
        read, write = bank.read_port(), bank.write_port()
        m.submodules.walk = walk = Walk(params)
        enable, issue, stored = Signal(), Signal(), Signal()
        room, unread = Signal(init=1), Signal()
        m.d.comb += [
            enable.eq(~self.o.valid | self.o.ready),
            issue.eq(enable & (unread | ~walk.first)),
            stored.eq(self.i.valid & room),
            self.i.ready.eq(room),
            walk.step.eq(issue),
            write.en.eq(stored),
            write.data.eq(self.i.payload.as_value()),
            read.en.eq(enable),
            read.addr.eq(walk.address),
        ]
        self._count(m, "held", stored, issue & walk.last, room, lambda n: n < params.depth)
        self._count(m, "fresh", stored, issue & walk.first, unread, lambda n: n > 0)
        with m.If(stored):
            m.d.sync += write.addr.eq(Mux(write.addr == params.depth - 1, 0, write.addr + 1))
        with m.If(enable):
            m.d.sync += self.o.valid.eq(issue)
        self._choose(m, enable, walk, read.data)
        return m

    def _count(self, m: Module, name: str, more: Value, less: Value, flag: Signal, test):
        """Words that came by ``more`` and did not leave by ``less``; ``flag`` is ``test`` of them.

        Both outcomes of the late ``less`` are prepared before it is known.
        """
        count = Signal(range(self._params.depth + 1), name=name)
        kept, gone = (
            Signal.like(count, name=f"{name}_kept"),
            Signal.like(count, name=f"{name}_gone"),
        )
        m.d.comb += [kept.eq(count + more), gone.eq(kept - 1)]
        m.d.sync += [
            count.eq(Mux(less, gone, kept)),
            flag.eq(Mux(less, test(gone), test(kept))),
        ]

    def _choose(self, m: Module, enable: Value, walk: Walk, word: Value):
        """Of a shuffled word, one element of every ``factor``**2."""
        params = self._params
        if not params.shuffle:
            m.d.comb += self.o.payload.as_value().eq(word)
            return
        u, v = Signal.like(walk.u), Signal.like(walk.v)
        with m.If(enable):
            m.d.sync += [u.eq(walk.u), v.eq(walk.v)]
        bits, factor = params.kind.bits, params.factor

        def place(u: int, v: int) -> Value:
            elements = range(u * factor + v, params.i_lanes, factor**2)
            return Cat(word.word_select(n, bits) for n in elements)

        rows = Array(Array(place(u, v) for v in range(factor)) for u in range(factor))
        m.d.comb += self.o.payload.as_value().eq(rows[u][v])
