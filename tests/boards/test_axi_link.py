# amaranth: UnusedElaboratable=no
"""The blocks of an AXI link in Amaranth's simulator, signal by signal."""

import random
from collections.abc import Awaitable, Callable
from itertools import product
from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.sim import Simulator

from hwgen.emit.verilog import rtlil_of
from hwgen_boards.axi_top import CORE, AxiCore
from hwgen_rtl.axi_bus import stream_bits
from hwgen_rtl.axi_lite import AxiLiteSlave
from hwgen_rtl.axi_register_file import RegisterFile
from hwgen_rtl.axi_stream import AxiStreamInput, AxiStreamOutput
from hwgen_rtl.link_protocol import Identity
from tests.boards.axi_cosim import table_of_registers

IDENTITY = Identity(1, 0x0123_4567_89AB_CDEF, 12, 20, 2, 3)
OKAY, SLVERR = 0, 2  # Arm IHI 0022, BRESP and RRESP
SCRATCH = 0x28
PATIENCE = 100


def simulate(component: Any, *bodies: Callable[[Any], Awaitable[None]]) -> None:
    """Run all bodies at once."""
    sim = Simulator(component)
    sim.add_clock(1e-6)
    for body in bodies:
        sim.add_testbench(body)
    sim.run()


def registers() -> tuple[Module, Any]:
    """A register file behind its AXI4-Lite, whose counters answer with their place."""
    m = Module()
    m.submodules.lite = lite = AxiLiteSlave(12)
    m.submodules.file = file = RegisterFile(IDENTITY)
    wiring.connect(m, lite.bus, file.bus)
    m.d.sync += file.counters.byte.eq(file.counters.address)
    return m, lite.axi


async def until(ctx: Any, signal: Any) -> None:
    """Wait for the end of a cycle in which ``signal`` is 1."""
    for _ in range(PATIENCE):
        *_, value = await ctx.tick().sample(signal)
        if value:
            return
    raise TimeoutError(signal.name)


async def give(ctx: Any, valid: Any, ready: Any, late: int, *values: tuple[Any, int]) -> None:
    """One transfer of a channel, ``late`` cycles from now; its signals mean nothing before."""
    await ctx.tick().repeat(late) if late else None
    for signal, value in (*values, (valid, 1)):
        ctx.set(signal, value)
    await until(ctx, ready)
    for signal, _ in (*values, (valid, 1)):
        ctx.set(signal, 0)


async def read(ctx: Any, axi: Any, offset: int) -> tuple[int, int]:
    """Data and response."""
    await give(ctx, axi.arvalid, axi.arready, 0, (axi.araddr, offset))
    while not ctx.get(axi.rvalid):
        await ctx.tick()
    answer = ctx.get(axi.rdata), ctx.get(axi.rresp)
    await give(ctx, axi.rready, axi.rvalid, 0)
    return answer


