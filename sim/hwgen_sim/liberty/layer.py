"""What enters a layer's arrays while it computes real images."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.nodes import WinogradAdderConv2d
from hwgen.ir.rules import taps
from hwgen.lower.weights import array_constants, in_tap_order
from hwgen.schedule.geometry import geometry
from hwgen.schedule.plan import Plan, Unit
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.depthwise import DepthwiseParams
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_rtl.winograd import INPUT_TRANSFORM, image_to_tiles
from hwgen_rtl.winograd_array import WinogradArrayParams
from hwgen_rtl.winograd_input import InputTransformParams
from hwgen_sim.liberty.arrays import AnyArray
from hwgen_sim.liberty.parts import Workload

__all__ = ["arrays_of", "layer_workload"]


def arrays_of(unit: Unit) -> Iterator[tuple[WindowParams, AnyArray]]:
    """The arrays of a unit behind their window buffers; a Winograd layer has its transform, too."""
    for stage in unit.stages:
        params = stage.params
        if isinstance(params, WindowedParams) and isinstance(params.datapath, AnyArray):
            yield params.window, params.datapath


def layer_workload(
    plan: Plan, unit: Unit, params: AnyArray, values: Mapping[str, NDArray], beats: int
) -> Workload:
    """About ``beats`` beats of an array of a unit, or one job of each image where that is more.

    ``values`` are the golden integers (N, *shape) of the nodes. From each image come equally many
    whole jobs around its middle: windows in raster order, each once for every fold of channels.
    """
    words, weights, bias = _jobs(plan, unit, params, values[unit.sources[0]])
    images, positions, alike, length, _ = words.shape
    folds = len(weights)
    jobs = min(positions * folds, max(1, beats // (images * length)))
    chosen = (positions * folds - jobs) // 2 + np.arange(jobs)
    at, fold = chosen // folds, chosen % folds
    return Workload(
        taps=words[:, at, fold % alike].reshape(images * jobs * length, -1),
        weights=np.tile(weights[fold].reshape(jobs * length, *weights.shape[2:]), (images, 1, 1)),
        last=np.arange(images * jobs * length) % length == length - 1,
        bias=None if bias is None else np.tile(np.repeat(bias[fold], length, axis=0), (images, 1)),
    )


_Jobs = tuple[NDArray, NDArray, NDArray | None]
"""Taps (N, windows, folds or 1, beats, lanes), weights (folds, beats, pe, lanes) and bias (folds,
lanes) of all jobs of images."""


def _jobs(plan: Plan, unit: Unit, params: AnyArray, x: NDArray) -> _Jobs:
    match params:
        case ArrayParams():
            return _direct(plan, unit, params, x)
        case DepthwiseParams():
            return _depthwise(plan, unit, params, x)
        case InputTransformParams():
            return _transform(unit, params, x)
        case WinogradArrayParams():
            return _winograd(plan, unit, params, x)


def _direct(plan: Plan, unit: Unit, params: ArrayParams, x: NDArray) -> _Jobs:
    weights, _ = array_constants(plan.graph, unit)
    shape = (params.folds, params.pe, params.beats, params.simd)
    words = in_tap_order(_windows(plan, unit, x), unit)
    words = words.reshape(len(x), -1, 1, params.beats, params.simd)
    return words, weights.reshape(shape).swapaxes(1, 2), None


def _windows(plan: Plan, unit: Unit, x: NDArray) -> NDArray:
    """Taps (windows, channels, rows, columns); a linear layer is one window over its source."""
    shape = geometry(plan.graph, unit.node)
    found = taps(unit.node, x) if hasattr(unit.node, "kernel") else x
    return found.reshape(len(found), shape.channels, *shape.kernel)


def _depthwise(plan: Plan, unit: Unit, params: DepthwiseParams, x: NDArray) -> _Jobs:
    """A job is a word of channels: each has taps, weights and a bias of its own."""
    weights, bias = array_constants(plan.graph, unit)
    windows = _windows(plan, unit, x).reshape(len(x), -1, params.words, params.lanes, params.beats)
    weights = weights.reshape(params.words, 1, params.lanes, params.beats)
    return (
        windows.swapaxes(3, 4), weights.transpose(0, 3, 1, 2),
        bias.reshape(params.words, params.lanes),
    )  # fmt: skip


def _tiles(unit: Unit, x: NDArray, lanes: int) -> NDArray:
    """Tiles (N, tiles, words, lanes, 4, 4)."""
    assert isinstance(unit.node, WinogradAdderConv2d)
    found = image_to_tiles(x, unit.node.padding)
    return found.reshape(len(x), found.shape[1] * found.shape[2], -1, lanes, 4, 4)


def _transform(unit: Unit, params: InputTransformParams, x: NDArray) -> _Jobs:
    """A job is the four columns of the tiles of a word of channels."""
    tiles = _tiles(unit, x, params.lanes).transpose(0, 1, 2, 5, 4, 3)
    words = tiles.reshape(*tiles.shape[:4], 4 * params.lanes)
    return words, np.zeros((words.shape[2], 4, 0, 4 * params.lanes), np.int64), None


def _winograd(plan: Plan, unit: Unit, params: WinogradArrayParams, x: NDArray) -> _Jobs:
    (weights,) = array_constants(plan.graph, unit)
    v = INPUT_TRANSFORM @ _tiles(unit, x, params.lanes) @ INPUT_TRANSFORM.T
    words = v.reshape(*v.shape[:3], params.lanes, 16).swapaxes(3, 4)
    lanes = 16 * params.lanes
    weights = weights.reshape(params.folds, params.pe, params.beats, params.lanes, 16)
    return (
        words.reshape(len(x), -1, 1, params.beats, lanes),
        weights.transpose(0, 2, 1, 4, 3).reshape(params.folds, params.beats, params.pe, lanes),
        None,
    )
