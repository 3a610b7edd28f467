"""Machine-code loops of the adder layers: float32, CPU, one thread each, no Python lock held.

Vector lanes run over output pixels, so a sum is never split across lanes: its order is fixed by
the source, and a result depends neither on the tiling nor on the number of threads.
Indices are unsigned, because a signed one is checked for Python's negative indexing, and that
check keeps the compiler from vectorizing.
"""

from typing import NamedTuple

import numba
import numpy as np

LANES = 256  # output pixels of a tile: one tap of them is 1 KiB, and eight fit the L1 cache
TAPS = 8  # rows of a tile added in one pass (forward: taps; backward: output channels)
PAIR = 2  # rows of sums that share the loads of one pass
LANE_STEP = 16  # computed lanes are rounded up to whole vectors; the excess is never stored

_1, _2, _3, _4, _5, _6, _7 = (np.uint64(i * LANES) for i in range(1, 8))
_kernel = numba.njit(nogil=True, cache=True, error_model="numpy")


class Geometry(NamedTuple):
    """How an output pixel (n, y, x) maps to flat indices of the padded input and of the output.

    Input:  n * image + y * row + x * pixel, plus the tap's offset.
    Output: n * out_image + y * columns + x, plus channel * out_channel.
    """

    image: int
    row: int
    pixel: int
    rows: int
    columns: int
    out_image: int
    out_channel: int


@_kernel
def _locate(first, count, geometry, sources, places):
    """Fill the flat input and output index of `count` pixels; idle lanes read index 0."""
    g = geometry
    for lane in range(count):
        n, inside = divmod(first + lane, g.rows * g.columns)
        y, x = divmod(inside, g.columns)
        sources[lane] = n * g.image + y * g.row + x * g.pixel
        places[lane] = n * g.out_image + inside
    sources[count:] = 0
    places[count:] = 0


@_kernel
def _gather(flat, sources, offset, lanes, tile, row):
    start = np.uint64(row * LANES)
    for i in range(lanes):
        lane = np.uint64(i)
        tile[start + lane] = flat[sources[lane] + offset]


@_kernel
def _add_distances(sums, x, w, row, tap, lanes):
    """sums[row + r] += sum over 8 taps t of |x[t] - w[row + r, tap + t]|, r = 0, 1."""
    a0, a1, a2, a3 = w[row, tap], w[row, tap + 1], w[row, tap + 2], w[row, tap + 3]
    a4, a5, a6, a7 = w[row, tap + 4], w[row, tap + 5], w[row, tap + 6], w[row, tap + 7]
    row += 1
    b0, b1, b2, b3 = w[row, tap], w[row, tap + 1], w[row, tap + 2], w[row, tap + 3]
    b4, b5, b6, b7 = w[row, tap + 4], w[row, tap + 5], w[row, tap + 6], w[row, tap + 7]
    start = np.uint64((row - 1) * LANES)
    for i in range(lanes):
        p = np.uint64(i)
        x0, x1, x2, x3 = x[p], x[p + _1], x[p + _2], x[p + _3]
        x4, x5, x6, x7 = x[p + _4], x[p + _5], x[p + _6], x[p + _7]
        a_low = (abs(x0 - a0) + abs(x1 - a1)) + (abs(x2 - a2) + abs(x3 - a3))
        a_high = (abs(x4 - a4) + abs(x5 - a5)) + (abs(x6 - a6) + abs(x7 - a7))
        b_low = (abs(x0 - b0) + abs(x1 - b1)) + (abs(x2 - b2) + abs(x3 - b3))
        b_high = (abs(x4 - b4) + abs(x5 - b5)) + (abs(x6 - b6) + abs(x7 - b7))
        sums[start + p] += a_low + a_high
        sums[start + p + _1] += b_low + b_high


@_kernel
def forward(x, w, offsets, geometry, y, first, last, row0, row1):
    """Write y at output pixels first..last-1 of output channels row0..row1-1.

    x, y: flat, x with its zero padding; w: (channels, taps), zeros added up to whole passes;
    offsets: (taps,) flat index of each tap, counted from the window's first.
    """
    sources, places = np.empty(LANES, np.uint64), np.empty(LANES, np.uint64)
    tile = np.empty(TAPS * LANES, np.float32)
    sums = np.empty((row1 - row0 + 1) * LANES, np.float32)
    for start in range(first, last, LANES):
        count = min(LANES, last - start)
        lanes = (count + LANE_STEP - 1) // LANE_STEP * LANE_STEP
        _locate(start, count, geometry, sources, places)
        sums[:] = 0
        for tap in range(0, len(offsets), TAPS):
            for t in range(TAPS):
                if tap + t < len(offsets):
                    _gather(x, sources, offsets[tap + t], lanes, tile, t)
                else:
                    tile[t * LANES : (t + 1) * LANES] = 0  # its weight is 0 too
            for out in range(0, row1 - row0, PAIR):
                _add_distances(sums, tile, w[row0:], out, tap, lanes)
        for out in range(row0, row1):
            for lane in range(count):
                place = places[lane] + np.uint64(out * geometry.out_channel)
                y[place] = -sums[(out - row0) * LANES + lane]


