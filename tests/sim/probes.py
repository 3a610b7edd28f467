"""Counters in the simulated hardware: transfers of streams, accesses of memories, beats of arrays.

They hang on ports of the elaborated design, wherever these are; nothing here knows Params, plans or
formulas of the model that they are compared with.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]  (no stub)
from amaranth.hdl import Cat, Const, Fragment, Module, Signal, Value
from amaranth.hdl._ast import Assign, Operator, Switch, SwitchValue
from amaranth.hdl._mem import MemoryInstance
from amaranth.lib.wiring import Signature
from amaranth.sim import Simulator

from hwgen.emit.manifest import Manifest
from hwgen.emit.verilog import verilog_of
from hwgen_rtl.stream import StreamComponent, StreamsComponent
from hwgen_rtl.windowed import Windowed
from hwgen_sim.cosim import simulate
from hwgen_sim.cosim.result import SimResult

__all__ = ["Counted", "Path", "count_choices", "count_events", "count_operators"]

Path = tuple[str, ...]
IDLE = 100
"""Cycles without a transfer after which everything has come to rest."""


def count_events(block: StreamsComponent, beats: np.ndarray, results: int) -> Counter[Path]:
    """Events by place in the hierarchy, until everything rests.

    Places are names of submodules, then ``read``, ``write`` (of a memory), ``issued`` (words that a
    window buffer hands on) and, for blocks with one input, ``in`` and ``out``.
    """
    design = Fragment.get(block, None)
    return _simulated(design, block, beats, results, _probes(design, block))


def _probes(design: Fragment, block: StreamsComponent) -> dict[Path, Value]:
    return dict(_ports(design, ())) | dict(_streams(block, ()))


class Counted:
    """The Verilog of a design with a counter for each place, which Verilator runs.

    The counters write their last values into ``events.txt`` in the working folder.
    """

    def __init__(self, block: StreamComponent, folder: FilePath):
        design = Fragment.get(block, None)
        probes = _probes(design, block)
        self._names, self._folder = list(probes), folder
        self.verilog = folder / "counted.v"
        events = Signal(len(probes), name="events")
        m = Module()
        m.d.comb += events.eq(_together(list(probes.values())))
        top = Fragment.get(m, None)
        top.add_subfragment(design, "design")
        sides = (block.i, block.o)
        ports = [Value.cast(p) for side in sides for p in (side.payload, side.valid, side.ready)]
        text = verilog_of(rtlil.convert(top, name="top", ports=[*ports, events], emit_src=False))
        self.verilog.write_text(_with_counters(text, len(probes)))

    def run(self, manifest: Manifest, inputs: np.ndarray) -> tuple[Counter[Path], SimResult]:
        """Events of these images, sent back to back to an idle design, and what it computed."""
        # the one module below the top has no instances whose ends a deadlock would tell
        alone = replace(manifest, joins=())
        with chdir(self._folder):
            result = simulate(self.verilog, alone, inputs, engine="library", nodes="output")
        counts = map(int, (self._folder / "events.txt").read_text().split())
        return Counter(dict(zip(self._names, counts, strict=True))), result


def _with_counters(text: str, count: int) -> str:
    """Module top with counters of its bits ``events``."""
    before, found, after = text.partition("module top(")
    body, end, rest = after.partition("endmodule")
    assert found
    assert end
    counters = f"""
  reg [31:0] counts [0:{count - 1}];
  integer k, file;
  initial for (k = 0; k < {count}; k = k + 1) counts[k] = 0;
  always @(posedge clk) if (!rst) for (k = 0; k < {count}; k = k + 1)
    if (events[k]) counts[k] <= counts[k] + 1;
  final begin
    file = $fopen("events.txt", "w");
    for (k = 0; k < {count}; k = k + 1) $fwrite(file, "%0d\\n", counts[k]);
    $fclose(file);
  end
