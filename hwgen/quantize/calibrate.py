"""Ranges of the activations, from the float graph run on sample images."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import InputError
from hwgen.inputs import to_real
from hwgen.ir.evaluate import evaluate
from hwgen.ir.graph import Graph
from hwgen.quantize.policy import Policy
from hwgen_rtl.numerics import IntType

__all__ = ["Observed", "input_range", "observe", "pick_scale"]

_BATCH = 16  # images
_KEPT = 1 << 15  # values a node and batch
_SEARCHED = 1 << 17  # values that one scale is searched with
_FRACTIONS = np.linspace(0.1, 1.0, 91)


@dataclass
class Observed:
    """A deterministic sample of a node's real values, and their exact extremes."""

    low: float = np.inf
    high: float = -np.inf
    parts: list[NDArray] = field(default_factory=list)

    def add(self, values: NDArray) -> None:
        """Take one batch into account."""
        flat = values.reshape(-1)
        self.low, self.high = min(self.low, flat.min()), max(self.high, flat.max())
        self.parts.append(_thin(flat, _KEPT).astype(np.float32))

    @property
    def values(self) -> NDArray:
        """The sample, flat."""
        return np.concatenate(self.parts).astype(np.float64)


def observe(graph: Graph, samples: NDArray) -> dict[str, Observed]:
    """Run the float graph on ``samples`` (N, *shape; uint8 pixels or real values)."""
    _check(graph, samples)
    seen = {node.name: Observed() for node in graph.nodes}
    for start in range(0, len(samples), _BATCH):
        real = to_real(samples[start : start + _BATCH], graph.input.mean, graph.input.std)
        for name, values in evaluate(graph, real).items():
            seen[name].add(values)
    return seen


def input_range(graph: Graph, samples: NDArray) -> tuple[float, float]:
    """Real range at the input: of all 256 pixel values, or of the float samples."""
    if samples.dtype != np.uint8:
        return float(samples.min()), float(samples.max())
    mean, std = np.asarray(graph.input.mean), np.asarray(graph.input.std)
    return float(((0 - mean) / std).min()), float(((1 - mean) / std).max())


def pick_scale(seen: Observed, kind: IntType, policy: Policy, weights: Sequence[NDArray]) -> float:
    """Real value of one step of ``kind``; ``weights`` are those of adder layers that follow.

    "percentile": the range ends at that percentile of abs(x). "mse": the range, out of 91 from
    10 % to 100 % of the largest, with the least mean (x - x_q)**2 + mean (w - w_q)**2; weights
    outside the range are exact (see adder_weights), so they only count by rounding.
    """
    values = np.abs(seen.values) if kind.signed else np.maximum(seen.values, 0)
    largest = float(values.max(initial=0.0))
    if policy.calibration == "percentile":
        largest = float(np.percentile(values, policy.percentile)) or largest
    if largest <= 0:
        return 1.0
    if policy.calibration == "percentile":
        return largest / kind.high
    values = _thin(seen.values, _SEARCHED)
    joined = np.concatenate([np.empty(0), *(weight.reshape(-1) for weight in weights)])
    flat = _thin(joined, _SEARCHED) if joined.size else joined
    scales = largest / kind.high * _FRACTIONS
    return float(min(scales, key=lambda scale: _error(values, flat, scale, kind)))


def _error(values: NDArray, weight: NDArray, scale: float, kind: IntType) -> float:
    steps = np.clip(np.rint(values / scale), kind.low, kind.high)
    error = np.mean((values - steps * scale) ** 2)
    if weight.size:
        error += np.mean((weight - np.rint(weight / scale) * scale) ** 2)
    return float(error)


def _thin(flat: NDArray, count: int) -> NDArray:
    return flat[:: max(1, -(-flat.size // count))]


def _check(graph: Graph, samples: NDArray) -> None:
    if samples.ndim != len(graph.input.shape) + 1 or samples.shape[1:] != graph.input.shape:
        raise InputError(
            f"calibration samples have shape {samples.shape}, but the model takes "
            f"(N, {', '.join(map(str, graph.input.shape))}); give images of that size."
        )
    if len(samples) == 0:
        raise InputError("there are no calibration samples; give at least one image.")
    if samples.dtype.kind not in "fu" or (samples.dtype.kind == "u" and samples.dtype != np.uint8):
        raise InputError(f"calibration samples must be uint8 or float, not {samples.dtype}.")
    if samples.dtype.kind == "f" and not np.isfinite(samples).all():
        raise InputError("calibration samples hold NaN or infinity; remove those images.")
