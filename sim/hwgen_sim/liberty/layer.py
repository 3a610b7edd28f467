"""What enters a layer's array while it computes real images."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.rules import taps
from hwgen.lower.weights import array_constants, in_tap_order
from hwgen.schedule.geometry import geometry
from hwgen.schedule.plan import Plan, Unit
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_sim.liberty.arrays import Workload

__all__ = ["array_of", "layer_workload"]


def array_of(unit: Unit) -> ArrayParams | None:
    """The array of a unit, if it has one behind its window buffer."""
    for stage in unit.stages:
        params = stage.params
        if isinstance(params, WindowedParams) and isinstance(params.datapath, ArrayParams):
            return params.datapath
    return None


def layer_workload(
    plan: Plan, unit: Unit, values: Mapping[str, NDArray], beats: int
) -> tuple[ArrayParams, Workload]:
    """About ``beats`` beats of a layer, or one job of each image where that is more.

    ``values`` are the golden integers (N, *shape) of the nodes. From each image come equally many
    whole jobs around its middle: windows in raster order, each once for every fold of channels.
    """
    params = array_of(unit)
    assert params is not None
    x = values[unit.sources[0]]
    rows = _windows(plan, unit, x).reshape(len(x), -1, params.beats, params.simd)
    jobs = min(rows.shape[1] * params.folds, max(1, beats // (len(x) * params.beats)))
    chosen = (rows.shape[1] * params.folds - jobs) // 2 + np.arange(jobs)
    weights, _ = array_constants(plan.graph, unit)
    shape = (params.folds, params.pe, params.beats, params.simd)
    folded = weights.reshape(shape).transpose(0, 2, 1, 3)[chosen % params.folds]
    words = rows[:, chosen // params.folds]
    return params, Workload(
        taps=words.reshape(-1, params.simd),
        weights=np.tile(folded.reshape(-1, params.pe, params.simd), (len(x), 1, 1)),
        last=np.arange(len(x) * jobs * params.beats) % params.beats == params.beats - 1,
    )


def _windows(plan: Plan, unit: Unit, x: NDArray) -> NDArray:
    """Taps (windows, K) in the order in which they arrive."""
    shape = geometry(plan.graph, unit.node)
    # a linear layer is one window over its source, flattened or not
    found = taps(unit.node, x) if hasattr(unit.node, "kernel") else x
    return in_tap_order(found.reshape(len(found), shape.channels, *shape.kernel), unit)
