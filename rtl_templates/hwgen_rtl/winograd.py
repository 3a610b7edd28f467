"""The Winograd adder layer F(2x2, 3x3) in integers: transforms, definition, intervals, additions.

NumPy only; the golden model, the quantizer, the hardware and the cost models read this file.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen_rtl.numerics import Interval

__all__ = [
    "INPUT_TRANSFORM",
    "OUTPUT_TRANSFORMS",
    "Additions",
    "TileGrid",
    "direct_additions",
    "image_to_tiles",
    "linear_ends",
    "output_bounds",
    "tile_grid",
    "tile_interval",
    "winograd_adder",
    "winograd_additions",
]

IntArray = NDArray[np.int64]

INPUT_TRANSFORM: IntArray = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
"""B': V = B' d B."""

OUTPUT_TRANSFORMS: tuple[IntArray, ...] = (
    np.array([[-1, 1, 1, 0], [0, 1, -1, 1]]),
    np.array([[1, 1, -1, 0], [0, 1, 1, -1]]),
    np.array([[1, -1, -1, 0], [0, -1, 1, -1]]),
    np.array([[-1, -1, 1, 0], [0, -1, -1, 1]]),
)
"""A' by variant: the sign patterns that give each of the 2x2 outputs 5 plus and 4 minus terms.

Y = A' M A is quadratic in A, so variants 0 and 2 give the same Y, and so do 1 and 3.
"""


class TileGrid(NamedTuple):
    """Output rows and columns of a layer and the 2x2 tiles that cover them, (rows, columns) each.

    ``extra`` is 1 where the output is odd: one more row (column) of zeros follows the image, and
    the last row (column) of the tiles is cropped.
    """

    output: tuple[int, int]
    tiles: tuple[int, int]
    extra: tuple[int, int]


def tile_grid(size: tuple[int, int], padding: tuple[int, int]) -> TileGrid:
    """The tiles of an image of ``size`` (rows, columns) with ``padding`` on each side."""
    output = (size[0] + 2 * padding[0] - 2, size[1] + 2 * padding[1] - 2)
    if min(output) < 1:
        raise ValueError(f"size must be at least 3 x 3 with padding, not {size!r} and {padding!r}")
    tiles = ((output[0] + 1) // 2, (output[1] + 1) // 2)
    return TileGrid(output, tiles, (output[0] % 2, output[1] % 2))


def image_to_tiles(x: NDArray, padding: tuple[int, int]) -> NDArray:
    """Cut (N, C, H, W) into tiles (N, rows, columns, C, 4, 4), every second pixel of each axis."""
    grid = tile_grid((x.shape[2], x.shape[3]), padding)
    around = [(p, p + extra) for p, extra in zip(padding, grid.extra, strict=True)]
    padded = np.pad(x, ((0, 0), (0, 0), *around))
    view = np.lib.stride_tricks.sliding_window_view(padded, (4, 4), axis=(2, 3))
    return view[:, :, ::2, ::2].transpose(0, 2, 3, 1, 4, 5)


def winograd_adder(
    x: NDArray, weight: NDArray, padding: tuple[int, int] = (0, 0), variant: int = 0
) -> IntArray:
    """Y (N, O, H + 2p - 2, W + 2p - 2) from x (N, C, H, W) and weight (O, C, 4, 4).

        V = B' d B;  M[o] = -sum_c abs(weight[o, c] - V[c]);  Y = A' M A

    for each 4x4 tile d (Wang et al., Winograd AdderNet, arXiv 2105.05530).
    """
    grid = tile_grid((x.shape[2], x.shape[3]), padding)
    output = OUTPUT_TRANSFORMS[variant]
    tiles = image_to_tiles(x.astype(np.int64), padding)
    transformed = INPUT_TRANSFORM @ tiles @ INPUT_TRANSFORM.T
    y = np.empty((len(x), len(weight), *grid.tiles, 2, 2), dtype=np.int64)
    for o, kernel in enumerate(weight.astype(np.int64)):
        y[:, o] = output @ -np.abs(kernel - transformed).sum(axis=3) @ output.T
    rows, columns = grid.tiles
    image = y.transpose(0, 1, 2, 4, 3, 5).reshape(len(x), len(weight), 2 * rows, 2 * columns)
    return image[:, :, : grid.output[0], : grid.output[1]]


def tile_interval(x: Interval) -> Interval:
    """All values of V for pixels in ``x`` or 0: exact, since the pixels of a tile are free."""
    ends = np.full(16, min(x.low, 0)), np.full(16, max(x.high, 0))
    low, high = linear_ends(np.kron(INPUT_TRANSFORM, INPUT_TRANSFORM), *ends)
    return Interval(int(low.min()), int(high.max()))


def output_bounds(x: Interval, weight: NDArray, variant: int) -> tuple[Interval, Interval]:
    """Intervals that hold every M and every Y of a layer, for pixels in ``x`` or 0."""
    ends = np.full(16, min(x.low, 0)), np.full(16, max(x.high, 0))
    low, high = linear_ends(np.kron(INPUT_TRANSFORM, INPUT_TRANSFORM), *ends)
    weight = weight.astype(np.int64).reshape(len(weight), -1, 16)
    farthest = np.maximum(np.abs(weight - low), np.abs(weight - high)).sum(axis=1)
    nearest = np.abs(weight - np.clip(weight, low, high)).sum(axis=1)
    output = OUTPUT_TRANSFORMS[variant]
    y_low, y_high = linear_ends(np.kron(output, output), -farthest, -nearest)
    return (
        Interval(-int(farthest.max()), -int(nearest.min())),
        Interval(int(y_low.min()), int(y_high.max())),
    )


def linear_ends(matrix: NDArray, low: NDArray, high: NDArray) -> tuple[NDArray, NDArray]:
    """Ends of ``matrix`` @ v over all v between ``low`` and ``high``, (..., K) each."""
    plus, minus = np.maximum(matrix, 0).T, np.minimum(matrix, 0).T
    return low @ plus + high @ minus, high @ plus + low @ minus


class Additions(NamedTuple):
    """Additions of a layer; a distance is two of them, a difference and its accumulation."""

    input_transform: int
    distances: int
    output_transform: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self)


def winograd_additions(channels: int, outputs: int, tiles: int) -> Additions:
    """Additions of ``tiles`` 2x2 tiles of the output."""
    return Additions(
        input_transform=_additions_of(INPUT_TRANSFORM) * channels * tiles,
        distances=2 * 16 * channels * outputs * tiles,
        output_transform=_additions_of(OUTPUT_TRANSFORMS[0]) * outputs * tiles,
    )


def direct_additions(channels: int, outputs: int, pixels: int) -> int:
    """Additions of a 3x3 adder layer with ``pixels`` outputs per channel: two per tap."""
    return 2 * 9 * channels * outputs * pixels


def _additions_of(matrix: NDArray) -> int:
    """Additions of matrix @ tile @ matrix.T: first every column of the tile, then every row."""
    per_vector = int((np.abs(matrix).sum(axis=1) - 1).sum())
    return per_vector * (matrix.shape[1] + matrix.shape[0])
