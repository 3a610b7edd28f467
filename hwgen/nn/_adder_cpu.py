"""Adder layers on CPU float32 tensors: lays out memory and shares the kernels' work by threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from . import _adder_kernels as kernels

_WORTH_A_THREAD = 4_000_000  # terms; starting threads costs about a tenth of a millisecond


def forward(x: Tensor, weight: Tensor, stride: list[int], out: Tensor) -> None:
    """Fill `out` (N, Cout, H', W') from the already padded x (N, Cin, H, W)."""
    rows = weight.shape[0]
    taps = weight[0].numel()
    pixels = out.numel() // rows
    x_flat, y_flat = _flat(x), _flat(out)
    w = _zero_padded(weight.reshape(rows, taps), kernels.PAIR, kernels.TAPS)
    offsets = _offsets(*x.shape[2:], tuple(weight.shape[1:]))
    geometry = _geometry(x, out, stride)

    def work(first: int, last: int, row0: int, row1: int) -> None:
        kernels.forward(x_flat, w, offsets, geometry, y_flat, first, last, row0, row1)

    # Every pixel is written by one task only; output channels are split when tiles are few.
    threads = _threads(pixels * rows * taps)
    tiles = _parts(pixels, kernels.LANES, threads)
    channels = _parts(rows, kernels.PAIR, -(-threads // len(tiles)))
    _share(threads, work, [(*p, *c) for p in tiles for c in channels])


def input_gradient(g: Tensor, x: Tensor, weight: Tensor, stride: list[int]) -> Tensor:
    """Sum over output channels of g * clip(weight - x, -1, 1), in the shape of the padded x."""
    rows = weight.shape[0]
    taps = weight[0].numel()
    images, channels = x.shape[:2]
    pixels = g.shape[2] * g.shape[3]
    result = torch.zeros_like(x, memory_format=torch.contiguous_format)
    g_flat, x_flat, result_flat = _flat(g), _flat(x), _flat(result)
    w = _zero_padded(weight.reshape(rows, taps).T, kernels.PAIR, kernels.TAPS)
    offsets = _offsets(*x.shape[2:], tuple(weight.shape[1:]))
    geometry = _geometry(x, g, stride)

    def work(image0: int, image1: int, channel0: int, channel1: int) -> None:
        area = taps // channels
        span = (image0 * pixels, image1 * pixels, channel0 * area, channel1 * area)
        kernels.input_gradient(g_flat, x_flat, w, offsets, geometry, result_flat, *span)

    # Windows overlap, so no two tasks may share an image's channel.
    threads = _threads(images * pixels * rows * taps)
    image_parts = _parts(images, 1, threads)
    channel_parts = _parts(channels, 1, -(-threads // len(image_parts)))
    _share(threads, work, [(*n, *c) for n in image_parts for c in channel_parts])
    return result


def _threads(terms: int) -> int:
    return max(1, min(torch.get_num_threads(), terms // _WORTH_A_THREAD))


def _parts(count: int, unit: int, wanted: int) -> list[tuple[int, int]]:
    """Split 0..count-1 into at most `wanted` ranges that start at multiples of `unit`."""
    step = -(-count // (unit * wanted)) * unit
    return [(start, min(start + step, count)) for start in range(0, count, step)]


def _share(threads: int, work: Callable[..., None], tasks: list[tuple[int, ...]]) -> None:
    """Run the tasks on plain threads of this call.

    Numba's own pool may not be entered from two threads at once, and a pool that lives on breaks
    in a forked data loader; threads of one call have neither trouble.
    """
    if threads == 1:
        for task in tasks:
            work(*task)
        return
    with ThreadPoolExecutor(threads) as pool:
        results: Iterator[None] = pool.map(lambda task: work(*task), tasks)
        list(results)  # raises what a thread raised


def _flat(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy().reshape(-1)


def _zero_padded(matrix: Tensor, rows: int, columns: int) -> np.ndarray:
    padding = (0, -matrix.shape[1] % columns, 0, -matrix.shape[0] % rows)
    return F.pad(matrix.detach(), padding).contiguous().numpy()


@lru_cache
def _offsets(height: int, width: int, window: tuple[int, int, int]) -> np.ndarray:
    """Flat index of each tap (channel, row, column), counted from the window's first."""
    channel, row, column = np.indices(window)
    return ((channel * height + row) * width + column).reshape(-1).astype(np.uint64)


def _geometry(x: Tensor, out: Tensor, stride: list[int]) -> kernels.Geometry:
    _, channels, height, width = x.shape
    rows, columns = out.shape[2:]
    return kernels.Geometry(
        image=channels * height * width,
        row=width * stride[0],
        pixel=stride[1],
        rows=rows,
        columns=columns,
        out_image=out.shape[1] * rows * columns,
        out_channel=rows * columns,
    )
