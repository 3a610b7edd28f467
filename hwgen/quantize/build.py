"""From a float graph and samples to a graph of integers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import InputError
from hwgen.inputs import to_real
from hwgen.ir.evaluate import RULES, evaluate, per_channel
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    Activation,
    Add,
    AdderConv2d,
    AdderLinear,
    AnyNode,
    Argmax,
    AvgPool,
    BatchNorm,
    Concat,
    Conv2d,
    Flatten,
    Input,
    Linear,
    Pow2Conv2d,
    QuantRelu,
    Relu,
    Sign,
    WinogradAdderConv2d,
    XnorConv2d,
    XnorLinear,
)
from hwgen.quantize.calibrate import Observed, input_range, observe, pick_scale
from hwgen.quantize.chain import AdderPath, Mover, adders_fed, followed, multiply_layers, scores
from hwgen.quantize.integers import IntegerNodes, typed
from hwgen.quantize.policy import Policy
from hwgen.quantize.ranges import prove
from hwgen.quantize.refit import Aim, best_step, refit
from hwgen.quantize.values import Edge, Format, Function, Pending, native_format
from hwgen.quantize.weights import adder_weights, multiply_weights, pow2_weights
from hwgen_rtl.numerics import Interval, IntType

__all__ = ["quantize"]

_ADDERS = AdderConv2d | AdderLinear | WinogradAdderConv2d

_LUT_BITS = 12
_FOLLOWED = 32
"""Calibration images whose integers are followed through the graph."""
_SEARCHED = 16
"""Of these, images on which the steps of adder layers are searched."""


def quantize(graph: Graph, samples: NDArray, policy: Policy | None = None) -> Graph:
    """Turn a float graph into integers, calibrated on ``samples`` (N, C, H, W).

    Samples are uint8 pixels or real values, as in an images file. The result is proven not to
    overflow, for all inputs (`hwgen.quantize.prove`); docs/numerics.md states every rule.
    """
    if any(node.type is not None for node in graph.nodes):
        raise InputError(f"graph {graph.name} holds integers already; quantize the float graph.")
    policy = policy or Policy()
    builder = _Builder(graph, samples, policy)
    result = builder.build()
    prove(result)
    return result


class _Builder:
    """Gives every float node a value; integers appear when a reader asks for them."""

    def __init__(self, graph: Graph, samples: NDArray, policy: Policy):
        self.float, self.policy = graph, policy
        self.seen: Mapping[str, Observed] = observe(graph, samples)
        self.range = input_range(graph, samples)
        layers = multiply_layers(graph)
        self.edge_layers = {layer.name for layer in (layers[:1] + layers[-1:])}
        self.values: dict[str, Pending | None] = {}
        followed = to_real(samples[:_FOLLOWED], graph.input.mean, graph.input.std)
        self.exact = {name: v.astype(np.float32) for name, v in evaluate(graph, followed).items()}
        self.made = IntegerNodes(graph, followed)
        self.given: dict[tuple[str, Format], Edge] = {}
        self.formats: dict[str, Format] = {}

    def build(self) -> Graph:
        for node in self.float.nodes:
            self.values[node.name] = self._value(node)
        self._classify(self._final(self.float.output))
        return self.made.graph()

    def _value(self, node: AnyNode) -> Pending | None:
        """None for nodes that take the format of what reads them."""
        match node:
            case Input():
                return self._input(node)
            case Conv2d() | Linear() | Pow2Conv2d():
                return self._multiply(node)
            case AdderConv2d() | AdderLinear() | WinogradAdderConv2d():
                return self._adder(node)
            case XnorConv2d() | XnorLinear():
                return self._xnor(node)
            case BatchNorm() | Relu() | Activation() | Sign() | QuantRelu():
                return self._behind(node)
            case AvgPool() if not scores(self.float, node):
                return self._avg_pool(node)
            case Add():
                return self._add(node)
            case _:
                return None

    # -- the nodes ---------------------------------------------------------------------------

    def _input(self, node: Input) -> Pending:
        low, high = self.range
        kind = IntType(self.policy.at_edge, signed=low < 0)
        step = max(high / kind.high, low / kind.low if low < 0 else 0.0) or 1.0
        edge = self.made.put(replace(node, type=kind, scale=(step,)))
        return Pending.of(edge, fixed=Format(kind, step))

    def _multiply(self, node: Conv2d | Linear | Pow2Conv2d) -> Pending:
        last = self._gives_scores(node)
        before = self._operand(node)
        weight, steps = self._weights(node, last)
        scale = steps * before.scale
        keys: dict[str, str | None] = {"weight": self.made.keep(node.name, "weight", weight)}
        key = getattr(node, "bias", None)
        bias = None if key is None else self.float.tensors[key]
        if last and bias is not None:
            keys["bias"] = self.made.keep(node.name, "bias", np.rint(bias / scale).astype(np.int64))
            bias = None
        elif bias is not None:
            keys["bias"] = None
        return Pending.of(self.made.put(typed(node, scale, **keys), before, bias=bias))

    def _weights(self, node: Conv2d | Linear | Pow2Conv2d, last: bool) -> tuple[NDArray, NDArray]:
        weight = self.float.tensors[node.weight]
        if isinstance(node, Pow2Conv2d):
            return pow2_weights(weight)
        bits = self.policy.at_edge if node.name in self.edge_layers else self.policy.bits
        return multiply_weights(weight, bits, not last)

    def _adder(self, node: AdderConv2d | AdderLinear | WinogradAdderConv2d) -> Pending:
        before = self._operand(node)
        weight = self.float.tensors[node.weight]
        excess = None
        if isinstance(node, WinogradAdderConv2d):  # a clamp would not stay one constant a channel
            steps = np.rint(weight / before.scale[0]).astype(np.int64)
        else:
            found = adder_weights(weight, before.scale[0], before.kind)
            steps, excess = found.weight, found.excess
        key = self.made.keep(node.name, "weight", steps)
        return Pending.of(
            self.made.put(typed(node, before.scale, weight=key), before, excess=excess)
        )

    def _xnor(self, node: XnorConv2d | XnorLinear) -> Pending:
        before = self._operand(node)
        if not before.kind.bipolar:
            raise InputError(
                f"{node.name} ({node.kind}) reads {before.node.name}, whose type is {before.kind}"
                " and not bipolar; put hwgen.nn.Sign in front of it."
            )
        weight = np.where(self.float.tensors[node.weight] >= 0, 1, -1)
        key = self.made.keep(node.name, "weight", weight)
        return Pending.of(self.made.put(typed(node, before.scale, weight=key), before))

    def _behind(self, node: BatchNorm | Function) -> Pending:
        source = self.float[node.inputs[0]]
        value = self.values[source.name]
        if isinstance(node, Sign) and self._native(source):
            form = self._format(source)
            if form.kind.bipolar:  # the sign of a sign, perhaps behind a pool
                return Pending.of(self._integers(source, form), fixed=form)
        if value is None or value.function is not None:
            edge = self._integers(source, self._format(source))
            value = Pending.of(edge)
        gain, offset = np.ones(1), np.zeros(1)
        if isinstance(node, BatchNorm):
            gain, offset = self.float.tensors[node.gain], self.float.tensors[node.offset]
            if isinstance(value.edge.node, _ADDERS) and not value.named:
                gain, offset = self._refitted(node, value, gain)
        return value.behind(node, gain, offset)

    def _refitted(self, node: BatchNorm, value: Pending, gain: NDArray) -> tuple[NDArray, NDArray]:
        """Gain and offset behind an adder layer that bring its integers closest to the float."""
        return refit(self._real_edge(value.edge), self.exact[node.name], gain)

    def _real_edge(self, edge: Edge) -> NDArray:
        integers = self.made.values[edge.node.name]
        rank = integers.ndim
        return (integers - per_channel(edge.excess, rank)) * per_channel(edge.scale, rank)

    def _avg_pool(self, node: AvgPool) -> Pending:
        source = self.float[node.inputs[0]]
        before = self._integers(source, self._pooled_format(source, node))
        taps = node.kernel[0] * node.kernel[1]
        edge = self.made.put(typed(node, before.scale / taps), before)
        return Pending.of(edge)

    def _pooled_format(self, source: AnyNode, pool: AvgPool) -> Format:
        """Sums over a whole image are cheap, so that few bits would lose more than they save."""
        usual = self._format(source)
        if pool.kernel != source.shape[1:] or usual.kind.bits >= self.policy.at_residual:
            return usual
        if self._native(source):
            return usual
        kind = IntType(self.policy.at_residual, usual.kind.signed)
        return Format(kind, pick_scale(self.seen[source.name], kind, self.policy, ()))

    def _native(self, node: AnyNode) -> bool:
        value = self.values[node.name]
        if value is None:
            return any(self._native(self.float[name]) for name in node.inputs)
        return native_format(value) is not None

    def _add(self, node: Add) -> Pending:
        sources = [self.float[name] for name in node.inputs]
        bits = self.policy.at_residual
        step = max(
            pick_scale(self.seen[s.name], IntType(bits, self._signed(s)), self.policy, ())
            for s in sources
        )
        edges = [self._integers(s, self._residual(s, bits, step)) for s in sources]
        return Pending.of(self.made.put(typed(node, np.array([step])), *edges))

    def _residual(self, source: AnyNode, bits: int, step: float) -> Format:
        """As many bits as the observed range needs, at most ``bits``."""
        widest = IntType(bits, self._signed(source))
        seen = self.seen[source.name]
        ends = widest.clamp(np.array([np.floor(seen.low / step), np.ceil(seen.high / step)]))
        low = int(ends[0]) if widest.signed else 0
        narrow = Interval(low, max(int(ends[1]), low)).type()
        return Format(IntType(narrow.bits, widest.signed), step)

    # -- integers on request -----------------------------------------------------------------

    def _operand(self, node: Any) -> Edge:
        source = self.float[node.inputs[0]]
        return self._integers(source, self._format(source))

    def _format(self, node: AnyNode) -> Format:
        """The integers of ``node`` for readers without wishes of their own."""
        if isinstance(node, Mover):
            return self._format(self.float[node.inputs[0]])
        if node.name not in self.formats:
            self.formats[node.name] = self._choose_format(node)
        return self.formats[node.name]

    def _choose_format(self, node: AnyNode) -> Format:
        value = self.values[node.name]
        if value is not None and (native := native_format(value)) is not None:
            return native
        if value is not None and value.fixed is not None:
            return value.fixed
        if isinstance(node, Concat) and (shared := self._shared_native(node)) is not None:
            return shared
        bits = self.policy.at_edge if self._feeds_edge(node) else self.policy.bits
        kind = IntType(bits, self._signed(node))
        paths = adders_fed(self.float, node)
        if self.policy.calibration == "output" and paths and not _averaged(paths):
            aims = [self._aim(path) for path in paths]
            return Format(kind, best_step(self.float, self._real(node)[:_SEARCHED], kind, aims))
        weights = [self.float.tensors[path.layer.weight] for path in paths]
        return Format(kind, pick_scale(self.seen[node.name], kind, self.policy, weights))

    def _feeds_edge(self, node: AnyNode) -> bool:
        """Say whether only the first or last multiply layer reads ``node``."""
        users = self.float.users(node.name)
        return bool(users) and all(
            self._feeds_edge(user) if isinstance(user, Mover) else user.name in self.edge_layers
            for user in users
        )

    def _aim(self, path: AdderPath) -> Aim:
        layer = path.layer
        users = self.float.users(layer.name)
        if len(users) == 1 and isinstance(norm := users[0], BatchNorm):
            sign = np.sign(self.float.tensors[norm.gain])
            return Aim(path, self.exact[norm.name][:_SEARCHED], sign)
        return Aim(path, self.exact[layer.name][:_SEARCHED], np.ones(layer.shape[0]))

    def _real(self, node: AnyNode) -> NDArray:
        """Real values that the integers so far stand for, on the images that are followed."""
        value = self.values[node.name]
        if value is None:
            parts = [self._real(self.float[name]) for name in node.inputs]
            return RULES[type(node)](node, self.float.tensors, *parts)
        real = self._real_edge(value.edge)
        real = real * per_channel(value.gain, real.ndim) + per_channel(value.offset, real.ndim)
        if value.function is None:
            return real
        return RULES[type(value.function)](value.function, self.float.tensors, real)

    def _shared_native(self, node: Concat) -> Format | None:
        """The format that all parts have anyway; refuses signs beside other values."""
        formats = {name: self._format(self.float[name]) for name in node.inputs}
        if len(set(formats.values())) == 1:
            return next(iter(formats.values()))
        signs = [name for name, found in formats.items() if found.kind.bipolar]
        if signs:
            others = ", ".join(name for name in formats if name not in signs)
            raise InputError(
                f"{node.name} (concat) joins {', '.join(signs)}, of -1 and +1, with {others},"
                " whose scales cannot be aligned; put hwgen.nn.Sign behind the concat."
            )
        return None

    def _signed(self, node: AnyNode) -> bool:
        value = self.values[node.name]
        if value is not None:
            fixed = value.fixed if value.plain else None
            return fixed.kind.signed if fixed else value.signed
        return any(self._signed(self.float[name]) for name in node.inputs)

    def _integers(self, node: AnyNode, wanted: Format) -> Edge:
        key = node.name, wanted
        if key not in self.given:
            value = self.values[node.name]
            edge = self._moved(node, wanted) if value is None else self._computed(value, wanted)
            self.given[key] = edge
        return self.given[key]

    def _moved(self, node: AnyNode, wanted: Format) -> Edge:
        edges = [self._integers(self.float[name], wanted) for name in node.inputs]
        return self._move(node, edges)

    def _move(self, node: AnyNode, edges: list[Edge]) -> Edge:
        first = edges[0]
        scale = first.scale
        if isinstance(node, AvgPool):
            scale = scale / (node.kernel[0] * node.kernel[1])
            return self.made.put(typed(node, scale), *edges)
        if isinstance(node, Flatten) and len(scale) > 1:
            scale = scale.repeat(node.shape[0] // len(scale))
        named = replace(node, name=self.made.unique(node.name))
        return self.made.put(typed(named, scale, type=first.kind), *edges)

    def _computed(self, value: Pending, wanted: Format) -> Edge:
        """Integers of a value: as they are, or through requantize, threshold or lut."""
        native = native_format(value)
        if isinstance(value.function, Sign | QuantRelu):
            assert native is not None
            edge = self._thresholds(value, native)
            return edge if wanted == native else self.made.scaled(Pending.of(edge), wanted)
        if native == wanted:
            return value.edge
        if isinstance(value.function, Activation):
            return self._table(value, value.function, wanted)
        return self.made.scaled(value, wanted)

    def _thresholds(self, value: Pending, native: Format) -> Edge:
        key = value.name, native
        if key not in self.given:
            self.given[key] = self.made.threshold(value, native)
        return self.given[key]

    def _table(self, value: Pending, function: Activation, wanted: Format) -> Edge:
        """The affine to at most 12 bits, then the table of the function."""
        kind = IntType(min(_LUT_BITS, self.policy.bits + 2), signed=True)
        step = pick_scale(self.seen[function.inputs[0]], kind, self.policy, ())
        inner = replace(value, function=None, name=f"{value.name}_in", named=True)
        return self.made.lut(function, self.made.scaled(inner, Format(kind, step)), wanted)

    # -- the output --------------------------------------------------------------------------

    def _gives_scores(self, node: AnyNode) -> bool:
        return not followed(self.float, node) and scores(self.float, node)

    def _final(self, node: AnyNode) -> Edge:
        """Integers of the network's output: exact where no batch norm or function stands last."""
        value = self.values[node.name]
        if value is None and isinstance(node, Mover | AvgPool):
            return self._move(node, [self._final(self.float[node.inputs[0]])])
        if value is None or native_format(value) is not None:
            return self._integers(node, self._format(node))
        if value.plain:
            return value.edge
        if isinstance(value.function, Activation):
            return self._integers(node, self._format(node))
        if value.named or value.offset.any():
            return self.made.scaled(value, self._output_format(node, value))
        return self.made.without_excess(value.edge)

    def _output_format(self, node: AnyNode, value: Pending) -> Format:
        kind = IntType(self.policy.output_bits, value.signed)
        largest = max(abs(self.seen[node.name].low), abs(self.seen[node.name].high)) or 1.0
        return Format(kind, 2 * largest / kind.high)

    def _classify(self, last: Edge) -> None:
        node = last.node
        if len(node.shape) == 1 and node.shape[0] > 1:
            kind = Interval(0, node.shape[0] - 1).type()
            self.made.nodes.append(
                Argmax(name="argmax", inputs=(node.name,), shape=(1,), type=kind, scale=(1.0,))
            )


def _averaged(paths: tuple[AdderPath, ...]) -> bool:
    """Say whether an average pool, which rounds, stands before a layer."""
    return any(isinstance(mover, AvgPool) for path in paths for mover in path.movers)