@_kernel
def _clip(v):
    v = v if v > np.float32(-1) else np.float32(-1)
    return v if v < np.float32(1) else np.float32(1)


@_kernel
def _add_clipped(sums, x, g, w, row, channel, lanes):
    """sums[r] += sum over 8 channels o of g[o] * clip(w[row + r, o] - x[r], -1, 1), r = 0, 1."""
    c = channel
    a0, a1, a2, a3 = w[row, c], w[row, c + 1], w[row, c + 2], w[row, c + 3]
    a4, a5, a6, a7 = w[row, c + 4], w[row, c + 5], w[row, c + 6], w[row, c + 7]
    row += 1
    b0, b1, b2, b3 = w[row, c], w[row, c + 1], w[row, c + 2], w[row, c + 3]
    b4, b5, b6, b7 = w[row, c + 4], w[row, c + 5], w[row, c + 6], w[row, c + 7]
    start = np.uint64(channel * LANES)
    for i in range(lanes):
        p = np.uint64(i)
        xa, xb, q = x[p], x[p + _1], start + p
        g0, g1, g2, g3 = g[q], g[q + _1], g[q + _2], g[q + _3]
        g4, g5, g6, g7 = g[q + _4], g[q + _5], g[q + _6], g[q + _7]
        a_low = (g0 * _clip(a0 - xa) + g1 * _clip(a1 - xa)) + (
            g2 * _clip(a2 - xa) + g3 * _clip(a3 - xa)
        )
        a_high = (g4 * _clip(a4 - xa) + g5 * _clip(a5 - xa)) + (
            g6 * _clip(a6 - xa) + g7 * _clip(a7 - xa)
        )
        b_low = (g0 * _clip(b0 - xb) + g1 * _clip(b1 - xb)) + (
            g2 * _clip(b2 - xb) + g3 * _clip(b3 - xb)
        )
        b_high = (g4 * _clip(b4 - xb) + g5 * _clip(b5 - xb)) + (
            g6 * _clip(b6 - xb) + g7 * _clip(b7 - xb)
        )
        sums[p] += a_low + a_high
        sums[p + _1] += b_low + b_high


@_kernel
def input_gradient(g, x, w, offsets, geometry, x_gradient, first, last, tap0, tap1):
    """Add to x_gradient what output pixels first..last-1 send through taps tap0..tap1-1.

    g, x, x_gradient: flat, the last two with their zero padding; w: (taps, channels), the
    transpose of the forward weights, zeros added up to whole passes; `first` starts an image.
    """
    channels = geometry.out_image // geometry.out_channel
    sources, places = np.empty(LANES, np.uint64), np.empty(LANES, np.uint64)
    g_tile = np.zeros(w.shape[1] * LANES, np.float32)
    x_pair, sums = np.empty(PAIR * LANES, np.float32), np.empty(PAIR * LANES, np.float32)
    # A tile holds whole images or lies inside one, so that windows that overlap are added up in
    # an order that depends neither on the batch nor on its division among threads.
    pixels = geometry.rows * geometry.columns
    span = pixels * max(1, LANES // pixels)
    for begin in range(first, last, span):
        end = min(begin + span, last)
        for start in range(begin, end, LANES):
            count = min(LANES, end - start)
            lanes = (count + LANE_STEP - 1) // LANE_STEP * LANE_STEP
            _locate(start, count, geometry, sources, places)
            for channel in range(channels):
                _gather(
                    g, places, np.uint64(channel * geometry.out_channel), lanes, g_tile, channel
                )
            for tap in range(tap0, tap1, PAIR):
                for t in range(PAIR):
                    _gather(x, sources, offsets[min(tap + t, tap1 - 1)], lanes, x_pair, t)
                sums[:] = 0
                for channel in range(0, channels, TAPS):
                    _add_clipped(sums, x_pair, g_tile, w, tap, channel, lanes)
                for t in range(min(PAIR, tap1 - tap)):
                    for lane in range(count):
                        x_gradient[sources[lane] + offsets[tap + t]] += sums[t * LANES + lane]
