"""Energy and area of arrays of every form in standard cells, from those of their parts."""

import numpy as np
from numpy.typing import NDArray

from hwgen_rtl.array import ArrayParams
from hwgen_rtl.depthwise import DepthwiseParams
from hwgen_rtl.numerics import IntType
from hwgen_rtl.winograd_array import WinogradArrayParams
from hwgen_rtl.winograd_input import InputTransformParams
from hwgen_sim.liberty.depthwise import depthwise_energy
from hwgen_sim.liberty.direct import direct_energy
from hwgen_sim.liberty.library import Library
from hwgen_sim.liberty.parts import ArrayEnergy, Workload
from hwgen_sim.liberty.winograd import transform_energy, winograd_energy

__all__ = ["AnyArray", "array_energy", "random_workload"]

AnyArray = ArrayParams | DepthwiseParams | InputTransformParams | WinogradArrayParams


def array_energy(params: AnyArray, work: Workload, library: Library) -> ArrayEnergy:
    """Energy and area of an array in standard cells, while ``work`` passes through."""
    match params:
        case ArrayParams():
            return direct_energy(params, work, library)
        case DepthwiseParams():
            return depthwise_energy(params, work, library)
        case InputTransformParams():
            return transform_energy(params, work, library)
        case WinogradArrayParams():
            return winograd_energy(params, work, library)


def random_workload(params: AnyArray, beats: int, seed: int = 0) -> Workload:
    """Uniform taps and weights over all that their types hold."""
    rng = np.random.default_rng(seed)
    ends = np.arange(beats) % params.beats == params.beats - 1
    x, lanes, pe = _shape(params)
    if isinstance(params, InputTransformParams):
        weights = np.zeros((beats, 0, lanes), dtype=np.int64)
    elif isinstance(params, ArrayParams) and params.kernel == "shift":
        powers = 1 << np.array(params.distances or range(max(1, params.w.bits - 1)))
        shape = (beats, pe, lanes)
        weights = rng.choice(powers, shape) * rng.choice([-1, 1], shape)
    else:
        weights = _uniform(params.w, (beats, pe, lanes), rng)
    return Workload(taps=_uniform(x, (beats, lanes), rng), weights=weights, last=ends)


def _shape(params: AnyArray) -> tuple[IntType, int, int]:
    """Type and number of the taps of a beat, and channels that see each of them."""
    match params:
        case ArrayParams():
            return params.x, params.simd, params.pe
        case DepthwiseParams():
            return params.x, params.lanes, 1
        case InputTransformParams():
            return params.x, 4 * params.lanes, 0
        case WinogradArrayParams():
            return params.v, 16 * params.lanes, params.pe


def _uniform(kind: IntType, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray:
    if kind.bipolar:
        return 2 * rng.integers(0, 2, shape) - 1
    low = -(1 << kind.bits - 1) if kind.signed else 0
    return rng.integers(low, low + (1 << kind.bits), shape)