"""
    return before + found + body + counters + end + rest


def _ports(fragment: Fragment, path: Path) -> Iterator[tuple[Path, Value]]:
    if isinstance(fragment, MemoryInstance):
        for n, port in enumerate(fragment._read_ports):
            yield (*path, f"read{n or ''}"), port._en
        for port in fragment._write_ports:
            yield (*path, "write"), port._en.any()
    for inner, name, _ in fragment.subfragments:
        yield from _ports(inner, (*path, name or "?"))


def _streams(block: Any, path: Path) -> Iterator[tuple[Path, Value]]:
    """Handshakes of a component and of the components that it was made of."""
    if isinstance(getattr(block, "signature", None), Signature) and hasattr(block, "o"):
        if hasattr(block, "i"):
            yield (*path, "in"), block.i.valid & block.i.ready
        yield (*path, "out"), block.o.valid & block.o.ready
    if isinstance(block, Windowed):
        buffer = block._buffer
        yield (*path, "issued"), buffer.valid & buffer.enable
    for name, part in _parts(block):
        yield from _streams(part, (*path, name))


def _parts(block: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(block, "_design"):
        yield from block._design.parts.items()
    if hasattr(block, "_rows"):
        yield from (pair for row in (*block._rows, [block._join], block._behind) for pair in row)
    elif hasattr(block, "parts"):
        yield from block.parts


def _simulated(
    design: Fragment, block: Any, beats: np.ndarray, results: int, probes: dict[Path, Value]
) -> Counter[Path]:
    found: Counter[Path] = Counter()
    names, values = list(probes), list(probes.values())
    sent = given = 0

    async def run(ctx: Any) -> None:
        nonlocal sent, given
        ctx.set(block.o.ready, 1)
        idle, settled = 0, False
        while idle < IDLE or not settled:
            if idle >= IDLE and not settled:
                idle, settled = 0, True  # padding that needs no input was sent ahead
            ctx.set(block.i.valid, settled and sent < len(beats))
            if sent < len(beats):
                ctx.set(block.i.payload, [int(value) for value in beats[sent]])
            *_, taken, left, events = await ctx.tick().sample(
                block.i.valid & block.i.ready, block.o.valid, Value.cast(_together(values))
            )
            sent, given = sent + taken, given + left
            moving = 0
            for place, name in enumerate(names):
                if events >> place & 1:
                    found[name] += 1
                    moving += name[-1] in ("in", "out", "issued")
            idle = 0 if moving else idle + 1

    simulator = Simulator(design)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()
    assert sent == len(beats)
    assert given == results
    return found


def _together(values: list[Value]) -> Value:

    return Cat(*(Value.cast(value).any() for value in values))


def count_operators(design: Fragment) -> dict[Path, Counter[str]]:
    """Operators of the elaborated design by place: ``+``, ``*``, ``<`` and so on."""
    return dict(_operators(design, ()))


def _operators(fragment: Fragment, path: Path) -> Iterator[tuple[Path, Counter[str]]]:
    for inner, name, _ in fragment.subfragments:
        yield from _operators(inner, (*path, name or "?"))
    if not isinstance(fragment, MemoryInstance):
        seen: set[int] = set()
        found = (o for group in fragment.statements.values() for o in _inside(group, seen))
        yield path, Counter(found)


_CHILDREN = ("_lhs", "_rhs", "_test", "_cases", "operands", "value", "_value", "parts", "offset")


def _inside(thing: Any, seen: set[int]) -> Iterator[str]:
    """Operators of a statement or expression, each once however often it is used."""
    if isinstance(thing, list | tuple):
        for part in thing:
            yield from _inside(part, seen)
    elif isinstance(thing, Value | Assign | Switch) and not isinstance(thing, Signal | Const):
        if id(thing) in seen:
            return
        seen.add(id(thing))
        if isinstance(thing, Operator):
            yield thing.operator
        for name in _CHILDREN:
            yield from _inside(getattr(thing, name, ()), seen)


def count_choices(design: Fragment) -> dict[Path, Counter[str]]:
    """Bits that choices give, by place and name of the signal: one between two words has n bits.

    A choice is another word that is assigned in another case, or that an expression has.
    """
    return dict(_choices(design, ()))


def _choices(fragment: Fragment, path: Path) -> Iterator[tuple[Path, Counter[str]]]:
    for inner, name, _ in fragment.subfragments:
        yield from _choices(inner, (*path, name or "?"))
    if not isinstance(fragment, MemoryInstance):
        found: dict[str, list[Assign]] = {}
        for assign in _assigned(list(fragment.statements.values())):
            found.setdefault(repr(assign.lhs), []).append(assign)
        bits: Counter[str] = Counter()
        for each in found.values():
            others = len(each) - 1 + sum(_alternatives(assign.rhs) for assign in each)
            bits[_signal(each[0].lhs).name] += others * len(each[0].lhs)
        yield path, bits


def _assigned(thing: Any) -> Iterator[Assign]:
    """All assignments, also those that have a condition."""
    if isinstance(thing, Assign):
        yield thing
    elif isinstance(thing, Switch):
        yield from _assigned([statements for _, statements, _ in thing.cases])
    elif isinstance(thing, list | tuple):
        for part in thing:
            yield from _assigned(part)


def _alternatives(value: Any) -> int:
    """Values that an expression chooses among, less one for each choice."""
    if not isinstance(value, SwitchValue):
        return 0
    return len(value.cases) - 1 + sum(_alternatives(case) for _, case in value.cases)


def _signal(value: Any) -> Signal:
    """The signal that an assignment to a part or to another sign writes."""
    while not isinstance(value, Signal):
        value = value.operands[0] if isinstance(value, Operator) else value.value
    return value
