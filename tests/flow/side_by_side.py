"""Many small designs in one Verilog text and one simulation, so that C++ is compiled once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template

import numpy as np
from numpy.typing import NDArray

from hwgen.emit.beats import pack_beats, unpack_beats
from hwgen.emit.emit import describe
from hwgen.emit.manifest import Stream
from hwgen.emit.verilog import to_verilog
from hwgen.lower.top import Design, Port, lower
from hwgen.schedule.plan import Plan
from hwgen_sim.cosim.engines import run_library
from hwgen_sim.cosim.verilated import build_model
from tests.random_graphs import Sample

__all__ = ["Case", "Found", "simulate_all"]


@dataclass(frozen=True)
class Case:
    """A design and what is sent through it."""

    plan: Plan
    sample: Sample


@dataclass(frozen=True)
class Found:
    """What left a design: integers (N, *shape), and the last cycle of every image."""

    values: NDArray
    ends: tuple[int, ...]


def simulate_all(cases: Sequence[Case], folder: Path) -> list[Found]:
    """Run all designs at once in Verilator; image ends count from each one's first input beat."""
    texts = [
        to_verilog(_renamed(lower(case.plan), f"d{n}_"), f"d{n}") for n, case in enumerate(cases)
    ]
    (folder / "designs.v").write_text("\n".join(texts))
    streams = [_streams(case.plan) for case in cases]
    for n, (case, (i, _)) in enumerate(zip(cases, streams, strict=True)):
        _write_words(pack_beats(case.sample.images, i), i.width, folder / f"{n}.hex")
    lanes = [_lane(n, case, *streams[n]) for n, case in enumerate(cases)]
    dones = ", ".join(f"done{n}" for n in range(len(cases)))
    bench = _BENCH.substitute(lanes="\n".join(lanes), dones=dones)
    model = build_model(folder / "designs.v", bench)
    run_library(model.library, [f"+dir={folder}", "+verilator+rand+reset+2", "+verilator+seed+1"])
    return [
        _read(folder / f"{n}.txt", len(cases[n].sample.images), *streams[n])
        for n in range(len(cases))
    ]


def _renamed(design: Design, prefix: str) -> Design:
    """The same design with other part names, so that no two have a module of one name."""

    def named(port: Port) -> Port:
        return replace(port, part=port.part and prefix + port.part)

    wires = tuple(replace(w, source=named(w.source), reader=named(w.reader)) for w in design.wires)
    return Design({prefix + name: part for name, part in design.parts.items()}, wires)


def _streams(plan: Plan) -> tuple[Stream, Stream]:
    manifest = describe(plan, "", "")
    return manifest.input, manifest.output


def _lane(n: int, case: Case, i: Stream, o: Stream) -> str:
    images, calm = len(case.sample.images), case.sample.calm
    return _LANE.substitute(
        n=n,
        i_width=i.width,
        o_width=o.width,
        i_beats=i.beats * images,
        o_beats=o.beats * images,
        i_calm=i.beats * calm,
        o_calm=o.beats * calm,
        seed=case.sample.stalls,
        start=case.plan.settled,
    )


def _write_words(words: NDArray, width: int, path: Path) -> None:
    """Payloads (beats, 64-bit words) as hexadecimal numbers."""
    numbers = (sum(int(word) << 64 * k for k, word in enumerate(row)) for row in words)
    path.write_text("".join(f"{number:0{-(-width // 4)}x}\n" for number in numbers))


