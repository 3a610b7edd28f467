"""Run the generated Verilog on images and bring back what every node put out."""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.emit.beats import pack_beats
from hwgen.emit.manifest import Manifest, Stream
from hwgen.errors import BuildError, InputError
from hwgen_sim.cosim.bench import bench_text, probes
from hwgen_sim.cosim.engines import run_cocotb, run_library
from hwgen_sim.cosim.icarus import icarus_command
from hwgen_sim.cosim.result import Capture, SimResult, read_capture
from hwgen_sim.cosim.saif import Saif
from hwgen_sim.cosim.tools import require_cocotb
from hwgen_sim.cosim.verilated import build_model
from hwgen_sim.cosim.waves import Waves

__all__ = ["simulate"]

_CHOICES = {
    "simulator": ("verilator", "icarus"),
    "engine": ("cocotb", "library"),
    "nodes": ("all", "output"),
}


def simulate(
    verilog: Path,
    manifest: Manifest,
    inputs: NDArray,
    *,
    simulator: str = "verilator",
    engine: str = "cocotb",
    stalls: int = 0,
    density: float = 0.9,
    nodes: str = "all",
    waves: Waves | None = None,
    saif: Saif | None = None,
    idle_limit: int | None = None,
) -> SimResult:
    """Simulate ``verilog`` on (N, *shape) integers and return every observed node's integers.

    Parameters:
        simulator  : "verilator" or "icarus" (slower, only through cocotb)
        engine     : "cocotb", or "library" for the same objects inside this process
        stalls     : seed of random stalls at input and output; 0 for none
        density    : largest share of stalled cycles; each side redraws its own every 128 cycles
        nodes      : "all" or "output"
        waves      : part of the run to write as VCD (Verilator, through the library)
        saif       : files for the toggles of all nets (the same); registers without an initial
                     value start at 0, as in an FPGA
        idle_limit : cycles without any transfer that count as a deadlock

    Raises:
        InputError, BuildError : unusable images or Verilog
        CheckFailed            : a deadlock, or beats too many, with the state of every stream
        ToolMissing, ToolFailed
    """
    _check_choices(simulator=simulator, engine=engine, nodes=nodes)
    _check_inputs(inputs, manifest.input)
    record = _record(waves, saif)
    if simulator == "icarus" and (record or engine == "library"):
        raise InputError("Icarus runs through cocotb only and writes no waves; use verilator.")
    if not verilog.is_file():
        raise BuildError(f"{verilog} is missing; run 'hwgen compile' again.")
    way = f"{simulator} through {'library' if record else engine}"
    observed = probes(manifest, nodes)
    with tempfile.TemporaryDirectory(prefix="hwgen-") as name:
        folder = Path(name)
        _write_stimulus(inputs, manifest.input, folder / "stimulus.bin")
        limit = idle_limit or _idle_limit(manifest)
        plusargs = _plusargs(folder, len(inputs), stalls, density, limit, manifest.settled_cycles)
        plusargs += _undefined(stalls, zero=saif is not None)
        bench = bench_text(observed, manifest.joins)
        seconds = _run(way, verilog, bench, plusargs, record, folder)
        capture = read_capture(folder, observed, manifest.joins, len(inputs))
    return _result(capture, manifest, seconds, way, stalls)


def _run(
    way: str,
    verilog: Path,
    bench: str,
    plusargs: list[str],
    record: Waves | Saif | None,
    folder: Path,
) -> float:
    if way.endswith("cocotb"):
        require_cocotb()
    if way == "icarus through cocotb":
        return run_cocotb(icarus_command(verilog, bench), plusargs, folder)
    trace = {Saif: "saif", Waves: "vcd"}.get(type(record), "")
    model = build_model(verilog, bench, trace=trace)
    if way == "verilator through cocotb":
        return run_cocotb((model.executable,), plusargs, folder)
    return run_library(model.library, plusargs, record)


def _record(waves: Waves | None, saif: Saif | None) -> Waves | Saif | None:
    if waves and saif:
        raise ValueError("waves and saif must not both be given")
    return waves or saif


def _check_choices(**chosen: str) -> None:
    for name, value in chosen.items():
        if value not in _CHOICES[name]:
            raise ValueError(f"{name} must be one of {_CHOICES[name]}, not {value!r}")


def _check_inputs(inputs: NDArray, stream: Stream) -> None:
    if inputs.shape[1:] != stream.shape or len(inputs) == 0:
        raise InputError(f"inputs must be (N, *{stream.shape}) with N >= 1, not {inputs.shape}.")
    if not np.issubdtype(inputs.dtype, np.integer) or not stream.type.holds(inputs):
        raise InputError(f"inputs must hold integers of {stream.type}; these do not fit.")


def _write_stimulus(inputs: NDArray, stream: Stream, path: Path) -> None:
    size = -(-stream.width // 8)
    words = pack_beats(inputs, stream).astype("<u8").view(np.uint8)
    words[:, size - 1 :: -1].tofile(path)  # $fread takes the most significant byte first


def _idle_limit(manifest: Manifest) -> int:
    # Generous: stalls stretch a run, and a wrong prediction must not look like a deadlock.
    return max(100_000, 20 * (manifest.latency_cycles + manifest.interval_cycles))


def _plusargs(
    folder: Path, images: int, seed: int, density: float, idle: int, start: int
) -> list[str]:
    if not 0 <= density < 1:
        raise ValueError(f"density must be from 0 to below 1, not {density!r}")
    values = {
        "dir": folder,
        "images": images,
        "stalls": seed & 0xFFFF_FFFF,
        "density": int(256 * density),
        "idle": idle,
        "start": start,
    }
    return [f"+{name}={value}" for name, value in values.items()]


def _undefined(seed: int, zero: bool) -> list[str]:
    """Registers without an initial value start with random bits, not with a flattering zero."""
    bits = 0 if zero else 2
    return [f"+verilator+rand+reset+{bits}", f"+verilator+seed+{1 + seed % 1_000_000}"]


def _result(
    capture: Capture, manifest: Manifest, seconds: float, simulator: str, stalls: int
) -> SimResult:
    ends = capture.transfers[manifest.output.node][:, -1]
    start = capture.transfers[manifest.input.node][0, 0]
    return SimResult(
        arrays=capture.arrays,
        transfers=capture.transfers,
        cycles=capture.cycles,
        latency_cycles=int(ends[0] - start),
        interval_cycles=int(ends[-1] - ends[-2]) if len(ends) > 1 else 0,
        seconds=seconds,
        simulator=simulator,
        stalls=stalls,
    )
