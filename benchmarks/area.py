"""LUTs of the arrays against their textbook forms, per device family and width.

Run: python benchmarks/area.py [--full] [--family ecp5 ...]

Each array has 16 taps by 4 channels (16 by 16 with --full), window buffer and handshakes included;
weights lie in block RAM, sums of 66 beats are exact, results leave one by one. Textbook lanes are
two subtractors and a choice for the distance, and a tree of adders for the count of ones.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.hdl import Mux, Value
from rich.console import Console
from rich.table import Table

from hwgen.emit.verilog import to_verilog
from hwgen.lower.top import Chain, Design, Port, Wire
from hwgen_boards.devices import load_device
from hwgen_boards.resources import Resources
from hwgen_boards.synth import synthesize
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.drain import DrainParams
from hwgen_rtl.finish import FinishParams
from hwgen_rtl.lanes import LANES, DistanceLanes, XnorLanes
from hwgen_rtl.numerics import BIPOLAR, IntType, bits_for_sum
from hwgen_rtl.tree import AdderTree
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams

DEVICES = {"ecp5": "lfe5u-85f", "ice40": "ice40hx8k", "gowin": "gw2a-18", "xcup": "xczu3eg"}
TAPS, BEATS = 16, 66


class TextbookLanes(DistanceLanes):
    """lane = abs(x - w): two subtractors and a choice."""

    def compute(self, tap: Any, code: Any) -> Value:
        return Mux(tap > code, tap - code, code - tap)


class AddedXnorLanes(XnorLanes):
    """The count of ones by a tree of adders."""

    def tree_latency(self, terms: int) -> int:
        return (terms - 1).bit_length()

    def tree(self, terms: int, kind: IntType) -> AdderTree:
        return AdderTree(terms, kind)


TEXTBOOK = {"adder": TextbookLanes, "xnor": AddedXnorLanes}
LANES |= {f"textbook {kernel}": lanes for kernel, lanes in TEXTBOOK.items()}


@dataclass(frozen=True)
class Case:
    """An array of ``channels`` by 16 lanes."""

    kernel: str
    bits: int
    channels: int

    @property
    def params(self) -> ArrayParams:
        """Of the array; its sums hold every result."""
        kind = BIPOLAR if self.kernel.endswith("xnor") else IntType(self.bits, signed=False)
        largest = bits_for_sum(TAPS * BEATS, IntType(self.bits, signed=False)).bits
        acc = IntType(largest + 1, signed=True)
        return ArrayParams(
            kernel=self.kernel, x=kind, w=kind, acc=acc, simd=TAPS, pe=self.channels,
            beats=BEATS, folds=1,
        )  # fmt: skip


def blocks(case: Case) -> Chain:
    """Window buffer, array, drain and last sums, one result per beat."""
    params = case.params
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, (1 << case.bits), (params.pe, TAPS * BEATS))
    weights = 2 * drawn - 1 if params.w.bipolar else drawn
    window = WindowParams(
        height=1, width=1, words=BEATS, lanes=TAPS, kind=params.x, kernel=(1, 1)
    )  # fmt: skip
    made = (
        ("array", WindowedParams(window=window, datapath=params), (weights,)),
        ("drain", DrainParams(array=params, lanes=1), ()),
        ("finish", FinishParams(array=params, lanes=1), (weights, np.zeros(params.pe, int))),
    )
    return Chain([(name, block.create(*arrays)) for name, block, arrays in made])


def cells(case: Case, family: str) -> Resources:
    """What Yosys makes of it, before place and route."""
    wires = (Wire(Port(""), Port("unit")), Wire(Port("unit"), Port("")))
    text = to_verilog(Design({"unit": blocks(case)}, wires))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "top.v").write_text(text)
        return synthesize(folder / "top.v", {}, load_device(DEVICES[family]), folder).total


def rows(family: str, cases: Sequence[Case]) -> Iterator[tuple[str, ...]]:
    """Ours beside the textbook form, and the ratio of LUTs."""
    for case in cases:
        ours, theirs = (
            cells(replace(case, kernel=kernel), family)
            for kernel in (case.kernel, f"textbook {case.kernel}")
        )
        lanes = TAPS * case.channels
        yield (
            family, case.kernel, str(case.bits), str(lanes),
            *(f"{getattr(ours, c):,} / {getattr(theirs, c):,}" for c in ("lut", "carry", "ff")),
            f"{ours.lut / lanes:.1f} / {theirs.lut / lanes:.1f}", f"{ours.lut / theirs.lut:.2f}",
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the 8-bit adder array of 16 by 16")
    parser.add_argument("--family", nargs="+", choices=DEVICES, default=list(DEVICES))
    options = parser.parse_args()
    adders = [Case("adder", bits, 4) for bits in range(2, 9)]
    cases = [Case("adder", 8, 16)] if options.full else [*adders, Case("xnor", 1, 4)]
    names = ("lut", "carry", "ff", "lut per lane", "ratio of lut")
    table = Table("family", "kernel", "bits", "lanes", *names, box=None)
    for family in options.family:
        for row in rows(family, cases):
            table.add_row(*row)
    Console(width=140).print("ours / textbook; Yosys, before place and route", table)


if __name__ == "__main__":
    main()
