"""Runs the tests of `tests.boards.axi_bench` around the core of a design, in Verilator."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from numpy.typing import NDArray

from hwgen.emit.beats import pack_beats
from hwgen.emit.identity import identity_of
from hwgen.emit.manifest import Manifest, Stream
from hwgen.emit.verilog import rtlil_of, verilog_of
from hwgen_boards.axi_top import CORE, AxiCore
from hwgen_sim.cosim.engines import cocotb_environment
from hwgen_sim.cosim.verilated import build_model

__all__ = ["Cosim", "table_of_registers"]

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "boards.md"
PUBLIC = "/* verilator public_flat_rw */"


def _lines(i_bits: int, o_bits: int) -> list[tuple[str, int, str]]:
    """Ports of a core as AMBA names them: direction, bits, name."""
    lite = [(d, b, f"s_axi_lite_{n}") for d, b, n in _LITE]
    return [
        ("input", 1, "aclk"),
        ("input", 1, "aresetn"),
        ("input", i_bits, "s_axis_tdata"),
        ("input", 1, "s_axis_tvalid"),
        ("output", 1, "s_axis_tready"),
        ("input", 1, "s_axis_tlast"),
        ("output", o_bits, "m_axis_tdata"),
        ("output", 1, "m_axis_tvalid"),
        ("input", 1, "m_axis_tready"),
        ("output", 1, "m_axis_tlast"),
        *lite,
    ]


_LITE = [
    *[("input", 12, "awaddr"), ("input", 3, "awprot")],
    *[("input", 1, "awvalid"), ("output", 1, "awready")],
    *[("input", 32, "wdata"), ("input", 4, "wstrb")],
    *[("input", 1, "wvalid"), ("output", 1, "wready")],
    *[("output", 2, "bresp"), ("output", 1, "bvalid"), ("input", 1, "bready")],
    *[("input", 12, "araddr"), ("input", 3, "arprot")],
    *[("input", 1, "arvalid"), ("output", 1, "arready")],
    *[("output", 32, "rdata"), ("output", 2, "rresp")],
    *[("output", 1, "rvalid"), ("input", 1, "rready")],
]


def padded(bits: int) -> int:
    """TDATA bits as docs/boards.md says: the first of these that holds a beat."""
    return next(size for size in (8, 16, 32, 64, 128, 256, 512, 1024) if size >= bits)


def ports_of(manifest: Manifest) -> list[tuple[str, int, str]]:
    """Ports that the core of a build must have: direction, bits, name."""
    return _lines(padded(manifest.input.width), padded(manifest.output.width))


def _bench(manifest: Manifest) -> str:
    ports = ports_of(manifest)
    listed = ",\n  ".join(f"{way} wire [{bits - 1}:0] {name} {PUBLIC}" for way, bits, name in ports)
    return f"module bench(\n  {listed});\n  {CORE} core(.*);\nendmodule\n"


def table_of_registers() -> dict[str, tuple[str, ...]]:
    """Offset -> name, access and meaning, from docs/boards.md."""
    rows = [line.strip("| ").split(" | ") for line in DOCUMENT.read_text().splitlines()]
    return {row[0]: tuple(row[1:]) for row in rows if len(row) == 4 and row[0].startswith("0x")}


@dataclass(frozen=True)
class Cosim:
    """A built simulator, and the file with its images and the results they must give."""

    program: Path
    vectors: Path

    @classmethod
    def of(cls, verilog: str, manifest: Manifest, x: NDArray, y: NDArray, folder: Path) -> "Cosim":
        """The core around ``verilog``; ``x`` are images and ``y`` what they must give."""
        core = verilog_of(rtlil_of(AxiCore(identity_of(manifest)), CORE))
        source, vectors = folder / "core.v", folder / "vectors.json"
        source.write_text(core + verilog)
        registers = table_of_registers()
        document = {
            "images": _beats(x, manifest.input),
            "results": _beats(y, manifest.output),
            "i_bytes": padded(manifest.input.width) // 8,
            "o_bytes": padded(manifest.output.width) // 8,
            "config_hash": manifest.config_hash,
            "sizes": [
                *(manifest.input.width, manifest.output.width),
                *(manifest.input.beats, manifest.output.beats),
            ],
            "readable": list(registers),
            "writable": [at for at, row in registers.items() if row[1] == "read and write"],
        }
        vectors.write_text(json.dumps(document))
        return cls(build_model(source, _bench(manifest)).executable, vectors)

    def run(self, test: str, folder: Path) -> None:
        """Run one test; AssertionError with the simulator's output where it fails."""
        results = folder / "results.xml"
        env = cocotb_environment("tests.boards.axi_bench") | {
            "COCOTB_TEST_FILTER": f"\\b{test}$",
            "COCOTB_TRUST_INERTIAL_WRITES": "0",
            "COCOTB_RESULTS_FILE": str(results),
            "AXI_VECTORS": str(self.vectors),
        }
        done = subprocess.run([self.program], cwd=folder, env=env, capture_output=True, text=True)
        told = done.stdout + done.stderr
        assert results.is_file(), told
        cases = list(ElementTree.parse(results).iter("testcase"))
        passed = [case.get("name") for case in cases if case.find("failure") is None]
        assert [case.get("name") for case in cases] == passed == [test], told


def _beats(values: NDArray, stream: Stream) -> list[list[int]]:
    words = pack_beats(values, stream).reshape(len(values), stream.beats, -1)
    return [[sum(int(w) << 64 * n for n, w in enumerate(beat)) for beat in x] for x in words]
