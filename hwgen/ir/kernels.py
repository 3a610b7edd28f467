"""Fast sums of absolute differences, for floats and for integers alike."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["adder_sums", "from_columns", "from_rows", "to_columns", "to_taps"]

_TILE = 1024  # columns at a time, which stay in the first-level cache


def to_taps(view: NDArray) -> NDArray:
    """Windows (N, OH, OW, C, kh, kw) as a matrix (N*OH*OW, C*kh*kw)."""
    n, height, width = view.shape[:3]
    return view.reshape(n * height * width, int(np.prod(view.shape[3:], dtype=int)))


def to_columns(view: NDArray) -> NDArray:
    """Windows (N, OH, OW, C, kh, kw) as a matrix (C*kh*kw, N*OH*OW)."""
    taps = int(np.prod(view.shape[3:], dtype=int))
    return view.transpose(3, 4, 5, 0, 1, 2).reshape(taps, int(np.prod(view.shape[:3], dtype=int)))


def from_rows(rows: NDArray, count: int, shape: tuple[int, ...]) -> NDArray:
    """Rows (N*OH*OW, O) as images (N, O, OH, OW); (N, O) stays as it is."""
    if len(shape) == 1:
        return rows
    channels, height, width = shape
    return np.ascontiguousarray(rows.reshape(count, height, width, channels).transpose(0, 3, 1, 2))


def from_columns(columns: NDArray, count: int, shape: tuple[int, ...]) -> NDArray:
    """Columns (O, N*OH*OW) as images (N, O, OH, OW), or (O, N) as (N, O)."""
    split = columns.reshape(shape[0], count, *shape[1:])
    return np.ascontiguousarray(split.swapaxes(0, 1))


def adder_sums(columns: NDArray, weights: NDArray) -> NDArray:
    """acc[o, p] = -sum_k abs(columns[k, p] - weights[o, k]), in the type of ``columns``.

    hwgen_rtl.numerics.adder_kernel with both sides transposed, compiled where numba is installed.
    """
    columns = np.ascontiguousarray(columns)
    out = np.zeros((len(weights), columns.shape[1]), dtype=columns.dtype)
    kernel = _compiled() or _plain
    kernel(columns, np.ascontiguousarray(weights.astype(columns.dtype)), out)
    return out


def _plain(columns: NDArray, weights: NDArray, out: NDArray) -> None:
    for o, weight in enumerate(weights):
        for start in range(0, columns.shape[1], _TILE):
            tile = columns[:, start : start + _TILE]
            out[o, start : start + _TILE] = -np.abs(tile - weight[:, None]).sum(axis=0)


def _loops(columns: Any, weights: Any, out: Any) -> None:
    """Four taps a pass; vector lanes run over columns, so float sums keep one order."""
    taps = weights.shape[1]
    for start in range(0, columns.shape[1], _TILE):
        stop = min(start + _TILE, columns.shape[1])
        for o in range(weights.shape[0]):
            acc = out[o, start:stop]
            for k in range(0, taps - 3, 4):
                a, b = columns[k, start:stop], columns[k + 1, start:stop]
                c, d = columns[k + 2, start:stop], columns[k + 3, start:stop]
                wa, wb = weights[o, k], weights[o, k + 1]
                wc, wd = weights[o, k + 2], weights[o, k + 3]
                for p in range(acc.size):
                    near = abs(a[p] - wa) + abs(b[p] - wb)
                    acc[p] -= near + (abs(c[p] - wc) + abs(d[p] - wd))
            for k in range(taps - taps % 4, taps):
                a, wa = columns[k, start:stop], weights[o, k]
                for p in range(acc.size):
                    acc[p] -= abs(a[p] - wa)


@cache
def _compiled() -> Any:
    try:
        import numba
    except ImportError:
        return None
    try:
        return numba.njit(nogil=True, cache=True, error_model="numpy")(_loops)
    except RuntimeError:  # no folder to keep machine code in
        return numba.njit(nogil=True, error_model="numpy")(_loops)
