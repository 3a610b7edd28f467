"""Clock cycles per second of the same Verilog in a plain C++ loop, in the library and in cocotb.

    python benchmarks/simulation_speed.py [BUILD] [--cycles N]

BUILD is a build folder; without one, a synthetic array of 8 x 25 lanes abs(x - w) of 8 bits. The
plain loop toggles the clock of ``top`` itself, captures nothing and is what others are held
against; the two engines feed, stall and capture every node. Builds are not in the times.
"""

import argparse
import random
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from amaranth.back import verilog
from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hwgen.build import Build
from hwgen.emit.manifest import Manifest, Stream, load_manifest
from hwgen_rtl.numerics import IntType
from hwgen_sim.cosim import simulate
from hwgen_sim.cosim.beats import pack_beats
from hwgen_sim.cosim.tools import compiler, find_verilator, run_tool

ROWS, LANES, STEPS = 8, 25, 16
ROUNDS = 5
TARGETS = {"library": 0.95, "cocotb": 0.5}

PLAIN = r"""
#include "Vtop.h"
#include "verilated.h"
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>
int main(int, char** argv) {
    const size_t beat = std::atol(argv[2]);
    const long beats = std::atol(argv[3]);
    std::vector<char> data(beat * beats);
    FILE* file = std::fopen(argv[1], "rb");
    if (std::fread(data.data(), beat, beats, file) != size_t(beats)) return 1;
    VerilatedContext context;
    Vtop top{&context};
    long sent = 0, received = 0, cycles = 0;
    const long wanted = std::atol(argv[4]);
    const auto start = std::chrono::steady_clock::now();
    for (top.o___05Fready = 1; received < wanted; ++cycles) {
        top.rst = cycles < 4;
        top.clk = 0;
        top.i___05Fvalid = sent < beats;
        if (sent < beats)
            std::memcpy(&top.i___05Fpayload, &data[beat * sent],
                        std::min(beat, sizeof top.i___05Fpayload));
        top.eval();
        received += !top.rst && top.o___05Fvalid;
        sent += !top.rst && top.i___05Fvalid && top.i___05Fready;
        top.clk = 1;
        top.eval();
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%.0f\n", cycles / seconds.count());
}
"""


class Row(wiring.Component):
    """o = sum over STEPS beats of sum(|x[k] - w[k]|), one beat per cycle while ``go``."""

    go: Signal
    step: Signal
    start: Signal
    add: Signal
    x: Signal
    o: Signal

    def __init__(self, seed: int):
        self._weights = [random.Random(STEPS * seed + k).randbytes(LANES) for k in range(STEPS)]
        ports = {"go": In(1), "step": In(range(STEPS)), "start": In(1), "add": In(1)}
        super().__init__({**ports, "x": In(8 * LANES), "o": Out(20)})

    def elaborate(self, platform):
        m = Module()
        words = [int.from_bytes(word, "little") for word in self._weights]
        rom = memory.Memory(shape=8 * LANES, depth=STEPS, init=words)
        m.submodules.rom = rom
        port = rom.read_port()
        m.d.comb += [port.addr.eq(self.step), port.en.eq(self.go)]

        def register(value: Value) -> Value:
            held = Signal(value.shape())
            with m.If(self.go):
                m.d.sync += held.eq(value)
            return held

        terms = []
        for k in range(LANES):
            x, w = self.x[8 * k : 8 * k + 8], port.data[8 * k : 8 * k + 8]
            terms.append(register(Mux(x > w, x - w, w - x)[:8]))
        while len(terms) > 1:
            pairs = [terms[k : k + 2] for k in range(0, len(terms), 2)]
            terms = [register(pair[0] + pair[1] if pair[1:] else pair[0]) for pair in pairs]
        with m.If(self.go & self.add):
            m.d.sync += self.o.eq(Mux(self.start, 0, self.o) + terms[0])
        return m


class Conv(wiring.Component):
    """ROWS rows that share their input."""

    i: stream.Interface
    o: stream.Interface

    DEPTH = 7
    """Cycles from a beat to its sum: the memory, the lanes and five levels of the tree."""

    def __init__(self):
        i, o = stream.Signature(8 * LANES), stream.Signature(20 * ROWS)
        super().__init__({"i": In(i), "o": Out(o)})

    def elaborate(self, platform):
        m = Module()
        go, step, x = Signal(), Signal(range(STEPS)), Signal(8 * LANES)
        m.d.comb += [go.eq(~self.o.valid | self.o.ready), self.i.ready.eq(go)]
        with m.If(go & self.i.valid):
            m.d.sync += step.eq(step + 1)
        flags = Cat(self.i.valid, step == 0, step == STEPS - 1)
        for _ in range(self.DEPTH):
            held = Signal(3)
            with m.If(go):
                m.d.sync += held.eq(flags)
            flags = held
        with m.If(go):
            m.d.sync += [x.eq(self.i.payload), self.o.valid.eq(flags[0] & flags[2])]
        for k in range(ROWS):
            m.submodules[f"row{k}"] = row = Row(k)
            m.d.comb += [row.go.eq(go), row.step.eq(step), row.x.eq(x)]
            m.d.comb += [row.add.eq(flags[0]), row.start.eq(flags[1])]
            m.d.comb += self.o.payload[20 * k : 20 * k + 20].eq(row.o)
        return m


