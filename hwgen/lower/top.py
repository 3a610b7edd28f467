# amaranth: UnusedElaboratable=no
"""Plan to hardware: one component per unit, chained by streams."""

from collections.abc import Sequence

from amaranth.hdl import Module
from amaranth.lib.wiring import connect, flipped

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import Layer, Requantize
from hwgen.lower.weights import array_constants
from hwgen.schedule.plan import Plan, Unit
from hwgen_rtl.requantize import RequantizeParams
from hwgen_rtl.stream import StreamComponent
from hwgen_rtl.windowed import WindowedParams

__all__ = ["Chain", "lower", "lower_unit"]


def lower(plan: Plan) -> "Chain":
    """The whole design; its submodules are named after the graph's nodes."""
    return Chain([(unit.name, lower_unit(plan.graph, unit)) for unit in plan.units])


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
        upstream = flipped(self.i)
        for name, part in self.parts:
            m.submodules[name] = part
            connect(m, upstream, part.i)
            upstream = part.o
        connect(m, upstream, flipped(self.o))
        return m


def lower_unit(graph: Graph, unit: Unit) -> Chain:
    """The hardware of one node."""
    return Chain([(s.name, s.params.create(*_arrays(graph, unit, s.params))) for s in unit.stages])


def _arrays(graph: Graph, unit: Unit, params) -> tuple:
    """The constants that a block needs to be built."""
    node = unit.node
    if isinstance(params, RequantizeParams):
        assert isinstance(node, Requantize)
        return graph.tensors[node.multiplier], graph.tensors[node.bias]
    if isinstance(params, WindowedParams) and isinstance(node, Layer):
        return array_constants(graph, unit)
    return ()
