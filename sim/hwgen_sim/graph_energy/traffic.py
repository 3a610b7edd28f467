"""Words that move between the levels of a memory hierarchy, in closed form.

A layer's weights and input enter each level tile by tile, so that one of them is read once and the
other once for each tile of the first, whichever moves less:

    min(W + I * ceil(W / S), I + W * ceil(I / S)),  S = half of the level

Sums stay in the accumulators and leave once. Where everything that is alive at some point of the
network fits into the other half of the outermost level, tensors stay there between layers.
"""

from collections.abc import Iterator
from typing import NamedTuple

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AnyNode
from hwgen_sim.energy.action import Action
from hwgen_sim.graph_energy.hierarchy import Hierarchy, Level
from hwgen_sim.graph_energy.numbers import Numbers, Sizes

__all__ = ["traffic_actions"]

_AS_THEY_PASS = ("input", "flatten", "relu", "batch_norm", "sign", "quant_relu", "requantize")
_AS_THEY_PASS += ("threshold", "lut", "activation")
"""Nodes that work on elements on their way to a memory, or on none."""
_VIEWS = ("concat", "slice", "shift2d", "pixel_shuffle", "upsample_nearest")
"""Nodes that are another order of reading."""


class _Moved(NamedTuple):
    """Bits that enter a level from the one outside, and bits that leave it outward."""

    weights: int
    inputs: int
    output: int


def traffic_actions(
    graph: Graph, numbers: Numbers, hierarchy: Hierarchy
) -> dict[str, list[Action]]:
    """Accesses per image of every node that reads or writes a memory."""
    traffic = _Traffic(graph, numbers, hierarchy)
    return {
        node.name: [action for action in traffic.of(node) if action.count] for node in graph.nodes
    }


class _Traffic:
    def __init__(self, graph: Graph, numbers: Numbers, hierarchy: Hierarchy):
        self.sizes, self.hierarchy = Sizes(graph, numbers), hierarchy
        self.users = {node.name: graph.users(node.name) for node in graph.nodes}
        self.working = [node for node in graph.nodes if node.kind not in (*_AS_THEY_PASS, *_VIEWS)]
        self.kept = self._kept()

    def of(self, node: AnyNode) -> Iterator[Action]:
        """All accesses of one node."""
        if node not in self.working:
            return
        moved = whole = self._whole(node)
        outer: Level | None = None
        for level in self.hierarchy.levels:
            moved = _tiled(whole, level)
            moved = moved if outer else self._external(node, moved)
            yield from _between(outer, level, moved, self.hierarchy.word_bits)
            outer = level
        if outer is None:
            yield from _accesses("dram", moved, self.hierarchy.word_bits)
        else:
            yield from _accesses("sram", self._into_array(node, whole), outer.word_bits, outer)

    def _whole(self, node: AnyNode) -> _Moved:
        """Weights, inputs and what is stored of the output, each once."""
        return _Moved(
            self.sizes.weights(node) * self.sizes.weight_bits(node),
            sum(map(self.sizes.tensor_bits, node.inputs)),
            self._stored_bits(node.name),
        )

    def _stored_bits(self, name: str) -> int:
        """Bits behind all that works on the elements as they pass."""
        users = self.users[name]
        while len(users) == 1 and users[0].kind in _AS_THEY_PASS:
            name = users[0].name
            users = self.users[name]
        return self.sizes.tensor_bits(name)

    def _stored(self, name: str) -> set[str]:
        """The nodes whose outputs lie in a memory where ``name`` is read."""
        node = self.sizes.nodes[name]
        if node.kind == "input" or node in self.working:
            return {name}
        return set().union(*map(self._stored, node.inputs))

    def _kept(self) -> frozenset[str]:
        """Tensors that stay in the outermost level: all that lives beside them fits, too."""
        if not self.hierarchy.levels:
            return frozenset()
        place = {node.name: step for step, node in enumerate(self.working)}
        last: dict[str, int] = dict(place)
        for step, node in enumerate(self.working):
            last |= {held: step for name in node.inputs for held in self._stored(name)}
        live = [0] * len(self.working)
        for name, start in place.items():  # the image is read from outside
            for step in range(start, last[name] + 1):
                live[step] += self._stored_bits(name)
        share = self.hierarchy.levels[0].share
        fits = [bits <= share for bits in live]
        read = (name for name in place if last[name] > place[name])
        return frozenset(n for n in read if all(fits[place[n] : last[n] + 1]))

    def _external(self, node: AnyNode, moved: _Moved) -> _Moved:
        """What is kept is not moved; beside a kept input, weights stream past once."""
        fresh = [name for name in node.inputs if not self._stored(name) <= self.kept]
        output = 0 if node.name in self.kept else moved.output
        if len(fresh) == len(node.inputs):
            return moved._replace(output=output)
        inputs = sum(map(self.sizes.tensor_bits, fresh))
        return _Moved(self._whole(node).weights, inputs, output)

    def _into_array(self, node: AnyNode, whole: _Moved) -> _Moved:
        """Every tap reads its operands once for all lanes that share them."""
        array, taps = self.hierarchy.array, self.sizes.lane_operations(node)
        if not taps:
            return whole
        return _Moved(
            -(-taps // array.pixels) * self.sizes.weight_bits(node),
            -(-taps // array.outputs) * self.sizes.bits(node.inputs[0]),
            whole.output,
        )


def _tiled(whole: _Moved, level: Level) -> _Moved:
    """Each tensor once where both are small, else the better of the two orders."""
    weights, inputs, output = whole
    again = max(1, -(-weights // level.share)), max(1, -(-inputs // level.share))
    orders = (weights, inputs * again[0]), (weights * again[1], inputs)
    return _Moved(*min(orders, key=sum), output)


def _between(outer: Level | None, level: Level, moved: _Moved, word_bits: int) -> Iterator[Action]:
    """Both ends of a transfer: what leaves one memory enters the other."""
    if outer is None:
        yield from _accesses("dram", moved, word_bits)
    else:
        yield from _accesses("sram", moved, outer.word_bits, outer)
    entering = _Moved(0, 0, 0)._replace(output=moved.weights + moved.inputs)
    yield from _accesses("sram", entering, level.word_bits, level)
    leaving = _Moved(0, 0, 0)._replace(weights=moved.output)
    yield from _accesses("sram", leaving, level.word_bits, level)


def _accesses(
    memory: str, moved: _Moved, word_bits: int, level: Level | None = None
) -> Iterator[Action]:
    """Whole words."""
    where = level.name if level else "off-chip"
    size = {"capacity_bits": 8 * level.bytes} if level else {}
    reads = -(-moved.weights // word_bits) + -(-moved.inputs // word_bits)
    yield Action(component=where, kind=f"{memory}_read", bits=word_bits, count=reads, **size)
    writes = -(-moved.output // word_bits)
    yield Action(component=where, kind=f"{memory}_write", bits=word_bits, count=writes, **size)
