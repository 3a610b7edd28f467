"""Winograd adder arrays and their input transform in standard cells.

See hwgen_rtl.winograd_array and hwgen_rtl.winograd_input, arXiv 2105.05530.
"""

import numpy as np
from amaranth.hdl import Cat, unsigned
from numpy.typing import NDArray

from hwgen_rtl.numerics import IntType
from hwgen_rtl.shapes import shape_of
from hwgen_rtl.winograd import INPUT_TRANSFORM
from hwgen_rtl.winograd_array import CORNERS, TileSum, WinogradArrayParams
from hwgen_rtl.winograd_input import InputTransformParams
from hwgen_sim.liberty.library import Library
from hwgen_sim.liberty.operators import Expression
from hwgen_sim.liberty.parts import ArrayEnergy, Parts, Values, Workload

__all__ = ["transform_energy", "winograd_energy"]


def transform_energy(params: InputTransformParams, work: Workload, library: Library) -> ArrayEnergy:
    """Energy and area of an input transform; taps are columns of tiles, row a of lane l at
    a*lanes + l."""
    transform = _Transform(params, work, library)
    transform.add_parts()
    return transform.energy(4 * params.lanes)


def winograd_energy(params: WinogradArrayParams, work: Workload, library: Library) -> ArrayEnergy:
    """Energy and area of an array; taps are transformed tiles, element e of lane l at
    e*lanes + l."""
    array = _Array(params, work, library)
    array.add_parts()
    return array.energy(16 * params.lanes * params.pe)


_BIT = IntType(1, signed=False)


class _Array(Parts):
    def __init__(self, params: WinogradArrayParams, work: Workload, library: Library):
        super().__init__(library)
        self._params, self._work = params, work

    def add_parts(self) -> None:
        params, form = self._params, self._params.comparison
        taps, weights = params.v.encode(self._work.taps), form.encode(self._work.weights)
        self.registers("tap register", params.v, taps, params.fetch)
        shared = self.registers("shared tap register", params.v, taps)
        shapes = {"tap": shape_of(params.v), "code": shape_of(params.w)}
        each = np.broadcast_to(taps[:, None], weights.shape)
        rows = {"tap": each, "code": weights}
        rows = {port: values.reshape(len(values), -1) for port, values in rows.items()}
        lanes = self.add("lane", Expression(shapes, form.compute, registered=True), rows)
        starts, odd = self._constants()
        both = (
            self._summed("shared ", shared, params.v, params.acc.bits, None),
            self._summed("", lanes, params.lane, params.half, starts),
        )
        self._combined(*both, odd)

    def _constants(self) -> tuple[NDArray, NDArray]:
        """What the corners begin with and the lowest bits, (T, pe, 4) each, from the weights."""
        work, params = self._work, self._params
        each = work.weights.reshape(len(work.last), params.pe, 16, params.lanes).sum(axis=3)
        sums = np.zeros((work.job[-1] + 1, params.pe, 16), each.dtype)
        np.add.at(sums, work.job, each)
        starts, odd = params.constants(sums.reshape(-1, params.pe, 4, 4))
        return starts[work.job], odd[work.job]

    def _summed(
        self, name: str, terms: Values, kind: IntType, bits: int, starts: NDArray | None
    ) -> NDArray:
        """Trees, accumulators and the transform of what they hold: (T, copies, 4)."""
        lanes = self._params.lanes
        shaped = Values(shape_of(kind), terms.bits.reshape(len(terms.bits), -1, lanes))
        total = self.tree(name, shaped, registered=True)
        elements = total.bits.reshape(len(total.bits), -1, 16)
        groups = [list(range(16))]
        if starts is not None:
            groups = [list(CORNERS), [e for e in range(16) if e not in CORNERS]]
        sums = np.zeros_like(elements)
        for number, chosen in enumerate(groups):
            part = Values(total.shape, elements[:, :, chosen].reshape(len(elements), -1))
            start = None if starts is None or number else starts.reshape(len(starts), -1)
            what = f"{name}corner " if start is not None else name
            found = self.accumulated(what, part, bits, self._work, start)
            sums[:, :, chosen] = found.bits.reshape(*elements.shape[:2], -1)
        columns = self._rows(f"{name}column", sums.reshape(*sums.shape[:2], 4, 4), bits)
        return self._rows(f"{name}row", columns, bits).reshape(-1, sums.shape[1], 4)

    def _rows(self, name: str, matrices: NDArray, bits: int) -> NDArray:
        """(T, copies, 4, n) to (T, copies, n, 2), A' times each of the n columns.

        A row of A' has two elements of 1 and one of -1, so that all are one part.
        """
        rows = [sorted(row.nonzero()[0], key=lambda k, r=row: -r[k])
                for row in self._params.output_transform]  # fmt: skip
        operands = {
            port: np.stack([matrices[:, :, row[n]] for row in rows], axis=-1)
            for n, port in enumerate("abc")
        }
        shapes = dict.fromkeys(operands, unsigned(bits))
        part = Expression(shapes, lambda a, b, c: a + b - c, registered=True, shape=unsigned(bits))
        flat = {port: values.reshape(len(values), -1) for port, values in operands.items()}
        found = self.add(name, part, flat).bits
        return found.reshape(len(found), *operands["a"].shape[1:])

    def _combined(self, shared: NDArray, kept: NDArray, odd: NDArray) -> None:
        params, count = self._params, min(len(shared), len(kept))
        bits = Values(unsigned(1), odd.reshape(len(odd), -1))
        self.registers("lowest bit", _BIT, bits.bits, TileSum.LATENCY)
        operands = {
            "shared": np.broadcast_to(shared[:count], (count, params.pe, 4)),
            "kept": kept[:count],
            "odd": bits.delayed(1).bits[:count],  # sums hold a beat from the next cycle on
        }
        shapes = {"shared": unsigned(params.acc.bits), "kept": unsigned(params.half), "odd": 1}
        last = Expression(
            shapes, lambda a, b, odd: a - Cat(odd, b), registered=True, shape=params.acc.bits
        )
        rows = {port: values.reshape(count, -1) for port, values in operands.items()}
        self.sums[""] = self.add("combination", last, rows).bits


