"""Clock cycles per second of the same Verilog in a plain C++ loop, in the library and in cocotb.

    python benchmarks/simulation_speed.py [BUILD] [--cycles N]

BUILD is a build folder; without one, the LeNet-5 of models/ is compiled. The plain loop toggles the
clock of ``top`` itself, feeds it, captures nothing and is what the others are held against.
``library`` is `hwgen run --engine rtl`, which captures the outputs; ``library, all nodes`` and
``cocotb`` (`hwgen verify`) capture every node. Builds are not in the times.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.build import Build
from hwgen.emit.beats import pack_beats
from hwgen.emit.manifest import Manifest, load_manifest
from hwgen.flow import compile_model
from hwgen.options import CompileOptions
from hwgen_sim.cosim import simulate
from hwgen_sim.cosim.tools import compiler, find_verilator, run_tool

MODEL = Path(__file__).parents[1] / "models" / "lenet5_adder"
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


def lenet(folder: Path) -> Path:
    """Compile the LeNet-5 at 3,200 cycles per image, calibrated on noise: its speed is the same."""
    pixels = np.random.default_rng(0).integers(0, 256, (16, 1, 28, 28), dtype=np.uint8)
    np.savez(folder / "noise.npz", images=pixels)
    options = CompileOptions(weights=MODEL / "weights.npz", target_cycles=3200)
    factory = f"{MODEL / 'network.py'}:lenet5_adder"
    return compile_model(factory, folder / "noise.npz", folder / "build", options)


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

    def engine(name: str, nodes: str) -> Callable[[], float]:
        def run() -> float:
            result = simulate(path, manifest, inputs, engine=name, nodes=nodes)
            return result.cycles / result.seconds

        return run

    program = plain_program(path, folder)
    ways = {
        "plain": lambda: plain_speed(program, manifest, inputs),
        "library": engine("library", "output"),
        "library, all nodes": engine("library", "all"),
        "cocotb": engine("cocotb", "all"),
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
        build = Build(options.build or lenet(folder))
        manifest = load_manifest(build.manifest)
        speeds = measure(build.verilog, manifest, options.cycles, folder)
    print(f"{manifest.name}: cycles per second")
    for way, speed in speeds.items():
        target = f" (target {TARGETS[way]})" if way in TARGETS else ""
        print(f"  {way:18} {speed:12,.0f}   {speed / speeds['plain']:.2f} of plain{target}")


if __name__ == "__main__":
    main()
