"""Operations of every node of a graph, by kind and width; no weights and no folding needed."""

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AnyNode, Layer, WinogradAdderConv2d, XnorConv2d, XnorLinear
from hwgen_rtl.numerics import ceil_log2
from hwgen_rtl.winograd import winograd_additions
from hwgen_sim.energy.action import Action
from hwgen_sim.graph_energy.numbers import Numbers, Sizes

__all__ = ["graph_actions"]

MULTIPLIER_BITS = 18
"""Of the affine behind a layer, at most (docs/numerics.md)."""


def graph_actions(graph: Graph, numbers: Numbers) -> dict[str, list[Action]]:
    """Arithmetic per image of every node.

    A tap costs what its operator does and one accumulation, as the literature counts: a product
    and a sum, two additions (adder), a gate and a sum (XNOR), a shift and a sum. Accumulators have
    the widest sum's bits.
    """
    sizes = Sizes(graph, numbers)
    return {
        node.name: [action for action in _counted(sizes, node) if action.count]
        for node in graph.nodes
    }


def _counted(sizes: Sizes, node: AnyNode) -> Iterator[Action]:
    if isinstance(node, WinogradAdderConv2d):
        yield from _winograd(sizes, node)
    elif isinstance(node, Layer):
        yield from _layer(sizes, node)
    elif node.kind in _RULES:
        source = node.inputs[0]
        bits = sizes.sum_bits(source) if node.kind in _ON_SUMS else sizes.bits(source)
        yield from _RULES[node.kind](node, bits, sizes.numbers)


def _layer(sizes: Sizes, node: AnyNode) -> Iterator[Action]:
    count = sizes.lane_operations(node)
    gates = isinstance(node, XnorConv2d | XnorLinear)
    if sizes.numbers.floating and not gates:
        yield from _floating(node, count, sizes.numbers.bits)
        return
    yield Action(component="lanes", count=count, **_lane(sizes, node))
    # a compressor tree counts ones: a full adder each
    bits = 1 if gates else sizes.sum_bits(node.name)
    yield Action(component="accumulate", kind="add", bits=bits, count=count)


def _floating(node: AnyNode, count: int, bits: int) -> Iterator[Action]:
    adds = node.kind.startswith("adder")
    first = "float_add" if adds else "float_multiply"
    yield Action(component="lanes", kind=first, bits=bits, count=count)
    yield Action(component="accumulate", kind="float_add", bits=bits, count=count)


def _lane(sizes: Sizes, node: AnyNode) -> dict[str, Any]:
    """What a lane does to one tap."""
    x, w = sizes.bits(node.inputs[0]), sizes.weight_bits(node)
    if node.kind.startswith("adder"):
        return {"kind": "subtract", "bits": max(x, w)}
    if node.kind.startswith("xnor"):
        return {"kind": "xnor", "bits": 1}
    if node.kind.startswith("pow2"):
        return {"kind": "shift", "bits": x}
    return {"kind": "multiply", "bits": x, "other_bits": w}


def _winograd(sizes: Sizes, node: WinogradAdderConv2d) -> Iterator[Action]:
    channels = sizes.nodes[node.inputs[0]].shape[0]
    outputs, height, width = node.shape
    found = winograd_additions(channels, outputs, -(-height // 2) * -(-width // 2))
    if sizes.numbers.floating:
        action = {"kind": "float_add", "bits": sizes.numbers.bits}
        parts = ("input transform", "lanes", "output transform")
        for component, count in zip(parts, found, strict=True):
            yield Action(component=component, count=count, **action)
        return
    v, acc = sizes.lane_bits(node), sizes.sum_bits(node.name)
    yield Action(component="input transform", kind="add", bits=v, count=found.input_transform)
    yield Action(component="lanes", kind="subtract", bits=v, count=found.distances // 2)
    yield Action(component="accumulate", kind="add", bits=acc - 4, count=found.distances // 2)
    count = found.output_transform
    yield Action(component="output transform", kind="add", bits=acc, count=count)


def _affine(node: AnyNode, bits: int, numbers: Numbers) -> Iterator[Action]:
    """A product and a sum an element: what batch norm, bias and requantization merge into."""
    count = prod(node.shape)
    if numbers.floating:
        for kind in ("float_multiply", "float_add"):
            yield Action(component="affine", kind=kind, bits=numbers.bits, count=count)
        return
    acc = bits + MULTIPLIER_BITS
    factors = {"bits": bits, "other_bits": MULTIPLIER_BITS}
    yield Action(component="affine", kind="multiply", count=count, **factors)
    yield Action(component="affine", kind="add", bits=acc, count=count)


def _compared(component: str) -> Callable[[Any, int, Numbers], Iterator[Action]]:
    def rule(node: Any, bits: int, numbers: Numbers) -> Iterator[Action]:
        window = prod(getattr(node, "kernel", (1, 1)))
        levels = (1 << getattr(node, "bits", 1)) - 1
        kind = "float_add" if numbers.floating else "compare"
        count = prod(node.shape) * window * levels
        yield Action(component=component, kind=kind, bits=bits, count=count)

    return rule


def _summed(component: str) -> Callable[[Any, int, Numbers], Iterator[Action]]:
    def rule(node: Any, bits: int, numbers: Numbers) -> Iterator[Action]:
        window = prod(getattr(node, "kernel", (1, 1)))
        kind = "float_add" if numbers.floating else "add"
        width = numbers.bits if numbers.floating else bits + max(1, ceil_log2(window))
        yield Action(component=component, kind=kind, bits=width, count=prod(node.shape) * window)

    return rule


def _table(node: AnyNode, bits: int, numbers: Numbers) -> Iterator[Action]:
    """A table of all values; floats would need another circuit."""
    count, size = prod(node.shape), bits << bits
    yield Action(component="table", kind="sram_read", bits=bits, count=count, capacity_bits=size)


_ON_SUMS = ("batch_norm", "requantize", "threshold")
_RULES: dict[str, Callable[[Any, int, Numbers], Iterator[Action]]] = {
    "add": _summed("sum"),
    "argmax": _compared("search"),
    "avg_pool": _summed("reduce"),
    "activation": _table,
    "batch_norm": _affine,
    "lut": _table,
    "max_pool": _compared("reduce"),
    "quant_relu": _compared("compare"),
    "relu": _compared("clamp"),
    "requantize": _affine,
    "sign": _compared("compare"),
    "threshold": _compared("compare"),
}
