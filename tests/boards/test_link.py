# amaranth: UnusedElaboratable=no
"""The host link, byte by byte, against frames written by hand."""

import re
import struct
from dataclasses import replace

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.sim import Simulator

from hwgen_rtl.uart import UartParams
from tests.boards.link_bench import PARAMS, Bench, frame_of, result_of, simulate

IDENTIFY, RESET, LOAD, READ, COUNTERS = 1, 2, 3, 4, 5
S, N = 0xA5, 0xFE  # session and number of its RESET; numbers wrap


def beats(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}H", *values)


def results(*values: int) -> bytes:
    return b"".join(value.to_bytes(3, "little") for value in values)


def number(step: int) -> int:
    return (N + step) % 256


async def opened(bench: Bench) -> None:
    assert await bench.ask(RESET, S, N) == bytes([0x82, S, N])


async def load(bench: Bench, step: int, data: bytes) -> tuple[int, ...]:
    answer = await bench.ask(LOAD, S, number(step), data)
    assert answer[:3] == bytes([0x83, S, number(step)])
    return struct.unpack("<BB", answer[3:])


async def read(bench: Bench, step: int) -> bytes:
    answer = await bench.ask(READ, S, number(step))
    assert answer[:3] == bytes([0x84, S, number(step)])
    return answer[3:]


async def counted(bench: Bench) -> tuple[int, ...]:
    answer = await bench.ask(COUNTERS, 0, 0)
    assert answer[:3] == bytes([0x85, 0, 0])
    return struct.unpack("<QQQQ", answer[3:])


def test_identifies_itself_without_a_session():
    async def body(bench: Bench):
        await bench.send(bytes.fromhex("7e 01 00 05 aa 47 e9 8e 7e"))  # as in the documentation
        heard = await bench.hear()
        sizes = struct.pack("<HHII", 12, 20, 2, 1)
        fields = b"\x01" + bytes.fromhex("efcdab8967452301") + sizes
        assert heard == frame_of(bytes([0x81, 0, 5]) + fields)

    simulate(body)


def test_gives_the_results_of_what_was_loaded():
    async def body(bench: Bench):
        await opened(bench)
        assert await load(bench, 1, beats(5, 7, 0xFFF, 0x7E)[:5]) == (1, 3)
        assert await load(bench, 2, beats(5, 7, 0xFFF, 0x7E)[5:]) == (1, 6)
        assert await read(bench, 3) == results(result_of(5, 7), result_of(0xFFF, 0x7E))
        assert await read(bench, 4) == b""

    simulate(body)


@pytest.mark.slow
def test_every_byte_value_passes():
    async def body(bench: Bench):
        await opened(bench)
        pairs = [(first, 255 - first) for first in range(256)]
        step, got = 0, b""
        for start in range(0, 256, 32):
            step += 1
            part = [value for pair in pairs[start : start + 32] for value in pair]
            assert (await load(bench, step, beats(*part)))[0] == 1
            while len(got) < 3 * (start + 32):  # results take longer than answers
                step += 1
                got += await read(bench, step)
        assert got == results(*(result_of(*pair) for pair in pairs))

    simulate(body)


def test_a_repeated_request_does_not_act_twice():
    async def body(bench: Bench):
        await opened(bench)
        for _ in range(3):
            assert (await load(bench, 1, beats(5, 7)))[0] == 1
        for _ in range(3):
            assert await read(bench, 2) == results(result_of(5, 7))
        assert await load(bench, 3, beats(8)) == (1, 0)
        await load(bench, 4, beats(9))
        assert await read(bench, 5) == results(result_of(8, 9))

    simulate(body)


def damaged() -> dict[str, bytes]:
    """Bytes that are no request, though most look nearly like one."""
    good = frame_of(bytes([LOAD, S, number(1)]) + beats(1, 2))
    flipped = bytes([*good[:5], good[5] ^ 4, *good[6:]])
    return {
        "nothing": b"\x7e\x7e\x7e",
        "flipped bit": flipped,
        "dropped byte": good[:4] + good[5:],
        "inserted byte": good[:4] + b"\x00" + good[4:],
        "cut": good[:-4] + b"\x7e",
        "given up": good[:-1] + b"\x7d\x7e",
        "CRC of nothing": b"\x7e\x00\x00\x00\x00\x7e",
        "header too short": frame_of(bytes([READ, S])),
        "noise": bytes(range(200, 256)) + b"\x7d",
    }


@pytest.mark.parametrize("kind", damaged())
def test_what_is_damaged_is_ignored(kind):
    async def body(bench: Bench):
        await opened(bench)
        await bench.send(damaged()[kind])
        assert await bench.hear() == b""
        await load(bench, 1, beats(5, 7))
        assert await read(bench, 2) == results(result_of(5, 7))

    simulate(body)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ((LOAD, S, number(2)), 0xC3),
        ((LOAD, S, number(0) - 1), 0xC3),
        ((READ, S, number(2)), 0xC4),
        ((READ, S ^ 1, number(1)), 0xC4),
        ((77, S, number(1)), 77 | 0xC0),
    ],
)
def test_refuses_what_does_not_follow(request_, answer):
    async def body(bench: Bench):
        await opened(bench)
        assert await bench.ask(*request_, beats(1, 2)) == bytes([answer, *request_[1:]])
        await load(bench, 1, beats(5, 7))
        assert await read(bench, 2) == results(result_of(5, 7))

    simulate(body)


