"""What cocotb runs inside the simulator: start bursts of clock edges until the bench ends."""

import os
import time
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Timer

__all__ = ["run_bench"]


@cocotb.test()
async def run_bench(dut: Any) -> None:
    """Wake once per burst; the bench has the clock, the stimulus and the capture."""
    dut.go.value = 0
    dut.burst.value = int(os.environ["HWGEN_BURST"])
    await Timer(1, "step")
    start, go = time.perf_counter(), 0
    while not int(dut.finished.value):
        go ^= 1
        dut.go.value = go
        await Timer(1, "step")
    Path(os.environ["HWGEN_SECONDS"]).write_text(repr(time.perf_counter() - start))