class TestRegisterFile:
    @pytest.mark.parametrize(("address", "data", "response"), [*product((0, 1, 5), repeat=3)])
    def test_takes_address_and_data_in_any_order(self, address, data, response):
        m, axi = registers()
        strobes = range(16)

        async def addresses(ctx):
            for _ in strobes:
                await give(ctx, axi.awvalid, axi.awready, address, (axi.awaddr, SCRATCH))

        async def words(ctx):
            for strobe in strobes:
                word = (axi.wdata, 0x11111111 * strobe), (axi.wstrb, strobe)
                await give(ctx, axi.wvalid, axi.wready, data, *word)

        async def responses(ctx):
            held = 0
            for strobe in strobes:
                for _ in range(PATIENCE):
                    if ctx.get(axi.bvalid):
                        break
                    await ctx.tick()
                assert ctx.get(axi.bresp) == OKAY
                mask = sum(0xFF << 8 * n for n in range(4) if strobe >> n & 1)
                held = held & ~mask | 0x11111111 * strobe & mask
                # the next write waits for this one's response
                assert await read(ctx, axi, SCRATCH) == (held, OKAY)
                await give(ctx, axi.bready, axi.bvalid, response)

        simulate(m, addresses, words, responses)

    def test_answers_of_every_address(self):
        m, axi = registers()
        table = {int(at, 16): row for at, row in table_of_registers().items()}
        identity = [0x6E677768, 1, 0x89ABCDEF, 0x01234567, 12, 20, 2, 3]

        async def body(ctx):
            for offset in range(0, 1 << 12, 4):
                data, response = await read(ctx, axi, offset)
                assert response == (OKAY if offset in table else SLVERR), hex(offset)
                if offset < 0x20:
                    assert data == identity[offset // 4]
                if 0x40 <= offset < 0x68:  # the bytes' places, little endian
                    place = offset - 0x40
                    assert data.to_bytes(4, "little") == bytes(range(place, place + 4))

        simulate(m, body)


def transfers(beats: list[int], lasts: list[int], seed: int, axis: Any, ready: Any):
    """Offers beats with their TLAST, after pauses."""
    rng = random.Random(seed)

    async def body(ctx):
        for beat, last in zip(beats, lasts, strict=True):
            late = rng.choice((0, 0, 2)) if seed else 0
            values = (axis.tdata, beat), (axis.tlast, last)
            await give(ctx, axis.tvalid, ready, late, *values)

    return body


class TestStreams:
    BEATS = 3

    @pytest.mark.parametrize("seed", [0, 1])
    def test_input_reports_each_tlast_inside_an_image(self, seed):
        block = AxiStreamInput(bits=12, beats=self.BEATS)
        rng = random.Random(seed)
        beats = [rng.getrandbits(16) for _ in range(60)]
        lasts = [rng.getrandbits(1) for _ in beats]
        seen = []

        async def design(ctx):
            while len(seen) < len(beats):
                ctx.set(block.o.ready, rng.random() < 0.5)
                moves = block.o.valid & block.o.ready
                told = (block.o.payload, block.last, block.misplaced)
                *_, moved, payload, last, misplaced = await ctx.tick().sample(moves, *told)
                if moved:
                    seen.append((payload, last, misplaced))

        simulate(block, transfers(beats, lasts, seed, block.axis, block.axis.tready), design)
        ends = [n % self.BEATS == self.BEATS - 1 for n in range(len(beats))]
        expected = [
            (beat & 0xFFF, int(end), int(last and not end))
            for beat, last, end in zip(beats, lasts, ends, strict=True)
        ]
        assert seen == expected

    @pytest.mark.parametrize("seed", [0, 1])
    def test_output_marks_the_end_of_each_image(self, seed):
        block = AxiStreamOutput(bits=12, beats=self.BEATS)
        rng = random.Random(seed)
        beats = [rng.getrandbits(12) for _ in range(60)]
        seen, cycles = [], 0

        async def design(ctx):
            for beat in beats:
                await give(ctx, block.i.valid, block.i.ready, 0, (block.i.payload, beat))

        async def receiver(ctx):
            nonlocal cycles
            while len(seen) < len(beats):
                cycles += 1
                ctx.set(block.axis.tready, not seed or rng.random() < 0.5)
                moves = block.axis.tvalid & block.axis.tready
                told = (block.axis.tdata, block.axis.tlast)
                *_, moved, data, last = await ctx.tick().sample(moves, *told)
                if moved:
                    seen.append((data, last))

        simulate(block, design, receiver)
        assert seen == [(beat, int(n % self.BEATS == 2)) for n, beat in enumerate(beats)]
        assert seed or cycles == len(beats) + 1  # a beat a cycle, one cycle later

    def test_tdata_has_a_width_that_a_dma_engine_has(self):
        widths = {1: 8, 8: 8, 9: 16, 16: 16, 17: 32, 24: 32, 33: 64, 65: 128, 1024: 1024}
        assert {bits: stream_bits(bits) for bits in widths} == widths


def test_a_core_converts_twice_to_the_same_text():
    core = AxiCore(IDENTITY)
    assert rtlil_of(core, CORE) == rtlil_of(core, CORE) == rtlil_of(AxiCore(IDENTITY), CORE)