def _read(path: Path, images: int, i: Stream, o: Stream) -> Found:
    """The file of one design: ``i cycle`` of the first input, then ``cycle payload`` of outputs."""
    (_, start), *rows = (line.split() for line in path.read_text().splitlines())
    if len(rows) != images * o.beats:
        raise AssertionError(f"{path.stem} gave {len(rows)} beats, not {images * o.beats}")
    numbers = [int(payload, 16) for _, payload in rows]
    words = [[n >> 64 * k & (1 << 64) - 1 for k in range(-(-o.width // 64))] for n in numbers]
    ends = [int(cycle) - int(start) for cycle, _ in rows[o.beats - 1 :: o.beats]]
    return Found(unpack_beats(np.array(words, dtype=np.uint64), o), tuple(ends))


_LANE = Template("""\
  wire done$n, i_valid$n, i_ready$n, o_valid$n, o_ready$n;
  wire [$i_width-1:0] i$n;
  wire [$o_width-1:0] o$n;
  lane #(
    .NAME("$n"), .I_WIDTH($i_width), .O_WIDTH($o_width), .I_BEATS($i_beats), .O_BEATS($o_beats),
    .I_CALM($i_calm), .O_CALM($o_calm), .SEED($seed), .START($start)
  ) lane$n (
    .clk(clk), .rst(rst), .cycle(cycle[31:0]), .done(done$n),
    .i(i$n), .i_valid(i_valid$n), .i_ready(i_ready$n),
    .o(o$n), .o_valid(o_valid$n), .o_ready(o_ready$n)
  );
  d$n dut$n (
    .clk(clk), .rst(rst),
    .i__payload(i$n), .i__valid(i_valid$n), .i__ready(i_ready$n),
    .o__payload(o$n), .o__valid(o_valid$n), .o__ready(o_ready$n)
  );
""")

_BENCH = Template("""\
`timescale 1ns/1ns
// Sends one design its beats and writes what leaves it; stalls begin after the calm beats.
module lane #(
  parameter NAME = "", I_WIDTH = 1, O_WIDTH = 1, I_BEATS = 1, O_BEATS = 1,
  parameter I_CALM = 0, O_CALM = 0, SEED = 1, START = 0
) (
  input clk, rst, input [31:0] cycle, output done,
  output reg [I_WIDTH-1:0] i, output reg i_valid, input i_ready,
  input [O_WIDTH-1:0] o, input o_valid, output reg o_ready
);
  reg [I_WIDTH-1:0] stimulus [0:I_BEATS-1];
  reg [31:0] sent = 0, moved = 0, seen = 0, idle = 0;
  reg [31:0] random = SEED * 32'h9E3779B1 + 1;
  wire [31:0] random1 = random ^ (random << 13);
  wire [31:0] random2 = random1 ^ (random1 >> 17);
  // each side stalls in a share of the cycles that is drawn from the seed
  wire i_stalls = sent >= I_CALM && random[7:0] < (SEED * 37 & 32'hDF);
  wire o_stalls = seen >= O_CALM && random[15:8] < (SEED * 91 & 32'hDF);
  assign done = (sent == I_BEATS && seen >= O_BEATS && idle > 64) || idle > 20000;

  integer file;
  string dir;
  initial begin
    i_valid = 0;
    o_ready = 1;
    if (!$$value$$plusargs("dir=%s", dir)) dir = ".";
    $$readmemh({dir, "/", NAME, ".hex"}, stimulus);
    file = $$fopen({dir, "/", NAME, ".txt"}, "w");
  end

  always @(posedge clk) if (!rst) begin
    random <= random2 ^ (random2 << 5);
    o_ready <= !o_stalls;
    idle <= (i_valid && i_ready) || (o_valid && o_ready) ? 0 : idle + 1;
    if (cycle >= START && (!i_valid || i_ready)) begin
      i_valid <= sent < I_BEATS && !i_stalls;
      if (sent < I_BEATS && !i_stalls) begin
        i <= stimulus[sent];
        sent <= sent + 1;
      end
    end
    if (i_valid && i_ready) begin
      moved <= moved + 1;
      if (moved == 0) $$fwrite(file, "i %0d\\n", cycle);
    end
    if (o_valid && o_ready) begin
      seen <= seen + 1;
      $$fwrite(file, "%0d %h\\n", cycle, o);
    end
  end
  final $$fclose(file);
endmodule

module bench;
  reg go /*verilator public_flat_rw*/ = 0;
  reg [31:0] burst /*verilator public_flat_rw*/ = 0;
  reg finished /*verilator public_flat_rd*/ = 0;
  reg [63:0] cycle /*verilator public_flat_rd*/ = 0;
  reg clk = 0, seen = 0, rst = 1;
  reg [31:0] edges = 0;
  always @(posedge go or negedge go or posedge clk or negedge clk)
    if (go != seen) begin seen <= go; edges <= burst - 1; clk <= ~clk; end
    else if (edges != 0 && !finished) begin edges <= edges - 1; clk <= ~clk; end
  reg [2:0] reset_cycles = 0;
  always @(posedge clk)
    if (rst) begin reset_cycles <= reset_cycles + 1; rst <= reset_cycles != 3; end
    else begin cycle <= cycle + 1; finished <= &{$dones}; end
$lanes
endmodule
""")
