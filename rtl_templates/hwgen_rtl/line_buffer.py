"""Line buffer: turns rows of pixels into columns as tall as a kernel."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import memory

from hwgen_rtl.cycles import Timing, pipelining
from hwgen_rtl.numerics import IntType, output_size
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.storage import ram_style
from hwgen_rtl.stream import StreamComponent

__all__ = ["LineBuffer", "LineBufferParams"]


@dataclass(frozen=True, kw_only=True)
class LineBufferParams:
    """``rows`` x 1 columns of a height x width image, a new row of them every ``stride`` rows.

    Parameters:
        height, width : pixels of the (padded) image
        words, lanes  : words per pixel, elements per word
        kind          : type of an element
        rows, stride  : kernel height and vertical stride, pixels
    """

    height: int
    width: int
    words: int
    lanes: int
    kind: IntType
    rows: int
    stride: int

    LATENCY = 1

    def __post_init__(self):
        if not 2 <= self.rows <= self.height:
            raise ValueError(f"rows must be between 2 and {self.height}, not {self.rows!r}")
        if self.width * self.words < 2:
            raise ValueError("an image must be at least 2 words wide for a line buffer, not 1")

    @property
    def output_rows(self) -> int:
        """Rows of columns per image."""
        return output_size(self.height, self.rows, self.stride, 0)

    @property
    def interval(self) -> int:
        """Cycles per image when nothing else is slower."""
        return self.height * self.width * self.words

    def emits(self, word: int) -> bool:
        """Say whether input word ``word`` completes a column."""
        row = word // (self.width * self.words) % self.height
        return row >= self.rows - 1 and (row - self.rows + 1) % self.stride == 0

    def create(self) -> "LineBuffer":
        """The hardware."""
        return LineBuffer(self)

    def timing(self) -> Timing:
        """Cycle model."""
        return pipelining(self.LATENCY, map(self.emits, range(self.interval)))


class LineBuffer(StreamComponent):
    """o = the pixel word and the ``rows``-1 words above it, topmost in the lowest lanes.

    One word per cycle, one cycle later; words of rows in which no kernel ends make no output.

    Members:
        i : In(stream of ArrayLayout(kind, lanes))
        o : Out(stream of ArrayLayout(kind, rows*lanes))
    """

    def __init__(self, params: LineBufferParams):
        self._params = params
        super().__init__(
            layout_of(params.kind, params.lanes), layout_of(params.kind, params.rows * params.lanes)
        )

    def elaborate(self, platform):
        m = Module()
        params = self._params
        depth = params.width * params.words
        width = len(self.i.payload.as_value())
        m.submodules.lines = lines = memory.Memory(
            shape=(params.rows - 1) * width,
            depth=depth,
            init=[],
            attrs=ram_style((params.rows - 1) * width, depth),
        )
        read, write = lines.read_port(), lines.write_port()
        column, row = Signal(range(depth)), Signal(range(params.height))
        wait = Signal(range(params.stride))
        word, held, emit = Signal(width), Signal(), Signal()
        enable = ~self.o.valid | self.o.ready
        taken = self.i.valid & enable
        tall = Cat(read.data, word)
        m.d.comb += [
            self.i.ready.eq(enable),
            read.addr.eq(column),
            read.en.eq(taken),
            write.data.eq(tall[width:]),
            write.en.eq(held & enable),
            self.o.valid.eq(held & emit),
            self.o.payload.as_value().eq(tall),
        ]
        with m.If(enable):
            m.d.sync += [held.eq(self.i.valid), write.addr.eq(column)]
        with m.If(taken):
            m.d.sync += [
                word.eq(self.i.payload.as_value()),
                emit.eq((row >= params.rows - 1) & (wait == 0)),
                column.eq(column + 1),
            ]
            with m.If(column == depth - 1):
                m.d.sync += column.eq(0)
                self._next_row(m, row, wait)
        return m

    def _next_row(self, m: Module, row, wait):
        params = self._params
        with m.If(row == params.height - 1):
            m.d.sync += [row.eq(0), wait.eq(0)]
        with m.Else():
            m.d.sync += row.eq(row + 1)
            with m.If(row >= params.rows - 1):
                m.d.sync += wait.eq(Mux(wait == params.stride - 1, 0, wait + 1))
