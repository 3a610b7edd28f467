"""Energy and area of an array in standard cells, from those of its distinct parts.

A part is what lies between registers: a lane, an adder of one level of the tree, the accumulator.
Parts are mapped one by one, since logic synthesis does not cross registers, and simulated on what
the parts before them computed, so that each sees the operands it has in the whole array. Counts of
copies follow from Params alone.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from amaranth.hdl import Shape
from amaranth.lib.wiring import Component
from numpy.typing import NDArray

from hwgen_rtl.array import ArrayParams, JobSum, ProcessingElement, TapSum
from hwgen_rtl.lanes import XnorLanes
from hwgen_rtl.numerics import IntType, bits_for_sum
from hwgen_rtl.shapes import shape_of
from hwgen_sim.liberty.library import Library
from hwgen_sim.liberty.operators import Expression, OperatorEnergy, operator_energy
from hwgen_sim.liberty.power import CycleEnergy

__all__ = ["ArrayEnergy", "PartEnergy", "Workload", "array_energy", "random_workload"]


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What enters an array in consecutive beats.

    Parameters:
        taps    : (T, simd) integers
        weights : (T, pe, simd) integers
        last    : (T,) whether the beat ends a job
    """

    taps: NDArray
    weights: NDArray
    last: NDArray


@dataclass(frozen=True, kw_only=True)
class PartEnergy:
    """One distinct part and how many copies the array has."""

    name: str
    copies: int
    operator: OperatorEnergy


@dataclass(frozen=True, kw_only=True)
class ArrayEnergy:
    """An array in standard cells, without the memory of its weights.

    Parameters:
        parts : its distinct parts
        lanes : operations per cycle, one tap of one channel each
        sums  : what the accumulators held in the simulated cycles, (T, pe), and under "shared "
                what the processing elements share, (T, 1); a job's from the cycle after its end on
    """

    parts: tuple[PartEnergy, ...]
    lanes: int
    sums: Mapping[str, NDArray]

    @property
    def area(self) -> float:
        """um2."""
        return sum(part.copies * part.operator.area for part in self.parts)

    @property
    def leakage_nw(self) -> float:
        """nW."""
        return sum(part.copies * part.operator.leakage_nw for part in self.parts)

    @property
    def cycle(self) -> CycleEnergy:
        """Energy of a cycle in which a beat enters, fJ."""
        parts = (part.operator.energy.times(part.copies) for part in self.parts)
        return sum(parts, CycleEnergy(low=0.0, high=0.0, clock=0.0))

    @property
    def operation(self) -> CycleEnergy:
        """Energy of one tap of one channel, fJ."""
        return self.cycle.times(1 / self.lanes)


def random_workload(params: ArrayParams, beats: int, seed: int = 0) -> Workload:
    """Uniform taps and weights over all that their types hold."""
    rng = np.random.default_rng(seed)
    ends = np.arange(beats) % params.beats == params.beats - 1
    weights = _uniform(params.w, (beats, params.pe, params.simd), rng)
    if params.kernel == "shift":
        powers = 1 << np.array(params.distances or range(max(1, params.w.bits - 1)))
        weights = rng.choice(powers, weights.shape) * rng.choice([-1, 1], weights.shape)
    return Workload(taps=_uniform(params.x, (beats, params.simd), rng), weights=weights, last=ends)


