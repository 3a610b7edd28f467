"""Moves the channels of an image by whole pixels: ghost features, without arithmetic."""

from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hwgen_rtl.cycles import Timing, buffering
from hwgen_rtl.numerics import IntType, ceil_log2
from hwgen_rtl.rom import CyclicRom
from hwgen_rtl.shapes import layout_of
from hwgen_rtl.storage import ram_style
from hwgen_rtl.stream import StreamComponent

__all__ = ["Shift", "ShiftParams"]

Offset = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class ShiftParams:
    """Geometry of an image and the offsets of its words.

    Parameters:
        height, width : pixels
        words, lanes  : words per pixel, elements per word
        kind          : type of an element; not bipolar, which has no 0
        offsets       : (rows, columns) from a result to its source; one for all words, or one each
    """

    height: int
    width: int
    words: int
    lanes: int
    kind: IntType
    offsets: tuple[Offset, ...]

    LATENCY = 1

    def __post_init__(self):
        for name in ("height", "width", "words", "lanes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)!r}")
        if self.kind.bipolar:
            raise ValueError("kind must be a type that holds 0, not 'bipolar'")
        if len(self.offsets) not in (1, self.words):
            wanted = f"1 pair, or 1 for each of {self.words} words"
            raise ValueError(f"offsets must be {wanted}, not {len(self.offsets)!r}")

    @property
    def image(self) -> int:
        """Words per image."""
        return self.height * self.width * self.words

    @property
    def interval(self) -> int:
        """Cycles per image when nothing else is slower."""
        return self.image

    @property
    def distances(self) -> tuple[int, ...]:
        """Words from a result to its source, per offset; 0 where the source is never inside."""
        return tuple(
            (dy * self.width + dx) * self.words
            if abs(dy) < self.height and abs(dx) < self.width
            else 0
            for dy, dx in self.offsets
        )

    @property
    def ahead(self) -> int:
        """Words from a result to the farthest source after it."""
        return max(0, *self.distances)

    @property
    def behind(self) -> int:
        """Words from the farthest source before a result to the result."""
        return max(0, *(-distance for distance in self.distances))

    @property
    def room(self) -> int:
        """Words from the next result to the writer at most: one is read while one is written."""
        return self.ahead + 2

    @property
    def depth(self) -> int:
        """Words of memory."""
        return self.behind + self.room

    @property
    def entry(self) -> data.StructLayout:
        """What is stored per offset: words to the next source; rows and columns to this one."""
        return data.StructLayout(
            {
                "move": range(self.depth),
                "dy": 1 + ceil_log2(self.height),
                "dx": 1 + ceil_log2(self.width),
            }
        )

    @property
    def table(self) -> tuple[int, ...]:
        """One ``entry`` per offset, as integers."""
        distances = self.distances
        steps = zip(distances, (*distances[1:], distances[0]), strict=True)
        moves = [(1 + following - distance) % self.depth for distance, following in steps]
        entries = [
            self.entry.const(
                {"move": move, "dy": _clip(dy, self.height), "dx": _clip(dx, self.width)}
            )
            for move, (dy, dx) in zip(moves, self.offsets, strict=True)
        ]
        return tuple(entry.as_value().value for entry in entries)

    def create(self) -> "Shift":
        """The hardware."""
        return Shift(self)

    def timing(self) -> Timing:
        """Cycle model: a result needs ``ahead`` more words, or the rest of its image."""
        rest = np.arange(self.image, 0, -1)
        return buffering(
            room=self.room,
            needs=np.minimum(1 + self.ahead, rest),
            releases=np.ones(self.image),
            latency=self.LATENCY,
        )


