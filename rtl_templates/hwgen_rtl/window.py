"""Window buffer: keeps rows of an image and reads every window out, tap by tap."""

from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen_rtl.cycles import Timing, buffering
from hwgen_rtl.loops import AddressGenerator, Loop
from hwgen_rtl.numerics import IntType, output_size
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.storage import ram_style

__all__ = ["WindowBuffer", "WindowParams"]


@dataclass(frozen=True, kw_only=True)
class WindowParams:
    """Geometry of a window buffer; a word is ``lanes`` channels of one pixel.

    For each window, in raster order, ``jobs`` runs of words are read, one word a cycle:
    an array reads the whole window once per fold of output channels (``per_word`` False:
    ``repeats`` times kernel rows x columns x words), a pool reads it once per word of channels
    (``per_word`` True: words times kernel rows x columns).

    Parameters:
        height, width : pixels of the (padded) image
        words         : words per pixel
        lanes         : elements per word
        kind          : type of an element
        kernel, stride: pixels, (rows, columns)
        repeats       : times each window is read; 1 with ``per_word``
        per_word      : order of reading, see above
        ahead         : words of memory beyond those that steady input needs
    """

    height: int
    width: int
    words: int
    lanes: int
    kind: IntType
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    repeats: int = 1
    per_word: bool = False
    ahead: int = 0

    LATENCY = 1

    def __post_init__(self):
        for name in ("height", "width", "words", "lanes", "repeats"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)!r}")
        if self.kernel[0] > self.height or self.kernel[1] > self.width:
            size = (self.height, self.width)
            raise ValueError(f"kernel must fit into the image {size}, not {self.kernel!r}")

    @property
    def windows(self) -> tuple[int, int]:
        """Windows per image, (rows, columns)."""
        return (
            output_size(self.height, self.kernel[0], self.stride[0], 0),
            output_size(self.width, self.kernel[1], self.stride[1], 0),
        )

    @property
    def jobs(self) -> int:
        """Runs read per window; each ends with ``last``."""
        return self.words if self.per_word else self.repeats

    @property
    def beats_per_job(self) -> int:
        """Words read per run."""
        return self.kernel[0] * self.kernel[1] * (1 if self.per_word else self.words)

    @property
    def interval(self) -> int:
        """Cycles per image when nothing else is slower."""
        rows, columns = self.windows
        return rows * columns * self.jobs * self.beats_per_job

    @property
    def image(self) -> int:
        """Words per image."""
        return self.height * self.width * self.words

    @property
    def span(self) -> int:
        """Words from the first to the last of one window, counted in raster order."""
        return ((self.kernel[0] - 1) * self.width + self.kernel[1]) * self.words

    @property
    def strides(self) -> tuple[int, int, int]:
        """Words between the starts of two windows: next column, next row, next image."""
        columns = self.windows[1]
        column = self.stride[1] * self.words
        row = self.stride[0] * self.width * self.words
        return (
            column,
            row - (columns - 1) * column,
            self.image - (self.windows[0] - 1) * row - (columns - 1) * column,
        )

    @property
    def depth(self) -> int:
        """Words of memory: the end of one image and the first window of the next fit together."""
        return self.span + max(*self.strides, self.span) + self.ahead

    @property
    def level_bits(self) -> int:
        """Bits of the count of words in the buffer, which may be below 0."""
        return max(self.depth, *self.strides).bit_length() + 1

    def loops(self) -> tuple[Loop, ...]:
        """Image rows, columns, then the jobs and the two loops of one job."""
        row = self.width * self.words
        outer = (
            Loop(self.windows[0], self.stride[0] * row),
            Loop(self.windows[1], self.stride[1] * self.words),
        )
        if self.per_word:
            inner = (Loop(self.kernel[0], row), Loop(self.kernel[1], self.words))
            return (*outer, Loop(self.words, 1), *inner)
        inner = (Loop(self.kernel[0], row), Loop(self.kernel[1] * self.words, 1))
        return (*outer, Loop(self.repeats, 0), *inner)

    def create(self) -> "WindowBuffer":
        """The hardware."""
        return WindowBuffer(self)

    def timing(self, latency: int) -> Timing:
        """Cycle model of this buffer and a datapath of ``latency`` cycles behind it."""
        (rows, columns), (column, row, image) = self.windows, self.strides
        releases = np.full((rows, columns), column)
        releases[:, -1] = row
        releases[-1, -1] = image
        return buffering(
            room=self.depth,
            needs=np.full(releases.size, self.span),
            releases=releases.ravel(),
            beats=self.beats_per_job,
            jobs=self.jobs,
            latency=self.LATENCY + latency,
        )


