"""Layers with all weights as constants in logic: one lane a weight, a window a cycle.

A product with a constant is a sum of shifted copies of x, one for each nonzero digit of the
constant's canonical signed digit form (Avizienis 1961; no two neighbouring digits are nonzero).
Nothing is shared between weights, so tools that share subexpressions (da4ml) come out lower.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.schedule.blocks import Feed, converters, lines, padding, widened
from hwgen.schedule.geometry import Geometry, geometry, stream_source
from hwgen.schedule.plan import Plan, Resources, Stage, Unit
from hwgen.schedule.resources import block_resources
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.numerics import Interval, IntType
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_sim.actions import unit_actions
from hwgen_sim.energy.action import Action

__all__ = ["Adders", "ConstantLayer", "constant_layer", "constant_products", "csd_digits"]


def csd_digits(values: NDArray) -> NDArray:
    """Nonzero digits of the canonical signed digit form: the ones of n ^ 3n."""
    sizes = np.abs(values.astype(np.int64))
    digits = sizes ^ 3 * sizes
    places = range(int(digits.max(initial=0)).bit_length())
    return sum((digits >> place & 1 for place in places), start=np.zeros_like(digits))


@dataclass(frozen=True)
class Adders:
    """Adders of constant products and of the trees that sum them: bits -> how many of that width.

    ``registers`` counts bits of the registers behind products and behind the adders of the trees.
    """

    products: dict[int, int]
    trees: dict[int, int]
    registers: int

    @property
    def resources(self) -> Resources:
        """Cells: one LUT and half a carry cell for each bit of an adder."""
        bits = sum(width * count for width, count in (*self.products.items(), *self.trees.items()))
        return Resources(lut=bits, carry=bits / 2, ff=self.registers)


@dataclass(frozen=True, kw_only=True)
class ConstantLayer:
    """One unrolled layer: what brings the taps in ``unit``, the arithmetic in ``resources``."""

    unit: Unit
    lanes: int
    resources: Resources
    actions: tuple[Action, ...]


def constant_products(weights: NDArray, x: IntType) -> Adders:
    """Adders of sum_k x[k] * weights[o, k] for weights (O, K).

    The copy of x that a digit adds has nothing to add to at lower digits: an adder of a product is
    one bit wider than x. A negative product is subtracted in the tree.
    """
    products = int(np.maximum(csd_digits(weights) - 1, 0).sum())
    trees: Counter[int] = Counter()
    registers = 0
    for row in weights.astype(np.int64):
        ends = np.sort(np.stack([row[row != 0] * x.low, row[row != 0] * x.high]), axis=0)
        registers += int(_bits(ends).sum())
        for sums in _tree(ends):
            trees.update(_bits(sums).tolist())
    registers += sum(bits * count for bits, count in trees.items())
    return Adders({x.bits + 1: products} if products else {}, dict(trees), registers)


def constant_layer(plan: Plan, unit: Unit, kernel: str) -> ConstantLayer:
    """The layer of ``unit``, a unit of ``plan``, with every weight in logic; see the module."""
    node: Any = unit.node
    shape = geometry(plan.graph, node)
    weights = plan.graph.tensors[node.weight].reshape(node.shape[0], -1)
    entry = _entry(plan, unit, shape)
    if kernel == "multiply":
        resources, actions = _products(weights, shape)
    else:
        resources, actions = _distances(plan, unit, shape, weights)
    taps = shape.x.bits * shape.taps  # the window stands in registers
    return ConstantLayer(
        unit=entry,
        lanes=weights.size,
        resources=resources + Resources(ff=taps),
        actions=tuple(actions),
    )


def _tree(ends: NDArray) -> Iterator[NDArray]:
    """Lowest and highest sums (2, n) of each level of a binary tree over intervals (2, N)."""
    while ends.shape[1] > 1:
        paired = ends.shape[1] // 2 * 2
        sums = ends[:, 0:paired:2] + ends[:, 1:paired:2]
        yield sums
        ends = np.concatenate([sums, ends[:, paired:]], axis=1)


def _bits(ends: NDArray) -> NDArray:
    """Bits of the types of intervals (2, N), as Interval.type gives them."""
    low, high = ends
    lengths = np.maximum(_length(np.where(low < 0, ~low, 0)), _length(np.maximum(high, 0)))
    return np.where(low < 0, lengths + 1, np.maximum(lengths, 1))


def _length(values: NDArray) -> NDArray:
    return np.frexp(values.astype(np.float64))[1]


def _entry(plan: Plan, unit: Unit, shape: Geometry) -> Unit:
    """Lane conversion to whole pixels, padding, and a line buffer as tall as the window."""
    source = stream_source(plan.graph, unit.sources[0])
    fed = next((u.lanes for u in plan.units if u.name == source.name), plan.input_lanes)
    assert source.type is not None
    feed = Feed(fed, plan.target.cycles or plan.interval, 1)
    stages = (
        *widened(source.type, shape.x, fed),
        *converters(shape.x, fed, shape.channels),
        *padding(shape, shape.channels, 0, feed),
    )
    # one window is its own registers, and so is a column of pixels
    if shape.kernel[0] > 1 and shape.windows != (1, 1) and shape.padded[1] > 1:
        stages += (Stage("lines", lines(shape, shape.channels)),)
    return Unit(
        node=unit.node,
        sources=unit.sources,
        stages=stages,
        pe=shape.outputs,
        simd=shape.taps,
        lanes=shape.outputs,
        interval=shape.padded[0] * shape.padded[1],
    )


def _products(weights: NDArray, shape: Geometry) -> tuple[Resources, list[Action]]:
    adders = constant_products(weights, shape.x)
    windows = shape.windows[0] * shape.windows[1]
    actions = [
        Action(component=component, kind="add", bits=bits, count=count * windows)
        for component, parts in (("lanes", adders.products), ("tree", adders.trees))
        for bits, count in parts.items()
    ]
    return adders.resources, actions


def _distances(
    plan: Plan, unit: Unit, shape: Geometry, weights: NDArray
) -> tuple[Resources, list[Action]]:
    """The adder array itself with one tap a lane: a single word of weights is wired."""
    assert unit.node.type is not None
    array = ArrayParams(
        kernel="adder",
        x=shape.x,
        w=Interval(int(weights.min()), int(weights.max())).type(),
        acc=unit.node.type,
        simd=weights.shape[1],
        pe=len(weights),
        beats=1,
        folds=1,
    )
    window = WindowParams(
        height=shape.windows[0],
        width=shape.windows[1],
        words=1,
        lanes=array.simd,
        kind=shape.x,
        kernel=(1, 1),
    )
    stages = (Stage("array", WindowedParams(window=window, datapath=array)),)
    alone = Unit(
        node=unit.node, sources=unit.sources, stages=stages,
        pe=array.pe, simd=array.simd, lanes=array.pe, interval=window.interval,
    )  # fmt: skip
    actions = unit_actions(plan, alone)
    return block_resources(array), [a for a in actions if a.component != "window"]