class Top(wiring.Component):
    """A generated design in shape: one node below the top."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self):
        i, o = stream.Signature(8 * LANES), stream.Signature(20 * ROWS)
        super().__init__({"i": In(i), "o": Out(o)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.conv = conv = Conv()
        wiring.connect(m, wiring.flipped(self.i), conv.i)
        wiring.connect(m, conv.o, wiring.flipped(self.o))
        return m


def synthetic(folder: Path) -> tuple[Path, Manifest]:
    """Write the synthetic design; its image is STEPS beats and gives one output beat."""
    path = folder / "top.v"
    path.write_text(verilog.convert(Top(), name="top", emit_src=False))

    def tensor(node: str, shape: tuple[int, ...], kind: str, lanes: int) -> Stream:
        layout = {"type": IntType.parse(kind), "lanes": lanes, "instance": ""}
        return Stream(node=node, kind="synthetic", shape=shape, scale=(1.0,), **layout)

    manifest = Manifest(
        name="synthetic",
        hwgen="",
        config_hash="",
        verilog_sha256="",
        input=tensor("x", (LANES * STEPS,), "uint8", LANES),
        output=tensor("conv", (ROWS,), "uint20", ROWS),
        nodes=(),
        aliases={},
        mean=(0.0,),
        std=(1.0,),
        settled_cycles=0,
        latency_cycles=STEPS + Conv.DEPTH,
        interval_cycles=STEPS,
        versions={},
    )
    return path, manifest


def plain_program(path: Path, folder: Path) -> Path:
    """Build ``top`` alone, in a loop that toggles its clock."""
    tool, objects, log = find_verilator(), folder / "plain", folder / "plain.log"
    options = ("--cc", "--prefix", "Vtop", "--top-module", "top", "-O3", "--x-assign", "fast")
    quiet = ("-Wno-fatal", "-Wno-lint", "-Wno-style", "--Mdir", objects)
    run_tool("Verilator", (tool.program, *options, *quiet, path), log, env=tool.environment)
    (objects / "main.cpp").write_text(PLAIN)
    include = tool.root / "include"
    runtime = [include / f"{name}.cpp" for name in ("verilated", "verilated_threads")]
    flags = ("-O2", "-w", f"-I{objects}", f"-I{include}", f"-I{include / 'vltstd'}")
    sources = (*sorted(objects.glob("*.cpp")), *runtime)
    run_tool("C++", (compiler()[0], *flags, *sources, "-lpthread", "-o", objects / "run"), log)
    return objects / "run"


def plain_speed(program: Path, manifest: Manifest, inputs: NDArray) -> float:
    """Cycles per second of the plain loop on these images."""
    words = pack_beats(inputs, manifest.input)
    data = program.with_name("beats.bin")
    words.astype("<u8").tofile(data)
    counts = (8 * words.shape[1], len(words), len(inputs) * manifest.output.beats)
    command = [str(word) for word in (program, data, *counts)]
    return float(subprocess.run(command, check=True, capture_output=True).stdout)


def measure(path: Path, manifest: Manifest, cycles: int, folder: Path) -> dict[str, float]:
    """Cycles per second of each way, best of several: other work on the machine only slows."""
    kind, shape = manifest.input.type, manifest.input.shape
    count = max(2, cycles // max(1, manifest.interval_cycles))
    inputs = np.random.default_rng(0).integers(kind.low, kind.high, (count, *shape), endpoint=True)

    def engine(name: str) -> Callable[[], float]:
        def run() -> float:
            result = simulate(path, manifest, inputs, engine=name)
            return result.cycles / result.seconds

        return run

    program = plain_program(path, folder)
    ways = {
        "plain": lambda: plain_speed(program, manifest, inputs),
        "library": engine("library"),
        "cocotb": engine("cocotb"),
    }
    rounds = [{name: way() for name, way in ways.items()} for _ in range(ROUNDS)]
    return {name: max(speeds[name] for speeds in rounds) for name in ways}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", nargs="?", type=Path)
    parser.add_argument("--cycles", type=int, default=400_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.build:
            build = Build(options.build)
            path, manifest = build.verilog, load_manifest(build.manifest)
        else:
            path, manifest = synthetic(folder)
        speeds = measure(path, manifest, options.cycles, folder)
    print(f"{manifest.name}: cycles per second")
    for way, speed in speeds.items():
        target = f" (target {TARGETS[way]})" if way in TARGETS else ""
        print(f"  {way:8} {speed:12,.0f}   {speed / speeds['plain']:.2f} of plain{target}")


if __name__ == "__main__":
    main()
