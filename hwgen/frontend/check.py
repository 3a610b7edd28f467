"""After every import: the graph must compute what the module computes."""

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hwgen.errors import CheckFailed
from hwgen.ir.evaluate import evaluate
from hwgen.ir.graph import Graph

__all__ = ["TOLERANCE", "compare"]

TOLERANCE = 1e-4


def compare(graph: Graph, module: nn.Module, example: Tensor) -> None:
    """CheckFailed unless the outputs differ by at most 1e-4 of the largest output.

    Compared on the example and, since that may be blank, on noise of the same shape. The module
    runs in float64 where it can: a value near a step of sign or QuantReLU must not flip.
    """
    noise = np.random.default_rng(0).standard_normal(example.shape)
    for x in (example, torch.as_tensor(noise, dtype=example.dtype, device=example.device)):
        got = evaluate(graph, x.detach().cpu().double().numpy())[graph.output.name]
        _compare(got, _run(module, x).detach().cpu().double().numpy())


def _run(module: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        try:
            found = copy.deepcopy(module).double()(x.double())
        except Exception:  # the module insists on its own type
            found = module(x.clone())
    while isinstance(found, tuple | list):
        found = found[0]
    return found


def _compare(got: NDArray, want: NDArray) -> None:
    if got.shape != want.shape:
        raise CheckFailed(f"the imported graph gives {got.shape}, the module {want.shape}.")
    difference, largest = np.abs(got - want).max(), np.abs(want).max()
    if not difference <= TOLERANCE * max(largest, 1e-6):
        raise CheckFailed(
            f"the imported graph differs from the module by {difference:.3g}, with outputs up to "
            f"{largest:.3g}; please report this model, its import is wrong."
        )
