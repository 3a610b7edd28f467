"""A depthwise array in standard cells, see hwgen_rtl.depthwise."""

import numpy as np

from hwgen_rtl.depthwise import DepthwiseParams
from hwgen_rtl.shapes import shape_of
from hwgen_sim.liberty.library import Library
from hwgen_sim.liberty.operators import Expression
from hwgen_sim.liberty.parts import ArrayEnergy, Parts, Values, Workload

__all__ = ["depthwise_energy"]


def depthwise_energy(params: DepthwiseParams, work: Workload, library: Library) -> ArrayEnergy:
    """Energy and area of a depthwise array, while ``work`` passes through."""
    parts = Parts(library)
    taps = params.x.encode(work.taps)
    parts.registers("tap register", params.x, taps, params.fetch)
    shapes = {"tap": shape_of(params.x), "weight": shape_of(params.w)}
    product = Expression(shapes, lambda tap, weight: tap * weight, registered=True)
    weights = params.w.encode(work.weights[:, 0])
    terms = parts.add("lane", product, {"tap": taps, "weight": weights}).bits
    count = len(terms)
    start = np.zeros(taps.shape, int) if work.bias is None else params.acc.encode(work.bias)
    shape = shape_of(params.lane)
    sums = parts.accumulated("", Values(shape, terms), params.acc.bits, work, start[:count])
    parts.sums[""] = sums.bits
    return parts.energy(params.lanes)
