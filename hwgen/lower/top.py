# amaranth: UnusedElaboratable=no
"""Plan to hardware: one component per unit, joined by streams."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amaranth.hdl import Module
from amaranth.lib.wiring import connect, flipped

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import Layer, Lut, Requantize, Threshold
from hwgen.lower.weights import array_constants
from hwgen.schedule.pixel_units import requantize_constants
from hwgen.schedule.plan import Plan, Stage, Unit
from hwgen.schedule.streams import OUTPUT, readers
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.finish import FinishParams
from hwgen_rtl.lut import LutParams
from hwgen_rtl.requantize import RequantizeParams
from hwgen_rtl.stream import JoinComponent, StreamComponent, StreamsComponent
from hwgen_rtl.threshold import ThresholdParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_rtl.winograd_input import InputTransformParams

__all__ = ["Chain", "Design", "Network", "Port", "Wire", "lower", "lower_unit"]


@dataclass(frozen=True)
class Port:
    """Stream number ``number`` of a part; of the design itself where ``part`` is empty."""

    part: str
    number: int = 0


@dataclass(frozen=True)
class Wire:
    """A stream from an output port to an input port."""

    source: Port
    reader: Port


@dataclass(frozen=True)
class Design:
    """Parts by name, named after the graph's nodes, and the streams that join them."""

    parts: Mapping[str, StreamsComponent]
    wires: tuple[Wire, ...]


def lower(plan: Plan) -> Design:
    """The whole design: units, and a fork named ``<node>_fork`` where a stream is read twice."""
    parts: dict[str, StreamsComponent] = {}
    for unit in plan.units:
        parts[unit.name] = lower_unit(plan.graph, unit)
    for name, params in plan.forks.items():
        parts[fork_name(name)] = params.create()
    return Design(parts, tuple(_wires(plan)))


def fork_name(node: str) -> str:
    """Name of the part that copies a node's stream."""
    return f"{node}_fork"


def _wires(plan: Plan):
    for name, group in readers(plan.units).items():
        source = Port("" if name == plan.graph.input.name else name)
        if name in plan.forks:
            fork = fork_name(name)
            yield Wire(source, Port(fork))
            sources = [Port(fork, n) for n in range(len(group))]
        else:
            sources = [source]
        for port, reader in zip(sources, group, strict=True):
            yield Wire(port, Port("" if reader.unit == OUTPUT else reader.unit, reader.port))


class Network(StreamComponent):
    """A whole design as one component, for Amaranth's simulator.

    Members: i : In(stream of the input), o : Out(stream of the output)
    """

    def __init__(self, design: Design):
        self._design = design
        ends = {}
        for wire in design.wires:
            if not wire.source.part:
                ends["i"] = design.parts[wire.reader.part].inputs[wire.reader.number]
            if not wire.reader.part:
                ends["o"] = design.parts[wire.source.part].outputs[wire.source.number]
        super().__init__(ends["i"].payload.shape(), ends["o"].payload.shape())

    def elaborate(self, platform):
        m = Module()
        for name, part in self._design.parts.items():
            m.submodules[name] = part
        for wire in self._design.wires:
            source, reader = wire.source, wire.reader
            given = flipped(self.i) if not source.part else self._out(source)
            taken = flipped(self.o) if not reader.part else self._in(reader)
            connect(m, given, taken)
        return m

    def _out(self, port: Port):
        return self._design.parts[port.part].outputs[port.number]

    def _in(self, port: Port):
        return self._design.parts[port.part].inputs[port.number]


class Chain(StreamComponent):
    """Stream components in a row: each one's ``o`` feeds the next one's ``i``.

    Attributes: parts : (name, component) pairs, in stream order
    Members: i : In(stream of the first), o : Out(stream of the last)
    """

    def __init__(self, parts: Sequence[tuple[str, StreamComponent]]):
        self.parts = tuple(parts)
        super().__init__(parts[0][1].i.payload.shape(), parts[-1][1].o.payload.shape())

    def elaborate(self, platform):
        m = Module()
        connect(m, _row(m, self.parts, flipped(self.i)), flipped(self.o))
        return m


class Joined(JoinComponent):
    """Rows of components in front of a component that joins them, and a row behind it.

    Members: i0, i1, ... : streams of the rows; o : Out(stream of the last component)
    """

    def __init__(
        self,
        rows: Sequence[Sequence[tuple[str, StreamComponent]]],
        join: tuple[str, JoinComponent],
        behind: Sequence[tuple[str, StreamComponent]],
    ):
        self._rows, self._join, self._behind = rows, join, behind
        ends = zip(rows, join[1].inputs, strict=True)
        layouts = [(row[0][1].i if row else port).payload.shape() for row, port in ends]
        last = behind[-1][1] if behind else join[1]
        super().__init__(layouts, last.o.payload.shape())

    def elaborate(self, platform):
        m = Module()
        name, join = self._join
        m.submodules[name] = join
        for row, outside, port in zip(self._rows, self.inputs, join.inputs, strict=True):
            connect(m, _row(m, row, flipped(outside)), port)
        connect(m, _row(m, self._behind, join.o), flipped(self.o))
        return m


def _row(m: Module, parts: Sequence[tuple[str, StreamComponent]], upstream):
    """Add the parts and join them; returns the stream of the last one."""
    for name, part in parts:
        m.submodules[name] = part
        connect(m, upstream, part.i)
        upstream = part.o
    return upstream


def lower_unit(graph: Graph, unit: Unit) -> StreamsComponent:
    """The hardware of one node."""

    def created(stages: Sequence[Stage], suffix: str = ""):
        return [(s.name + suffix, s.params.create(*_arrays(graph, unit, s.params))) for s in stages]

    if len(unit.sources) == 1:
        return Chain(created((*unit.inputs[0], *unit.stages)))
    rows = [created(row, str(n)) for n, row in enumerate(unit.inputs)]
    join, *behind = created(unit.stages)
    return Joined(rows, join, behind)


def _arrays(graph: Graph, unit: Unit, params) -> tuple:
    """The constants that a block needs to be built."""
    node = unit.node
    match params:
        case RequantizeParams():
            assert isinstance(node, Requantize)
            return requantize_constants(graph, node)
        case ThresholdParams():
            assert isinstance(node, Threshold)
            return graph.tensors[node.thresholds], graph.tensors[node.direction]
        case LutParams():
            assert isinstance(node, Lut)
            return (graph.tensors[node.table],)
        case WindowedParams(datapath=InputTransformParams()):
            return ()
        case WindowedParams(datapath=ArrayParams()):
            return array_constants(graph, unit)[:1]
        case WindowedParams() | FinishParams() if isinstance(node, Layer):
            return array_constants(graph, unit)
        case _:
            return ()
