"""An array of processing elements in standard cells, see hwgen_rtl.array."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen_rtl.array import ArrayParams, JobSum, ProcessingElement, TapSum
from hwgen_rtl.lanes import XnorLanes
from hwgen_rtl.numerics import IntType, bits_for_sum
from hwgen_rtl.shapes import shape_of
from hwgen_sim.liberty.library import Library
from hwgen_sim.liberty.operators import Expression
from hwgen_sim.liberty.parts import ArrayEnergy, Parts, Values, Workload

__all__ = ["direct_energy"]


def direct_energy(params: ArrayParams, work: Workload, library: Library) -> ArrayEnergy:
    """Energy and area of an array in standard cells, while ``work`` passes through."""
    array = _Array(params, work, library)
    array.add_parts()
    return array.energy(params.simd * params.pe)


class _Array(Parts):
    def __init__(self, params: ArrayParams, work: Workload, library: Library):
        super().__init__(library)
        self._params, self._work = params, work

    def add_parts(self) -> None:
        params, work, lanes = self._params, self._work, self._params.lanes
        taps, weights = params.x.encode(work.taps), lanes.encode(work.weights)
        self.registers("tap register", params.x, taps, params.fetch)
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

    def _whole(self, taps: NDArray, weights: NDArray) -> None:
        """Counters of ones are compressors across several registers: one part each."""
        params = self._params
        delay = 1 + params.lanes.tree_latency(params.simd)
        each = np.broadcast_to(taps[:, None], weights.shape)
        work = {"taps": each, "weights": weights, **self._flags(delay, params.pe)}
        element = ProcessingElement(params)
        self.sums[""] = self.add("processing element", element, work, warm_up=delay + 1).bits
        if params.lanes.shared is not None:
            work = {"taps": taps[:, None], **self._flags(delay, 1)}
            total = TapSum(params, params.lanes.shared)
            self.sums["shared "] = self.add("shared sum", total, work, warm_up=delay + 1).bits

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
        """Lanes of (T, sums, simd) operands, the tree and the accumulators behind them.

        The register behind the last level is the one in front of the accumulator.
        """
        simd = self._params.simd
        lane = Expression(shapes, compute, registered=simd > 1)
        rows = {port: values.reshape(len(values), -1) for port, values in operands.items()}
        out = self.add(f"{name}lane", lane, rows)
        terms = Values(shape_of(kind), out.bits.reshape(len(out.bits), -1, simd))
        self._accumulated(name, self.tree(name, terms, registered=False), kind, bits)

    def _accumulated(self, name: str, total: Values, kind: IntType, bits: int) -> None:
        params = self._params
        one = replace(params, simd=1)
        flags = self._flags(1, total.bits.shape[1])
        lost = len(self._work.last) - len(total.bits)
        ports = {"i": total.bits, **{port: v[: len(v) - lost] for port, v in flags.items()}}
        job = JobSum(one, bits_for_sum(params.simd, kind), bits)
        self.sums[name] = self.add(f"{name}accumulator", job, ports, warm_up=2).bits
