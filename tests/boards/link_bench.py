"""A host link in Amaranth's simulator, in front of a design that remembers half an image.

The frames here are written from docs/host_protocol.md, not with the code that the host uses.
"""

import binascii
import re
from collections.abc import Awaitable, Callable
from typing import Any

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from hwgen_rtl.link import HostLink, HostLinkParams

__all__ = ["PARAMS", "Bench", "content_of", "frame_of", "result_of", "simulate"]

PARAMS = HostLinkParams(i_bits=12, o_bits=20, i_beats=2, o_beats=1, build=0x0123_4567_89AB_CDEF)
_PATIENCE = 3000  # cycles without any byte


def result_of(first: int, second: int) -> int:
    """What the design makes of an image of two beats."""
    return first + 4099 * second & 0xFFFFF


def frame_of(content: bytes) -> bytes:
    """The bytes that carry ``content``."""
    whole = content + binascii.crc32(content).to_bytes(4, "little")
    stuffed = whole.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e")
    return b"\x7e" + stuffed + b"\x7e"


def content_of(frame: bytes) -> bytes:
    """What a frame carries; AssertionError where it is damaged."""
    assert frame[:1] == frame[-1:] == b"\x7e"
    assert re.fullmatch(rb"([^\x7d\x7e]|\x7d[\x5d\x5e])*", frame[1:-1], re.DOTALL)
    whole = frame[1:-1].replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
    assert binascii.crc32(whole[:-4]).to_bytes(4, "little") == whole[-4:]
    return whole[:-4]


class _Pairs(wiring.Component):
    """The design: one result for two beats, `result_of`; ``pause`` stops it."""

    i: stream.Interface
    o: stream.Interface
    pause: Signal

    def __init__(self, params: HostLinkParams):
        streams = {
            "i": In(stream.Signature(params.i_bits)),
            "o": Out(stream.Signature(params.o_bits)),
        }
        super().__init__(streams | {"pause": In(1)})

    def elaborate(self, platform):
        m = Module()
        first, second = Signal.like(self.i.payload), Signal.like(self.i.payload)
        count = Signal(range(3))
        m.d.comb += [
            self.i.ready.eq((count != 2) & ~self.pause),
            self.o.valid.eq(count == 2),
            self.o.payload.eq(first + 4099 * second),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [first.eq(second), second.eq(self.i.payload), count.eq(count + 1)]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += count.eq(0)
        return m


class Bench:
    """Bytes to the link and back; counts what the link counts."""

    def __init__(self, ctx: Any, link: HostLink, design: _Pairs):
        self.ctx, self._link, self.design = ctx, link, design
        self.cycles = self.input_stalls = self.output_stalls = self.images = 0

    async def send(self, data: bytes) -> None:
        """Give the link ``data``, byte by byte."""
        rx = self._link.rx
        self.ctx.set(rx.valid, 1)
        for byte in data:
            self.ctx.set(rx.payload, byte)
            while True:
                taken = self.ctx.get(rx.ready)
                await self.tick()
                if taken:
                    break
        self.ctx.set(rx.valid, 0)

    async def hear(self) -> bytes:
        """Bytes that the link sends, until a frame ends or none comes for a long time."""
        tx, idle, heard = self._link.tx, 0, b""
        self.ctx.set(tx.ready, 1)
        while idle < _PATIENCE and not (len(heard) > 1 and heard[-1] == 0x7E):
            idle += 1
            if self.ctx.get(tx.valid):
                heard, idle = heard + bytes([self.ctx.get(tx.payload)]), 0
            await self.tick()
        self.ctx.set(tx.ready, 0)
        return heard

    async def ask(self, *content: int | bytes) -> bytes:
        """The answer's content to a request, whose parts are bytes; b"" where there is none."""
        joined = b"".join(bytes([part]) if isinstance(part, int) else part for part in content)
        await self.send(frame_of(joined))
        heard = await self.hear()
        return content_of(heard) if heard else b""

    async def tick(self) -> None:
        """One cycle."""
        given, taken = self._link.to_design, self._link.from_design
        stalls = [self.ctx.get(end.valid) and not self.ctx.get(end.ready) for end in (given, taken)]
        moved = self.ctx.get(taken.valid) and self.ctx.get(taken.ready)
        counts = (self.cycles + 1, self.input_stalls + stalls[0], self.output_stalls + stalls[1])
        counts = (*counts, self.images + moved)
        if self.ctx.get(self._link.reset):
            counts = (0, 0, 0, 0)
        self.cycles, self.input_stalls, self.output_stalls, self.images = counts
        await self.ctx.tick()


def simulate(body: Callable[[Bench], Awaitable[None]], params: HostLinkParams = PARAMS) -> None:
    """Run ``body`` with a link and the design behind it."""
    m = Module()
    link, design = params.create(), _Pairs(params)
    m.submodules.link = link
    m.submodules.design = ResetInserter(link.reset)(design)
    wiring.connect(m, link.to_design, design.i)
    wiring.connect(m, design.o, link.from_design)
    simulator = Simulator(m)
    simulator.add_clock(1e-6)

    async def run(ctx):
        await body(Bench(ctx, link, design))

    simulator.add_testbench(run)
    simulator.run()
