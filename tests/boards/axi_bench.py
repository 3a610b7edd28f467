"""What cocotb runs around an AXI core: peers of cocotbext-axi, which know nothing of it.

``tests/boards/test_axi_core.py`` starts each test. The offsets of the registers are those of
docs/boards.md.
"""

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge, with_timeout
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiStreamBus,
    AxiStreamSink,
    AxiStreamSource,
)

CONTROL, STATUS, SCRATCH, COUNTERS = 0x20, 0x24, 0x28, 0x40
RESET, SNAPSHOT = 1, 2
PATIENCE = (2, "ms")
LIMIT = {"timeout_time": 5, "timeout_unit": "ms"}
CHANNELS = {
    "m_axis_t": ("data", "last"),
    "s_axi_lite_b": ("resp",),
    "s_axi_lite_r": ("data", "resp"),
}
"""What the core drives: prefix -> signals that must stay while a transfer waits."""


class Bench:
    """Peers on all three buses, and monitors of what the core must and must not do."""

    def __init__(self, dut: Any):
        self.dut = dut
        self.vectors = json.loads(Path(os.environ["AXI_VECTORS"]).read_text())
        self.i_bytes, self.o_bytes = self.vectors["i_bytes"], self.vectors["o_bytes"]
        on = (dut.aclk, dut.aresetn, False)
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), *on)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), *on)
        self.lite = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi_lite"), *on)
        self.cycles = self.input_stalls = 0

    @classmethod
    async def started(cls, dut: Any) -> "Bench":
        """After a reset; every wait from here on is limited."""
        dut.aresetn.value = 0
        cocotb.start_soon(Clock(dut.aclk, 10, "ns").start())
        bench = cls(dut)
        for prefix, held in CHANNELS.items():
            cocotb.start_soon(bench._stays_put(prefix, held))
        cocotb.start_soon(bench._count())
        await bench.reset()
        return bench

    async def reset(self) -> None:
        """Of everything, for four cycles."""
        self.dut.aresetn.value = 0
        await self.pass_cycles(4)
        self.dut.aresetn.value = 1
        await self.pass_cycles(1)

    async def pass_cycles(self, count: int) -> None:
        for _ in range(count):
            await RisingEdge(self.dut.aclk)

    def image(self, number: int) -> bytes:
        """Image ``number`` as it travels."""
        return self._bytes(self.vectors["images"][number], self.i_bytes)

    def result(self, number: int) -> bytes:
        """What the golden model makes of it, as it travels."""
        return self._bytes(self.vectors["results"][number], self.o_bytes)

    def _bytes(self, beats: list[int], size: int) -> bytes:
        return b"".join(beat.to_bytes(size, "little") for beat in beats)

    async def expect(self, *numbers: int) -> None:
        """The next packets are the results of these images, one packet each."""
        for number in numbers:
            packet = await with_timeout(self.sink.recv(), *PATIENCE)
            assert bytes(packet.tdata) == self.result(number), number

    def shake(self, seed: int) -> None:
        """Pauses at random, each channel at a rate of its own."""
        lite = (self.lite.write_if, self.lite.read_if)
        channels = [lite[0].aw_channel, lite[0].w_channel, lite[0].b_channel]
        channels += [lite[1].ar_channel, lite[1].r_channel, self.source, self.sink]
        for number, channel in enumerate(channels):
            channel.set_pause_generator(_pauses(seed * 16 + number))

    async def word(self, offset: int) -> int:
        """Read a register that exists."""
        answer = await with_timeout(self.lite.read(offset, 4), *PATIENCE)
        assert answer.resp == AxiResp.OKAY
        return int.from_bytes(answer.data, "little")

    async def put(self, offset: int, value: int, size: int = 4) -> None:
        """Write a register that exists, or some bytes of it."""
        data = value.to_bytes(size, "little")
        assert await self.respond(offset, data) == AxiResp.OKAY

    async def respond(self, offset: int, data: bytes) -> AxiResp:
        answer = await with_timeout(self.lite.write(offset, data), *PATIENCE)
        return answer.resp

    async def counts(self) -> dict[str, int]:
        """All counters, of one instant."""
        await self.put(CONTROL, SNAPSHOT)
        names = ("cycles", "input_stalls", "output_stalls", "images", "images_in")
        words = [await self.word(COUNTERS + 4 * n) for n in range(2 * len(names))]
        pairs = zip(words[::2], words[1::2], strict=True)
        return dict(zip(names, (low | high << 32 for low, high in pairs), strict=True))

    async def soft_reset(self) -> None:
        """Begin one and wait for its end."""
        await self.put(CONTROL, RESET)
        while await self.word(CONTROL) & RESET:
            pass

    async def _count(self) -> None:
        """What the counters count, from the pins."""
        while True:
            await RisingEdge(self.dut.aclk)
            await ReadOnly()
            if not int(self.dut.aresetn.value):
                self.cycles = self.input_stalls = 0
                continue
            self.cycles += 1
            waits = int(self.dut.s_axis_tvalid.value) and not int(self.dut.s_axis_tready.value)
            self.input_stalls += bool(waits)

    async def _stays_put(self, prefix: str, held: tuple[str, ...]) -> None:
        """AXI: what waits for READY stays VALID and does not change."""
        waiting = None
        while True:
            await RisingEdge(self.dut.aclk)
            await ReadOnly()
            valid, ready, *values = (
                int(getattr(self.dut, prefix + name).value) for name in ("valid", "ready", *held)
            )
            if not int(self.dut.aresetn.value):
                waiting = None
                continue
            assert waiting is None or (valid and values == waiting), f"{prefix} changed"
            waiting = values if valid and not ready else None