class _Transform(Parts):
    def __init__(self, params: InputTransformParams, work: Workload, library: Library):
        super().__init__(library)
        self._params, self._work = params, work

    def add_parts(self) -> None:
        """C = B' d column by column, two registers of earlier columns, and V = C B."""
        params, lanes = self._params, self._params.lanes
        taps = params.x.encode(self._work.taps).reshape(len(self._work.taps), 4, lanes)
        pixels = [taps[:, a] for a in range(4)]
        rows = [tuple(pixels[k] for k in _operands(i)) for i in range(4)]
        found = self._pairs("column", params.x, params.column, rows, None)
        column = Values(shape_of(params.column), np.concatenate(found, axis=1))
        self.registers("earlier column", params.column, column.bits, 2)
        recent = [column.delayed(n).bits for n in range(3)]
        beat = np.arange(len(column.bits)) % params.beats
        ends = [int(INPUT_TRANSFORM[j].nonzero()[0].max()) for j in range(4)]
        rows = [tuple(recent[ends[j] - k] for k in _operands(j)) for j in range(4)]
        enables = [beat == end for end in ends]
        v = np.stack(self._pairs("tile", params.column, params.v, rows, enables), axis=1)
        order = v.reshape(len(v), 4, 4, lanes).swapaxes(1, 2)  # column, row to row, column
        self.sums[""] = order.reshape(len(v), -1)

    def _pairs(
        self,
        name: str,
        given: IntType,
        kind: IntType,
        rows: list[tuple[NDArray, ...]],
        enables: list[NDArray] | None,
    ) -> list[NDArray]:
        """Row n of B' times what ``rows[n]`` has of its two elements, (T, copies) each."""
        found: dict[int, NDArray] = {}
        for what, function, chosen in _FUNCTIONS:
            operands = {
                port: np.concatenate([rows[n][side] for n in chosen], axis=1)
                for side, port in enumerate("ab")
            }
            shapes = {port: shape_of(given) for port in operands}
            if enables is not None:
                copies = rows[0][0].shape[1]
                flags = [np.repeat(enables[n][:, None], copies, axis=1) for n in chosen]
                operands["enable"] = np.concatenate(flags, axis=1).astype(np.int64)
                shapes["enable"] = unsigned(1)
            part = Expression(shapes, function, registered=True, shape=shape_of(kind))
            out = self.add(f"{name} {what}", part, operands).bits
            found |= dict(zip(chosen, np.split(out, len(chosen), axis=1), strict=True))
        return [found[n] for n in range(4)]


def _operands(row: int) -> list[int]:
    """The two elements of a row of B', a subtracted one last."""
    elements = INPUT_TRANSFORM[row].nonzero()[0].tolist()
    return sorted(elements, key=lambda k: -INPUT_TRANSFORM[row, k])


_SUMS = [n for n in range(4) if INPUT_TRANSFORM[n].min() == 0]
_FUNCTIONS = (
    ("difference", lambda a, b: a - b, [n for n in range(4) if n not in _SUMS]),
    ("sum", lambda a, b: a + b, _SUMS),
)
