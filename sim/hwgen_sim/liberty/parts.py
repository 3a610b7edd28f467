"""What arrays in standard cells are made of: distinct parts, each mapped and simulated once.

A part is what lies between registers: a lane, an adder of one level of the tree, the accumulator.
Parts are mapped one by one, since logic synthesis does not cross registers, and simulated on what
the parts before them computed, so that each sees the operands it has in the whole array. Counts of
copies follow from Params alone.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Module, Mux, Shape, Signal
from amaranth.lib.wiring import Component, In, Out
from numpy.typing import NDArray

from hwgen_rtl.numerics import IntType
from hwgen_rtl.shapes import shape_of
from hwgen_sim.liberty.library import Library
from hwgen_sim.liberty.operators import Expression, OperatorEnergy, operator_energy
from hwgen_sim.liberty.power import CycleEnergy

__all__ = ["ArrayEnergy", "PartEnergy", "Parts", "Values", "Workload"]


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What enters an array in consecutive beats.

    Parameters:
        taps    : (T, lanes) integers
        weights : (T, pe, lanes) integers; pe is 1 in depthwise layers, 0 where there are none
        last    : (T,) whether the beat ends a job
        bias    : (T, lanes) what the sums of a depthwise layer begin with, by default 0
    """

    taps: NDArray
    weights: NDArray
    last: NDArray
    bias: NDArray | None = None

    @property
    def first(self) -> NDArray:
        """Whether the beat begins a job."""
        return np.concatenate([[True], self.last[:-1]])

    @property
    def job(self) -> NDArray:
        """Number of the beat's job."""
        return np.cumsum(self.last) - self.last


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
        lanes : operations per cycle, one tap of one channel each; of a transform, pixels
        sums  : what left its last registers in the simulated cycles, (T, copies); of a direct array
                what the accumulators held, and under "shared " what the processing elements share,
                a job's from the cycle after its end on
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


@dataclass(frozen=True)
class Values:
    """What leaves copies of a part: their shape, and bits (T, copies) as unsigned integers."""

    shape: Shape
    bits: NDArray

    def delayed(self, cycles: int) -> "Values":
        """The same behind more registers; before the first value there are zeros."""
        room = np.zeros((cycles, *self.bits.shape[1:]), self.bits.dtype)
        return Values(self.shape, np.concatenate([room, self.bits])[: len(self.bits)])


class Parts:
    """The distinct parts of one array, in a library."""

    def __init__(self, library: Library):
        self._library = library
        self.found: list[PartEnergy] = []
        self.sums: dict[str, NDArray] = {}

    def energy(self, lanes: int) -> ArrayEnergy:
        """All parts together."""
        return ArrayEnergy(parts=tuple(self.found), lanes=lanes, sums=self.sums)

    def add(
        self,
        name: str,
        component: Component,
        operands: Mapping[str, NDArray],
        times: int = 1,
        warm_up: int = 1,
    ) -> Values:
        """Count a part with one copy for each stream; gives what leaves its register or gates.

        ``operands`` are (T, copies), or (T, copies, elements) of arrays. Behind the register of an
        Expression, values belong to the cycle in which their operands came.
        """
        operator, toggles = operator_energy(component, self._library, operands, warm_up=warm_up)
        copies = next(iter(operands.values())).shape[1] * times
        self.found.append(PartEnergy(name=name, copies=copies, operator=operator))
        held = isinstance(component, Expression) and component.registered
        shape = Shape.cast(component.o.shape())  # pyright: ignore[reportAttributeAccessIssue]
        return Values(shape, toggles.outputs["o"][1 if held else 0 :])

    def registers(self, name: str, kind: IntType, words: NDArray, times: int = 1) -> Values:
        """``times`` registers in a row for each of the (T, copies) words."""
        register = Expression({"a": shape_of(kind)}, lambda a: a, registered=True)
        return self.add(name, register, {"a": words}, times)

    def accumulated(
        self, name: str, terms: Values, bits: int, work: Workload, start: NDArray | None
    ) -> Values:
        """Sums of the (T, copies) terms of each job, which begin with ``start``, else with 0."""
        count = len(terms.bits)
        first = np.broadcast_to(work.first[:count, None], terms.bits.shape).astype(np.int64)
        ports = {"i": terms.bits, "first": first, "valid": np.ones_like(first)}
        if start is not None:
            ports["start"] = start[:count]
        part = Accumulator(terms.shape, bits, start is not None)
        return self.add(f"{name}accumulator", part, ports, warm_up=2)

    def tree(self, name: str, terms: Values, registered: bool) -> Values:
        """The sums of (T, sums, terms); what adders of one level have in common is one part.

        ``registered`` says whether a register of its own follows the last level.
        """
        level = [Values(terms.shape, terms.bits[:, :, k]) for k in range(terms.bits.shape[2])]
        depth = 0
        while len(level) > 1:
            depth += 1
            pairs = [tuple(level[k : k + 2]) for k in range(0, len(level), 2)]
            sums: dict[int, Values] = {}
            for shapes in Counter(tuple(v.shape for v in pair) for pair in pairs):
                alike = [k for k, p in enumerate(pairs) if tuple(v.shape for v in p) == shapes]
                held = registered or len(pairs) > 1
                sums |= self._level(f"{name}level {depth}", pairs, alike, held)
            level = [sums[k] for k in range(len(pairs))]
        return level[0]

    def _level(
        self, name: str, pairs: list[tuple[Values, ...]], alike: list[int], registered: bool
    ) -> dict[int, Values]:
        """Sums of those pairs of a level whose terms have the same shapes."""
        count = min(len(values.bits) for pair in pairs for values in pair)
        columns = [
            np.stack([pairs[k][n].bits[:count] for k in alike], axis=-1)
            for n in range(len(pairs[alike[0]]))
        ]
        shapes = [values.shape for values in pairs[alike[0]]]
        inputs = dict(zip("ab", shapes, strict=False))
        adder = Expression(inputs, lambda a, *b: a + b[0] if b else a, registered=registered)
        rows = {port: v.reshape(count, -1) for port, v in zip("ab", columns, strict=False)}
        out = self.add(f"{name} {'adder' if len(shapes) == 2 else 'register'}", adder, rows)
        bits = out.bits.reshape(len(out.bits), -1, len(alike))
        return {k: Values(out.shape, bits[:, :, n]) for n, k in enumerate(alike)}


class Accumulator(Component):
    """o = (``start`` where ``first``, else o) + i, from the next cycle on, where ``valid``.

    As in hwgen_rtl.depthwise and hwgen_rtl.winograd_array; without ``starts`` it begins with 0.
    """

    i: Signal
    first: Signal
    valid: Signal
    o: Signal

    def __init__(self, kind: Shape, bits: int, starts: bool):
        flags = {"first": In(1), "valid": In(1)}
        ports = {"start": In(bits)} if starts else {}
        super().__init__({"i": In(kind)} | flags | ports | {"o": Out(bits)})

    def elaborate(self, platform):
        m = Module()
        with m.If(self.valid):
            m.d.sync += self.o.eq(Mux(self.first, getattr(self, "start", 0), self.o) + self.i)
        return m