def _pauses(seed: int) -> Iterator[bool]:
    rng = random.Random(seed)
    rate = rng.choice((0.2, 0.5, 0.8))
    while True:
        yield rng.random() < rate


scenario = cocotb.test(**LIMIT)


@scenario
async def gives_the_golden_integers(dut):
    """Images as packets of one and of several, against pauses on all sides, with registers."""
    bench = await Bench.started(dut)
    for seed in range(4):
        if seed:
            bench.shake(seed)
        await bench.source.send(bench.image(0))
        await bench.source.send(bench.image(1) + bench.image(2))
        await bench.source.send(bench.image(3))
        scratch = random.Random(seed).getrandbits(32)
        await bench.put(SCRATCH, scratch)
        await bench.expect(0, 1, 2, 3)
        assert await bench.word(SCRATCH) == scratch
    assert await bench.word(STATUS) == 0
    assert bench.sink.empty()


@scenario
async def says_what_it_is(dut):
    bench = await Bench.started(dut)
    words = [await bench.word(4 * n) for n in range(8)]
    assert words[0].to_bytes(4, "little") == b"hwgn"
    assert words[1] == 1
    assert f"{words[3]:08x}{words[2]:08x}" == bench.vectors["config_hash"][:16]
    assert words[4:] == bench.vectors["sizes"]


@scenario
async def counts_what_happens(dut):
    bench = await Bench.started(dut)
    fresh = await bench.counts()
    assert {**fresh, "cycles": 0} == dict.fromkeys(fresh, 0)
    bench.sink.pause = True
    for number in (0, 1, 2):
        await bench.source.send(bench.image(number))
    await bench.pass_cycles(2000)
    bench.sink.pause = False
    await bench.expect(0, 1, 2)
    await bench.pass_cycles(300)
    first, before = await bench.counts(), bench.cycles
    await bench.pass_cycles(1000)
    second, after = await bench.counts(), bench.cycles
    assert (first["images"], first["images_in"]) == (3, 3)
    assert first["input_stalls"] == bench.input_stalls > 0
    assert first["output_stalls"] > 0
    # a walk over the counters takes 128 cycles, and a copy is of the one before
    assert (second["cycles"] - first["cycles"]) % 128 == 0
    assert before - 256 <= first["cycles"] <= before
    assert after - 256 <= second["cycles"] <= after
    assert {**second, "cycles": 0} == {**first, "cycles": 0}


