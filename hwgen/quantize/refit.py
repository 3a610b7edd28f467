"""Fits of integer layers to the float network, on calibration images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.evaluate import RULES
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AnyNode, WinogradAdderConv2d
from hwgen.quantize.chain import AdderPath
from hwgen.quantize.weights import adder_weights
from hwgen_rtl.numerics import IntType, to_steps

__all__ = ["Aim", "best_step", "refit"]

_CANDIDATES = 20


def refit(acc: NDArray, wanted: NDArray, gain: NDArray) -> tuple[NDArray, NDArray]:
    """Gain and offset (C,) with the least mean (gain*acc + offset - wanted)**2 of each channel.

    acc and wanted are (N, C, ...). A channel that does not vary, or whose best gain would turn its
    sign, keeps ``gain``.
    """
    x, y = _channels(acc), _channels(wanted)
    x_mean, y_mean = x.mean(axis=1), y.mean(axis=1)
    spread = ((x - x_mean[:, None]) ** 2).mean(axis=1)
    together = ((x - x_mean[:, None]) * (y - y_mean[:, None])).mean(axis=1)
    usable = (spread > 0) & (together * gain > 0)
    best = np.where(usable, together / np.where(spread > 0, spread, 1), gain)
    return best, y_mean - best * x_mean


@dataclass(frozen=True)
class Aim:
    """What an adder layer should give: the float output of the batch norm behind it, or its own.

    ``sign`` (C,) is that of the batch norm's gain.
    """

    path: AdderPath
    wanted: NDArray
    sign: NDArray


def best_step(graph: Graph, real: NDArray, kind: IntType, aims: Sequence[Aim]) -> float:
    """Of 20 steps, the one at which the adder layers that read ``real`` come closest to their aims.

    The error is what remains after the best affine of each channel:
    sum_c var(z) - max(0, sign*cov(acc, z))**2 / var(acc).
    """
    largest = float(np.abs(real).max() if kind.signed else real.max(initial=0.0))
    if largest <= 0:
        return 1.0
    least = 0.06 if kind.bits <= 5 else 0.15
    steps = np.geomspace(least, 1, _CANDIDATES) * largest / kind.high
    return float(min(steps, key=lambda step: _error(graph, real, step, kind, aims)))


def _error(graph: Graph, real: NDArray, step: float, kind: IntType, aims: Sequence[Aim]) -> float:
    integers = to_steps(real, step, kind).astype(np.float32)
    return sum(_residual(_accumulated(graph, integers, step, kind, aim), aim) for aim in aims)


def _accumulated(graph: Graph, integers: NDArray, step: float, kind: IntType, aim: Aim) -> NDArray:
    for node in aim.path.movers:
        integers = _apply(node, graph, integers)
    layer = aim.path.layer
    weight = graph.tensors[layer.weight]
    if isinstance(layer, WinogradAdderConv2d):
        weight = np.rint(weight / step)
    else:
        weight = adder_weights(weight, step, kind).weight
    return RULES[type(layer)](layer, {layer.weight: weight.astype(np.float32)}, integers)


def _apply(node: AnyNode, graph: Graph, x: NDArray) -> NDArray:
    return RULES[type(node)](node, graph.tensors, x)


def _residual(acc: NDArray, aim: Aim) -> float:
    x, z = _channels(acc), _channels(aim.wanted)
    x = x - x.mean(axis=1, keepdims=True)
    z = z - z.mean(axis=1, keepdims=True)
    together = np.maximum(aim.sign * (x * z).mean(axis=1), 0)
    spread = (x * x).mean(axis=1)
    explained = np.where(spread > 0, together**2 / np.where(spread > 0, spread, 1), 0)
    return float(((z * z).mean(axis=1) - explained).sum())


def _channels(values: NDArray) -> NDArray:
    """(N, C, ...) as (C, N*...), float64."""
    return np.moveaxis(values, 1, 0).reshape(values.shape[1], -1).astype(np.float64)