def test_refuses_before_a_session():
    async def body(bench: Bench):
        for command in (LOAD, READ):
            for step in (0, 1):
                assert await bench.ask(command, 0, step) == bytes([command | 0xC0, 0, step])

    simulate(body)


def test_reset_forgets_half_an_image_and_results():
    async def body(bench: Bench):
        await opened(bench)
        await load(bench, 1, beats(1, 2, 3) + b"\x04")  # and half a beat
        await bench.ask(RESET, S + 1, 9)
        assert (await bench.ask(READ, S + 1, 10))[3:] == b""
        await bench.ask(LOAD, S + 1, 11, beats(5, 7))
        assert (await bench.ask(READ, S + 1, 12))[3:] == results(result_of(5, 7))

    simulate(body)


@pytest.mark.slow
def test_a_full_queue_takes_nothing_and_loses_nothing():
    async def body(bench: Bench):
        await opened(bench)
        bench.ctx.set(bench.design.pause, 1)
        part = beats(*range(100, 180))
        # 512 bytes of queue, in which a request needs room for its CRC; a beat waits in front of
        # the design, and one byte behind it
        assert [await load(bench, step, part) for step in range(1, 6)] == [(1, 0)] * 3 + [
            (0, 0)
        ] * 2
        assert await load(bench, 6, part[:32]) == (0, 0)
        assert await load(bench, 6, part[:30]) == (0, 0)
        assert await load(bench, 7, part[:30]) == (1, 0)
        bench.ctx.set(bench.design.pause, 0)
        values = [*struct.unpack("<80H", part)] * 3 + [*struct.unpack("<15H", part[:30])]
        wanted = [result_of(*values[k : k + 2]) for k in range(0, len(values) - 1, 2)]
        got = b"".join([await read(bench, step) for step in range(8, 12)])
        assert got == results(*wanted)

    simulate(body)


@pytest.mark.slow
def test_counters_are_exact_and_of_one_instant():
    async def body(bench: Bench):
        await opened(bench)
        assert (await counted(bench))[1:] == (0, 0, 0)
        bench.ctx.set(bench.design.pause, 1)
        await load(bench, 1, beats(*range(20)))
        for _ in range(700):
            await bench.tick()
        bench.ctx.set(bench.design.pause, 0)
        for _ in range(700):
            await bench.tick()
        before = bench.cycles
        cycles, *others = await counted(bench)
        assert before < cycles < bench.cycles
        assert others == [bench.input_stalls, bench.output_stalls, 10]
        assert bench.images == 10
        assert bench.input_stalls > 700
        assert bench.output_stalls > 10
        again = await counted(bench)
        assert again[1:] == (*others,)
        await bench.ask(RESET, S, N)
        fresh = await counted(bench)
        assert fresh[0] < bench.cycles
        assert fresh[1:] == (0, 0, 0)

    simulate(body, replace(PARAMS, o_bits=160))  # 20 cycles a result, so that the design waits


@pytest.mark.timeout(60)
def test_answers_through_a_serial_port():
    """Pins driven and read by hand, ten bits a byte."""
    divisor = 8
    m = Module()
    m.submodules.uart = uart = UartParams(divisor).create()
    m.submodules.link = link = PARAMS.create()
    wiring.connect(m, uart.rx, link.rx)
    wiring.connect(m, link.tx, uart.tx)
    heard = bytearray()

    async def talk(ctx):
        ctx.set(uart.rx_pin, 1)
        await ctx.tick().repeat(20)
        for byte in b"garbage" + bytes.fromhex("7e 01 00 05 aa 47 e9 8e 7e"):
            for level in (0, *(byte >> k & 1 for k in range(8)), 1):
                ctx.set(uart.rx_pin, level)
                await ctx.tick().repeat(divisor)

    async def listen(ctx):
        while heard.count(0x7E) < 2:
            await ctx.tick().until(~uart.tx_pin)
            await ctx.tick().repeat(divisor // 2)
            levels = []
            for _ in range(9):
                await ctx.tick().repeat(divisor)
                levels.append(ctx.get(uart.tx_pin))
            assert levels[8] == 1
            heard.append(sum(level << k for k, level in enumerate(levels[:8])))

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(talk)
    simulator.add_testbench(listen)
    simulator.run()
    fields = b"\x01" + bytes.fromhex("efcdab8967452301") + struct.pack("<HHII", 12, 20, 2, 1)
    assert heard == frame_of(bytes([0x81, 0, 5]) + fields)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"i_bits": 0}, "i_bits must be 1 to 65535, not 0"),
        ({"o_beats": 1 << 32}, "o_beats must be 1 to 4294967295, not 4294967296"),
        ({"build": -1}, "build must be 0 to 18446744073709551615, not -1"),
    ],
)
def test_refuses_parameters(change, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        replace(PARAMS, **change)