@scenario
async def reports_a_tlast_inside_an_image(dut):
    bench = await Bench.started(dut)
    half = bench.i_bytes * (bench.vectors["sizes"][2] // 2)
    await bench.source.send(bench.image(0)[:half])
    await bench.source.send(bench.image(0)[half:])
    await bench.expect(0)
    assert await bench.word(STATUS) == 1
    assert await bench.respond(STATUS + 1, b"\x01") == AxiResp.OKAY  # another byte
    assert await bench.word(STATUS) == 1
    await bench.put(STATUS, 1, size=1)
    assert await bench.word(STATUS) == 0
    await bench.source.send(bench.image(1))
    await bench.expect(1)
    assert await bench.word(STATUS) == 0


@scenario
async def refuses_what_is_no_register(dut):
    bench = await Bench.started(dut)
    readable = {int(offset, 16) for offset in bench.vectors["readable"]}
    writable = {int(offset, 16) for offset in bench.vectors["writable"]}
    near = set(range(0, 0x90, 4)) | {0x120, 0x428, 0xFFC}
    for offset in sorted(near):
        answer = await with_timeout(bench.lite.read(offset, 4), *PATIENCE)
        expected = AxiResp.OKAY if offset in readable else AxiResp.SLVERR
        assert answer.resp == expected, hex(offset)
        expected = AxiResp.OKAY if offset in writable else AxiResp.SLVERR
        assert await bench.respond(offset, bytes(4)) == expected, hex(offset)
    assert await bench.word(0) == int.from_bytes(b"hwgn", "little")


@scenario
async def honours_byte_strobes(dut):
    bench = await Bench.started(dut)
    await bench.put(SCRATCH, 0x11223344)
    await bench.put(SCRATCH + 1, 0xAA, size=1)
    assert await bench.word(SCRATCH) == 0x1122AA44
    await bench.put(SCRATCH + 2, 0xBBCC, size=2)
    assert await bench.word(SCRATCH) == 0xBBCCAA44
    assert await bench.respond(CONTROL + 1, b"\x03") == AxiResp.OKAY  # neither of the two bits
    assert await bench.word(CONTROL) == 0


@scenario
async def takes_address_and_data_in_any_order(dut):
    bench = await Bench.started(dut)
    write = bench.lite.write_if
    for late in (write.aw_channel, write.w_channel, write.b_channel):
        for value in (1, 2, 3):
            late.pause = True
            pending = cocotb.start_soon(bench.put(SCRATCH, value))
            await bench.pass_cycles(20)
            assert not pending.done()
            late.pause = False
            await pending
            assert await bench.word(SCRATCH) == value


@scenario
async def begins_anew_after_a_reset_of_the_design(dut):
    bench = await Bench.started(dut)
    size = bench.i_bytes
    for beats in (1, 3):
        await bench.source.send(bench.image(0)[: beats * size])
        await bench.source.wait()
        await bench.pass_cycles(20)
        await bench.soft_reset()
        assert await bench.word(STATUS) == 0
        await bench.source.send(bench.image(1))
        await bench.expect(1)
    assert (await bench.counts())["images"] == 1


@scenario
async def keeps_what_it_offered_during_a_reset_of_the_design(dut):
    """The monitor of m_axis looks on; nothing of the images before comes after the reset."""
    bench = await Bench.started(dut)
    bench.sink.pause = True
    for number in (0, 1, 2):
        bench.source.send_nowait(bench.image(number))
    while not int(dut.m_axis_tvalid.value):
        await RisingEdge(dut.aclk)
    await bench.pass_cycles(400)
    bench.source.clear()
    await bench.put(CONTROL, RESET)
    await bench.pass_cycles(50)
    assert await bench.word(CONTROL) == RESET
    await bench.put(CONTROL, SNAPSHOT)
    await bench.word(COUNTERS)  # answers, though no copy is made before the reset ends
    assert await bench.word(CONTROL) == RESET | SNAPSHOT
    assert int(dut.m_axis_tvalid.value)
    bench.sink.pause = False
    while await bench.word(CONTROL):
        pass
    await bench.pass_cycles(300)
    assert not int(dut.m_axis_tvalid.value)


@scenario
async def begins_anew_after_a_reset_of_everything(dut):
    bench = await Bench.started(dut)
    bench.sink.pause = True
    await bench.put(SCRATCH, 7)
    for beats in (2, 5):
        bench.source.send_nowait(bench.image(0) + bench.image(1)[: beats * bench.i_bytes])
        await bench.pass_cycles(150)
        await bench.reset()
        bench.source.clear()
        bench.sink.clear()
        assert await bench.word(SCRATCH) == 0
        assert await bench.counts() | {"cycles": 0} == dict.fromkeys(await bench.counts(), 0) | {
            "cycles": 0
        }
        bench.sink.pause = False
        await bench.source.send(bench.image(2))
        await bench.expect(2)
        bench.sink.pause = True
