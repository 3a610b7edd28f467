"""LUTs, carry cells and flip-flops per parallel operation, against the textbook forms.

Run: python benchmarks/area.py [--full] [--family ecp5 ...] [--kernel adder ...] [--bits 2 ...]

Each array has 16 taps by 4 channels (16 by 16 with --full, then 8-bit adders alone), window buffer
and handshakes included; weights lie in block RAM, sums of 66 beats are exact, results leave one by
one. Ours has the form that the scheduler chooses for the family. Textbook forms have trees of
two-operand adders behind two subtractors and a choice (adder), a negation and a choice (sign,
shift), an xnor (xnor) or a multiplier. ``multiply`` may use DSP blocks, ``multiply in LUTs`` not.

Counts are Yosys', before place and route. A LUT site is one LUT, also where both of its outputs
are used (LUT6_2); those of carry chains and shift registers are included.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.hdl import Mux, Value
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from hwgen.emit.verilog import to_verilog
from hwgen.lower.top import Chain, Design, Port, Wire
from hwgen.schedule.fabric import fabric_of
from hwgen_boards.devices import Device, load_device
from hwgen_boards.resources import Resources
from hwgen_boards.synth import synthesize
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.drain import DrainParams
from hwgen_rtl.finish import FinishParams
from hwgen_rtl.lanes import LANES, DistanceLanes, ShiftLanes, SignLanes, XnorLanes
from hwgen_rtl.numerics import BIPOLAR, IntType, bits_for_sum
from hwgen_rtl.tree import AdderTree
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams

DEVICES = {"ecp5": "lfe5u-85f", "ice40": "ice40hx8k", "gowin": "gw2a-18", "xcup": "xczu3eg"}
WITHOUT_DSP = {"ice40": ""}
"""Option of a family's synthesis that leaves DSP blocks alone, where it is not -nodsp."""

TAPS, BEATS = 16, 66


class TextbookAdderLanes(DistanceLanes):
    """lane = abs(x - w): two subtractors and a choice."""

    def compute(self, tap: Any, code: Any) -> Value:
        return Mux(tap > code, tap - code, code - tap)


class TextbookXnorLanes(XnorLanes):
    """The count of ones by a tree of adders."""

    def tree_latency(self, terms: int) -> int:
        return (terms - 1).bit_length()

    def tree(self, terms: int, kind: IntType) -> AdderTree:
        return AdderTree(terms, kind)


class TextbookSignLanes(SignLanes):
    """lane = x or -x."""

    @property
    def lane(self) -> IntType:
        return IntType(self.x.bits + 1, signed=True)

    def correction(self, weights: NDArray) -> NDArray:
        return np.zeros(len(weights), dtype=np.int64)

    def compute(self, tap: Any, code: Any) -> Value:
        return Mux(code, tap, -tap)


class TextbookShiftLanes(ShiftLanes):
    """lane = 0, x << p or -(x << p)."""

    def correction(self, weights: NDArray) -> NDArray:
        return np.zeros(len(weights), dtype=np.int64)

    def compute(self, tap: Any, code: Any) -> Value:
        shifted = tap << code.index
        return Mux(code.nonzero, Mux(code.negative, -shifted, shifted), 0)


TEXTBOOK = {
    "adder": TextbookAdderLanes,
    "xnor": TextbookXnorLanes,
    "sign": TextbookSignLanes,
    "shift": TextbookShiftLanes,
    "multiply": LANES["multiply"],
}
LANES |= {f"textbook {kernel}": lanes for kernel, lanes in TEXTBOOK.items()}


@dataclass(frozen=True)
class Case:
    """An array of ``channels`` by 16 lanes, for LUTs of ``lut_inputs``."""

    kernel: str
    bits: int
    channels: int
    lut_inputs: int = 4

    @property
    def kind(self) -> str:
        """The kernel, whatever its form."""
        return self.kernel.removeprefix("textbook ").removesuffix(" in LUTs")

    @property
    def params(self) -> ArrayParams:
        """Of the array; its sums hold every result."""
        unsigned = IntType(self.bits, signed=False)
        weight = {"xnor": BIPOLAR, "sign": BIPOLAR, "shift": IntType(self.bits, signed=True)}
        product = 2 * self.bits if self.kind in ("multiply", "shift") else self.bits
        largest = bits_for_sum(TAPS * BEATS, IntType(product, signed=False)).bits
        return ArrayParams(
            kernel=self.kernel.removesuffix(" in LUTs"),
            x=BIPOLAR if self.kind == "xnor" else unsigned,
            w=weight.get(self.kind, unsigned),
            acc=IntType(largest + 1, signed=True), simd=TAPS, pe=self.channels,
            beats=BEATS, folds=1, lut_inputs=self.lut_inputs,
        )  # fmt: skip

    def weights(self) -> NDArray:
        """Random ones that the kernel takes."""
        rng, shape = np.random.default_rng(0), (self.channels, TAPS * BEATS)
        if self.kind in ("xnor", "sign"):
            return rng.choice([-1, 1], shape)
        if self.kind == "shift":
            return -rng.choice([-1, 1], shape) << rng.integers(0, self.bits - 1, shape)
        return rng.integers(0, 1 << self.bits, shape)