def _uniform(kind: IntType, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray:
    if kind.bipolar:
        return 2 * rng.integers(0, 2, shape) - 1
    low = -(1 << kind.bits - 1) if kind.signed else 0
    return rng.integers(low, low + (1 << kind.bits), shape)


def array_energy(params: ArrayParams, work: Workload, library: Library) -> ArrayEnergy:
    """Energy and area of an array in standard cells, while ``work`` passes through."""
    array = _Array(params, work, library)
    array.add_parts()
    return ArrayEnergy(parts=tuple(array.found), lanes=params.simd * params.pe, sums=array.sums)


@dataclass(frozen=True)
class _Values:
    """What leaves copies of a part: their shape, and bits (T, copies) as unsigned integers."""

    shape: Shape
    bits: NDArray


class _Array:
    def __init__(self, params: ArrayParams, work: Workload, library: Library):
        self._params, self._work, self._library = params, work, library
        self.found: list[PartEnergy] = []
        self.sums: dict[str, NDArray] = {}

    def add_parts(self) -> None:
        params, work, lanes = self._params, self._work, self._params.lanes
        taps, weights = params.x.encode(work.taps), lanes.encode(work.weights)
        self._taps(taps)
        if isinstance(lanes, XnorLanes):
            self._whole(taps, weights)
            return
        each = np.broadcast_to(taps[:, None], weights.shape)
        operands = {"tap": each, "code": weights}
        shapes = {"tap": shape_of(params.x), "code": lanes.code}
        self._summed("", shapes, lanes.compute, operands, lanes.lane, params.sum_bits)
        if lanes.shared is not None:
            shapes, operands = {"tap": shapes["tap"]}, {"tap": taps[:, None]}
            self._summed("shared ", shapes, lanes.share, operands, lanes.shared, params.acc.bits)

    def _taps(self, taps: NDArray) -> None:
        """Registers in which taps wait for their weights."""
        shape = shape_of(self._params.x)
        register = Expression({"a": shape}, lambda a: a, registered=True)
        self._add("tap register", register, {"a": taps}, self._params.fetch)

    def _whole(self, taps: NDArray, weights: NDArray) -> None:
        """Counters of ones are compressors across several registers: one part each."""
        params = self._params
        delay = 1 + params.lanes.tree_latency(params.simd)
        each = np.broadcast_to(taps[:, None], weights.shape)
        work = {"taps": each, "weights": weights, **self._flags(delay, params.pe)}
        element = ProcessingElement(params)
        self.sums[""] = self._add("processing element", element, work, warm_up=delay + 1).bits
        if params.lanes.shared is not None:
            work = {"taps": taps[:, None], **self._flags(delay, 1)}
            total = TapSum(params, params.lanes.shared)
            self.sums["shared "] = self._add("shared sum", total, work, warm_up=delay + 1).bits

    def _flags(self, delay: int, copies: int) -> dict[str, NDArray]:
        last = np.concatenate([np.zeros(delay, bool), self._work.last])[: len(self._work.last)]
        flags = {"valid": np.arange(len(last)) >= delay, "last": last}
        return {
            name: np.repeat(bits.astype(np.int64)[:, None], copies, axis=1)
            for name, bits in flags.items()
        }

    def _summed(
        self,
        name: str,
        shapes: Mapping[str, Any],
        compute: Callable,
        operands: Mapping[str, NDArray],
        kind: IntType,
        bits: int,
    ) -> None:
        """Lanes of (T, sums, simd) operands, the tree and the accumulators behind them."""
        simd = self._params.simd
        lane = Expression(shapes, compute, registered=simd > 1)
        rows = {port: values.reshape(len(values), -1) for port, values in operands.items()}
        out = self._add(f"{name}lane", lane, rows)
        terms = out.bits.reshape(len(out.bits), -1, simd)
        total = self._tree(name, [_Values(shape_of(kind), terms[:, :, k]) for k in range(simd)])
        self._accumulated(name, total, kind, bits)

    def _tree(self, name: str, level: list[_Values]) -> _Values:
        """The sum of (T, sums) terms; what adders of one level have in common is one part."""
        depth = 0
        while len(level) > 1:
            depth += 1
            pairs = [tuple(level[k : k + 2]) for k in range(0, len(level), 2)]
            sums: dict[int, _Values] = {}
            for shapes in Counter(tuple(v.shape for v in pair) for pair in pairs):
                alike = [k for k, p in enumerate(pairs) if tuple(v.shape for v in p) == shapes]
                sums |= self._level(f"{name}level {depth}", pairs, alike, len(pairs) > 1)
            level = [sums[k] for k in range(len(pairs))]
        return level[0]

    def _level(
        self, name: str, pairs: list[tuple[_Values, ...]], alike: list[int], registered: bool
    ) -> dict[int, _Values]:
        """Sums of those pairs of a level whose terms have the same shapes.

        The register behind the last level is the one in front of the accumulator.
        """
        count = min(len(values.bits) for pair in pairs for values in pair)
        columns = [
            np.stack([pairs[k][n].bits[:count] for k in alike], axis=-1)
            for n in range(len(pairs[alike[0]]))
        ]
        shapes = [values.shape for values in pairs[alike[0]]]
        inputs = dict(zip("ab", shapes, strict=False))
        adder = Expression(inputs, lambda a, *b: a + b[0] if b else a, registered=registered)
        rows = {port: v.reshape(count, -1) for port, v in zip("ab", columns, strict=False)}
        out = self._add(f"{name} {'adder' if len(shapes) == 2 else 'register'}", adder, rows)
        bits = out.bits.reshape(len(out.bits), -1, len(alike))
        return {k: _Values(out.shape, bits[:, :, n]) for n, k in enumerate(alike)}

    def _accumulated(self, name: str, total: _Values, kind: IntType, bits: int) -> None:
        params = self._params
        one = replace(params, simd=1)
        flags = self._flags(1, total.bits.shape[1])
        lost = len(self._work.last) - len(total.bits)
        ports = {"i": total.bits, **{port: v[: len(v) - lost] for port, v in flags.items()}}
        job = JobSum(one, bits_for_sum(params.simd, kind), bits)
        self.sums[name] = self._add(f"{name}accumulator", job, ports, warm_up=2).bits

    def _add(
        self,
        name: str,
        component: Component,
        operands: Mapping[str, NDArray],
        times: int = 1,
        warm_up: int = 1,
    ) -> _Values:
        """Count a part with one copy for each stream; gives what leaves its register or gates."""
        operator, toggles = operator_energy(component, self._library, operands, warm_up=warm_up)
        copies = next(iter(operands.values())).shape[1] * times
        self.found.append(PartEnergy(name=name, copies=copies, operator=operator))
        held = isinstance(component, Expression) and component.registered
        out = toggles.outputs["o"][1 if held else 0 :]
        return _Values(Shape.cast(component.o.shape()), out)  # pyright: ignore[reportAttributeAccessIssue]