class Level(wiring.Component):
    """Counts the words between the start of the next window and the writer.

    Room and availability are registers, and both outcomes of the late ``release`` are prepared
    before it is known: through it run the ready signals of everything downstream.

    Members:
        stored    : In(1), a word is written
        release   : In(1), the last word of a window is read
        amount    : In, words from this window's start to the next one's
        room      : Out(1), a word can be written
        available : Out(1), a whole window was written
    """

    stored: Signal
    release: Signal
    amount: Signal
    room: Signal
    available: Signal

    def __init__(self, params: WindowParams):
        self._params = params
        super().__init__(
            {
                "stored": In(1),
                "release": In(1),
                "amount": In(range(max(params.strides) + 1)),
                "room": Out(1, init=1),  # pyright: ignore[reportCallIssue]  (stub knows `reset`)
                "available": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self._params
        level = Signal(signed(params.level_bits))
        kept, released = Signal.like(level), Signal.like(level)
        m.d.comb += [kept.eq(level + self.stored), released.eq(kept - self.amount)]

        def choose(test):
            return Mux(self.release, test(released), test(kept))

        m.d.sync += [
            level.eq(choose(lambda count: count)),
            self.room.eq(choose(lambda count: count < params.depth)),
            self.available.eq(choose(lambda count: count >= params.span)),
        ]
        return m


class WindowBuffer(wiring.Component):
    """Circular memory of image words with a stream on the writing side.

    The reading side is a fixed-rate pipeline without handshake: it moves in every cycle in which
    ``enable`` is high, so that memory, datapath and result stall as one and need no skid buffers.
    A window is read as soon as its last word was written; its words are released when it has been
    read. Latency one cycle from address to taps; one word per cycle.

    Members:
        i      : In(stream of ArrayLayout(kind, lanes))
        enable : In(1)
        taps   : Out(ArrayLayout(kind, lanes))
        valid  : Out(1), taps hold a word
        first  : Out(1), first word of a job
        last   : Out(1), last word of a job
    """

    i: stream.Interface
    enable: Signal
    taps: data.View
    valid: Signal
    first: Signal
    last: Signal

    def __init__(self, params: WindowParams):
        self._params = params
        layout = layout_of(params.kind, params.lanes)
        super().__init__(
            {
                "i": In(stream.Signature(layout)),
                "enable": In(1),
                "taps": Out(layout),
                "valid": Out(1),
                "first": Out(1),
                "last": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self._params
        m.submodules.memory = bank = memory.Memory(
            shape=len(self.taps.as_value()),
            depth=max(params.depth, 2),
            init=[],
            attrs=ram_style(len(self.taps.as_value()), params.depth),
        )
        m.submodules.walk = walk = AddressGenerator(
            params.loops(), depth=params.depth, advance=params.image
        )
        job, window, row, image = (walk.ends[n] for n in (3, 2, 1, 0))
        read, write = bank.read_port(), bank.write_port()
        issue, stored = Signal(), Signal()
        column_stride, row_stride, image_stride = params.strides
        m.submodules.level = level = Level(params)
        m.d.comb += [
            level.stored.eq(stored),
            level.release.eq(issue & window),
            level.amount.eq(Mux(image, image_stride, Mux(row, row_stride, column_stride))),
            issue.eq(self.enable & (level.available | ~walk.begins[2])),
            walk.step.eq(issue),
            self.i.ready.eq(level.room),
            stored.eq(self.i.valid & self.i.ready),
            write.en.eq(stored),
            write.data.eq(self.i.payload.as_value()),
            read.en.eq(self.enable),
            read.addr.eq(walk.address),
            self.taps.as_value().eq(read.data),
        ]
        with m.If(stored):
            m.d.sync += write.addr.eq(Mux(write.addr == params.depth - 1, 0, write.addr + 1))
        with m.If(self.enable):
            m.d.sync += [
                self.valid.eq(issue),
                self.first.eq(walk.begins[3]),
                self.last.eq(job),
            ]
        return m