def blocks(case: Case) -> Chain:
    """Window buffer, array, drain and last sums, one result per beat."""
    params, weights = case.params, case.weights()
    window = WindowParams(
        height=1, width=1, words=BEATS, lanes=TAPS, kind=params.x, kernel=(1, 1)
    )  # fmt: skip
    made = (
        ("array", WindowedParams(window=window, datapath=params), (weights,)),
        ("drain", DrainParams(array=params, lanes=1), ()),
        ("finish", FinishParams(array=params, lanes=1), (weights, np.zeros(params.pe, int))),
    )
    return Chain([(name, block.create(*arrays)) for name, block, arrays in made])


def cells(case: Case, device: Device) -> Resources:
    """What Yosys makes of it, before place and route."""
    if case.kernel.endswith(" in LUTs"):
        device = replace(device, synth=f"{device.synth} {WITHOUT_DSP.get(device.family, '-nodsp')}")
    wires = (Wire(Port(""), Port("unit")), Wire(Port("unit"), Port("")))
    text = to_verilog(Design({"unit": blocks(case)}, wires))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "top.v").write_text(text)
        return synthesize(folder / "top.v", {}, device, folder).total


def row(family: str, case: Case, lut_inputs: int | None) -> tuple[str, ...]:
    """Ours beside the textbook form, each lane's share of both, and the ratio of LUTs."""
    device = load_device(DEVICES[family])
    inputs = lut_inputs or fabric_of(device.fabric).inputs
    ours = cells(replace(case, lut_inputs=inputs), device)
    theirs = cells(replace(case, kernel=f"textbook {case.kernel}"), device)
    lanes = TAPS * case.channels
    return (
        family, case.kernel, str(case.bits), str(lanes),
        *(f"{getattr(ours, c):,} / {getattr(theirs, c):,}" for c in ("lut", "carry", "ff", "dsp")),
        *(f"{getattr(ours, c) / lanes:.1f} / {getattr(theirs, c) / lanes:.1f}"
          for c in ("lut", "carry", "ff")),
        f"{ours.lut / theirs.lut:.2f}",
    )  # fmt: skip


def cases(options: argparse.Namespace) -> Iterator[Case]:
    """What was asked for; a kernel of single bits has one width."""
    if options.full:
        yield Case("adder", 8, 16)
        return
    for kernel in options.kernel:
        for bits in [1] if kernel == "xnor" else options.bits:
            yield Case(kernel, bits, 4)


def rows(options: argparse.Namespace) -> Iterator[Sequence[str]]:
    """A few at a time: each is a process of Yosys."""
    asked = [(family, case) for family in options.family for case in cases(options)]
    # of the families here, iCE40 HX has no DSP blocks
    asked = [(f, c) for f, c in asked if (f, c.kernel) != ("ice40", "multiply")]
    with ThreadPoolExecutor(options.jobs) as pool:
        found = partial(_row, len(asked), options.lut_inputs)
        yield from pool.map(found, range(len(asked)), asked)


def _row(
    count: int, lut_inputs: int | None, number: int, asked: tuple[str, Case]
) -> tuple[str, ...]:
    found = row(*asked, lut_inputs)
    print(f"{number + 1} of {count}", end="\r", flush=True)
    return found


def main() -> None:
    kernels = ("adder", "xnor", "sign", "shift", "multiply", "multiply in LUTs")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the 8-bit adder array of 16 by 16")
    parser.add_argument("--family", nargs="+", choices=DEVICES, default=list(DEVICES))
    parser.add_argument("--kernel", nargs="+", choices=kernels, default=list(kernels))
    parser.add_argument("--bits", nargs="+", type=int, choices=range(2, 9), default=range(2, 9))
    parser.add_argument(
        "--lut-inputs", type=int, choices=(4, 6), help="another form than the scheduler chooses"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes of Yosys at a time")
    options = parser.parse_args()
    names = ("lut", "carry", "ff", "dsp", "lut/lane", "carry/lane", "ff/lane", "ratio of lut")
    table = Table("family", "kernel", "bits", "lanes", *names, box=None)
    for found in rows(options):
        table.add_row(*found)
    Console(width=180).print("ours / textbook; Yosys, before place and route", table)


if __name__ == "__main__":
    main()
