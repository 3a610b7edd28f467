# amaranth: UnusedElaboratable=no
"""The serial port against waveforms written by hand."""

import re

import pytest
from amaranth.sim import Simulator

from hwgen_rtl.uart import Uart, UartParams

DIVISOR = 7


def levels(byte: int, stop: int = 1) -> list[int]:
    """The ten bits of a byte on the line."""
    return [0, *(byte >> k & 1 for k in range(8)), stop]


def simulate(bench, divisor: int = DIVISOR) -> None:
    uart = UartParams(divisor).create()
    simulator = Simulator(uart)
    simulator.add_clock(1e-6)

    async def run(ctx):
        ctx.set(uart.rx_pin, 1)
        await ctx.tick().repeat(4)
        await bench(ctx, uart)

    simulator.add_testbench(run)
    simulator.run()


def received(line: list[tuple[int, float]], *, takes: bool = True) -> list[int]:
    """Bytes that arrive while ``line``, levels and how many cycles they last, is driven."""
    found, at, end = [], 0.0, 0

    async def bench(ctx, uart: Uart):
        nonlocal at, end
        ctx.set(uart.rx.ready, takes)
        for level, cycles in [*line, (1, 3 * DIVISOR)]:
            ctx.set(uart.rx_pin, level)
            at += cycles
            while end < at:
                if ctx.get(uart.rx.valid) and takes:
                    found.append(ctx.get(uart.rx.payload))
                await ctx.tick()
                end += 1
        if ctx.get(uart.rx.valid) and not takes:
            found.append(ctx.get(uart.rx.payload))

    simulate(bench)
    return found


def lasting(bits: list[int], cycles: float = DIVISOR) -> list[tuple[int, float]]:
    return [(bit, cycles) for bit in bits]


BYTES = [0x00, 0xFF, 0x55, 0xA7, 0x7E, 0x80, 0x01]


@pytest.mark.parametrize("speed", [0.96, 1, 1.04])
def test_receives_bytes_of_a_sender_whose_clock_differs(speed):
    bits = [bit for byte in BYTES for bit in levels(byte)]
    assert received(lasting(bits, DIVISOR * speed)) == BYTES


def test_drops_a_byte_without_stop_bit_and_waits_for_rest():
    line = lasting([*levels(0x55, stop=0), 0, 0, 0, 1, *levels(0xA7)])
    assert received(line) == [0xA7]


def test_ignores_a_spike():
    assert received([(0, 2), (1, 4 * DIVISOR), *lasting(levels(0x31))]) == [0x31]


def test_a_byte_that_waits_stays_and_the_next_one_is_lost():
    assert received(lasting([*levels(0x31), *levels(0x32)]), takes=False) == [0x31]


@pytest.mark.parametrize("divisor", [4, DIVISOR])
def test_sends_ten_bits_a_byte_without_gaps(divisor):
    line = []

    async def bench(ctx, uart: Uart):
        assert ctx.get(uart.tx_pin) == 1
        left = list(BYTES)
        for _ in range((10 * len(BYTES) + 20) * divisor):
            ctx.set(uart.tx.valid, bool(left))
            ctx.set(uart.tx.payload, left[0] if left else 0)
            line.append(ctx.get(uart.tx_pin))
            if left and ctx.get(uart.tx.ready):
                left.pop(0)
            await ctx.tick()

    simulate(bench, divisor)
    expected = []
    for byte in BYTES:
        # one cycle in which the next byte is taken
        expected += [level for bit in levels(byte) for level in [bit] * divisor] + [1]
    start = line.index(0)
    assert line[start : start + len(expected)] == expected
    assert set(line[start + len(expected) :]) == {1}


def test_refuses_a_divisor_too_small():
    sentence = "divisor must be at least 4, not 3"
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        UartParams(3)