class _Fill(wiring.Component):
    """Counts the words between the next result and the writer.

    Members:
        stored      : In(1), a word is written
        image_stored: In(1), with ``stored``: the last one of an image
        read        : In(1), a result is read
        image_read  : In(1), with ``read``: the last one of an image
        room        : Out(1), a word can be written
        available   : Out(1), all sources of the next result were written
    """

    stored: Signal
    image_stored: Signal
    read: Signal
    image_read: Signal
    room: Signal
    available: Signal

    def __init__(self, params: ShiftParams):
        self._params = params
        super().__init__(
            {
                **{name: In(1) for name in ("stored", "image_stored", "read", "image_read")},
                "room": Out(1, init=1),  # pyright: ignore[reportCallIssue]  (stub knows `reset`)
                "available": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self._params
        level = Signal(range(params.room + 1))
        # the rest of the next result's image was written; where the writer is a whole image
        # further still, the flag is low again, but then the level says the same
        whole = Signal()
        kept, ended = level + self.stored, whole ^ self.image_stored

        def choose(test):
            return Mux(
                self.read,
                test((kept - 1)[: len(level)], ended ^ self.image_read),
                test(kept[: len(level)], ended),
            )

        m.d.sync += [
            level.eq(choose(lambda words, ended: words)),
            whole.eq(choose(lambda words, ended: ended)),
            self.room.eq(choose(lambda words, ended: words < params.room)),
            self.available.eq(choose(lambda words, ended: (words > params.ahead) | ended)),
        ]
        return m


class _Walk(wiring.Component):
    """Source of each result, in raster order: its address in the memory, and whether it exists.

    A small table holds for each word of a pixel its offset and how far the address moves on from
    it; it is constant where all words have one offset. The first entry stands after one cycle,
    as does the first input word.

    Members:
        step    : In(1)
        address : Out(range(depth))
        inside  : Out(1), the source lies in the image
        last    : Out(1), with ``step``: it is the last result of the image
    """

    step: Signal
    address: Signal
    inside: Signal
    last: Signal

    def __init__(self, params: ShiftParams):
        self._params = params
        first = params.distances[0] % params.depth
        super().__init__(
            {
                "step": In(1),
                "address": Out(range(params.depth), init=first),  # pyright: ignore
                "inside": Out(1),
                "last": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self._params
        sizes = params.words, params.width, params.height
        word, column, row = (Signal(range(size)) for size in sizes)
        m.submodules.table = table = CyclicRom(params.entry.size, params.table)
        entry = data.View(params.entry, table.data)
        primed, moves = Signal(), self.step
        m.d.sync += primed.eq(1)
        m.d.comb += [
            table.step.eq(self.step | ~primed),
            self.inside.eq(
                _inside(row, entry.dy, params.height) & _inside(column, entry.dx, params.width)
            ),
        ]
        following = self.address + entry.move
        with m.If(self.step):
            wraps = following >= params.depth
            m.d.sync += self.address.eq(Mux(wraps, following - params.depth, following))
        for counter, size in zip((word, column, row), sizes, strict=True):
            at_end = counter == size - 1
            with m.If(moves):
                m.d.sync += counter.eq(Mux(at_end, 0, counter + 1))
            moves &= at_end
        m.d.comb += self.last.eq(moves)
        return m


def _clip(offset: int, size: int) -> int:
    """An offset along an axis as `_inside` reads it; those that leave the image, always outside."""
    return (offset if abs(offset) < size else size) % (2 << ceil_log2(size))


def _inside(position: Signal, offset: Value, size: int) -> Value:
    """0 <= position + offset < size: modulo twice the size or more, negative sums are large."""
    return (position + offset)[: len(offset)] < size


class Shift(StreamComponent):
    """y[c, i, j] = x[c, i + dy, j + dx], 0 outside, with the (dy, dx) of the word that holds c.

    A circular memory of words, written in raster order and read at a distance. One word per cycle;
    a result leaves two cycles after ``params.ahead`` more words than itself were written, or the
    rest of its image, whichever is sooner: images follow each other without a gap, and the last
    one needs none after it. Memory and result are one pipeline that stands still while a result
    waits; the mask follows the memory, so that ``o.payload`` is not a register.

    Members: i, o : streams of ArrayLayout(kind, lanes)
    """

    def __init__(self, params: ShiftParams):
        self._params = params
        layout = layout_of(params.kind, params.lanes)
        super().__init__(layout, layout)

    def elaborate(self, platform):
        m = Module()
        params = self._params
        m.submodules.fill = fill = _Fill(params)
        m.submodules.walk = walk = _Walk(params)
        enable, inside = ~self.o.valid | self.o.ready, Signal()
        stored = self.i.valid & fill.room
        m.d.comb += [
            self.i.ready.eq(fill.room),
            fill.stored.eq(stored),
            fill.image_stored.eq(stored & self._ends(m, stored)),
            walk.step.eq(enable & fill.available),
            fill.read.eq(walk.step),
            fill.image_read.eq(walk.last),
        ]
        with m.If(enable):
            m.d.sync += [self.o.valid.eq(fill.available), inside.eq(walk.inside)]
        source = self._memory(m, stored, enable, walk.address)
        m.d.comb += self.o.payload.as_value().eq(Mux(inside, source, 0))
        return m

    def _ends(self, m: Module, stored: Value) -> Value:
        """The word at the input is the last one of an image."""
        count = Signal(range(self._params.image))
        last = count == self._params.image - 1
        with m.If(stored):
            m.d.sync += count.eq(Mux(last, 0, count + 1))
        return last

    def _memory(self, m: Module, stored: Value, enable: Value, address: Value) -> Value:
        depth, width = self._params.depth, len(self.i.payload.as_value())
        m.submodules.memory = bank = memory.Memory(
            shape=unsigned(width),
            depth=depth,
            init=[],
            # no word is read while it is replaced, except where the mask hides it: without this
            # Yosys adds two registers of a word and a bypass to every block RAM
            attrs=ram_style(width, depth),
        )
        read, write = bank.read_port(), bank.write_port()
        m.d.comb += [
            write.en.eq(stored),
            write.data.eq(self.i.payload.as_value()),
            read.en.eq(enable),
            read.addr.eq(address),
        ]
        with m.If(stored):
            m.d.sync += write.addr.eq(Mux(write.addr == depth - 1, 0, write.addr + 1))
        return read.data
