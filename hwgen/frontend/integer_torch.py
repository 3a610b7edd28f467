"""The integer graph computed with torch's own operators: an oracle independent of NumPy code."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import (
    Add,
    AdderConv2d,
    AdderLinear,
    Argmax,
    AvgPool,
    Concat,
    Conv2d,
    Flatten,
    Linear,
    Lut,
    MaxPool,
    PixelShuffle,
    Pow2Conv2d,
    Requantize,
    Shift2d,
    Slice,
    Threshold,
    UpsampleNearest,
    WinogradAdderConv2d,
    XnorConv2d,
    XnorLinear,
)

__all__ = ["run_integer_torch"]

Lookup = Callable[[str | None], Any]


def run_integer_torch(graph: Graph, images: NDArray) -> dict[str, NDArray]:
    """Every node's integers (N, *shape) as int64, for input integers (N, *shape).

    Sums are taken in float64, exact below 2**53; requantize in int64.
    """

    def tensor(key: str | None) -> Any:
        return None if key is None else torch.tensor(graph.tensors[key])

    values = {graph.input.name: torch.tensor(np.asarray(images, dtype=np.int64))}
    with torch.no_grad():
        for node in graph.nodes[1:]:
            inputs = [values[name] for name in node.inputs]
            found = _RULES[type(node)](node, tensor, *inputs)
            values[node.name] = found.to(torch.int64)
    return {name: value.numpy() for name, value in values.items()}


def _real(value: Any) -> Any:
    return None if value is None else value.double()


def _conv2d(node: Conv2d, tensor: Lookup, x: Tensor) -> Tensor:
    weight, bias = _real(tensor(node.weight)), _real(tensor(node.bias))
    return F.conv2d(x.double(), weight, bias, node.stride, node.padding, groups=node.groups)


def _pow2_conv2d(node: Pow2Conv2d, tensor: Lookup, x: Tensor) -> Tensor:
    return F.conv2d(x.double(), _real(tensor(node.weight)), None, node.stride, node.padding)


def _xnor_conv2d(node: XnorConv2d, tensor: Lookup, x: Tensor) -> Tensor:
    rows, columns = node.padding
    value = {"zero": 0.0, "plus": 1.0, "minus": -1.0}[node.pad]
    padded = F.pad(x.double(), (columns, columns, rows, rows), value=value)
    return F.conv2d(padded, _real(tensor(node.weight)), None, node.stride)


def _xnor_linear(node: XnorLinear, tensor: Lookup, x: Tensor) -> Tensor:
    return F.linear(x.double(), _real(tensor(node.weight)))


_INPUT = torch.tensor([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]).double()
_OUTPUT = torch.tensor(
    [
        [[-1, 1, 1, 0], [0, 1, -1, 1]],
        [[1, 1, -1, 0], [0, 1, 1, -1]],
        [[1, -1, -1, 0], [0, -1, 1, -1]],
        [[-1, -1, 1, 0], [0, -1, -1, 1]],
    ]
).double()


def _winograd_adder_conv2d(node: WinogradAdderConv2d, tensor: Lookup, x: Tensor) -> Tensor:
    outputs, height, width = node.shape
    rows, columns = -(-height // 2), -(-width // 2)
    up, left = node.padding
    down, right = (2 * n + 2 - size for n, size in ((rows, x.shape[2]), (columns, x.shape[3])))
    padded = F.pad(x.double(), (left, right - left, up, down - up))
    tiles = F.unfold(padded, 4, stride=2).unflatten(1, (-1, 4, 4))
    spread = torch.einsum("au,ncuvt,bv->nabtc", _INPUT, tiles, _INPUT)
    weight = tensor(node.weight).double().permute(2, 3, 0, 1)
    sums = -torch.cdist(spread, weight.expand(len(x), -1, -1, -1, -1), p=1)
    at = _OUTPUT[node.variant]
    found = torch.einsum("ia,nabto,jb->noijt", at, sums, at)
    shuffled = F.pixel_shuffle(found.reshape(len(x), 4 * outputs, rows, columns), 2)
    return shuffled[:, :, :height, :width]


def _linear(node: Linear, tensor: Lookup, x: Tensor) -> Tensor:
    return F.linear(x.double(), _real(tensor(node.weight)), _real(tensor(node.bias)))


def _adder_conv2d(node: AdderConv2d, tensor: Lookup, x: Tensor) -> Tensor:
    assert node.type is not None
    kind = torch.float32 if node.type.bits <= 24 else torch.float64  # exact, and faster
    columns = F.unfold(x.to(kind), node.kernel, padding=node.padding, stride=node.stride)
    weight = tensor(node.weight).to(kind).flatten(1)
    distances = torch.cdist(columns.transpose(1, 2), weight.expand(len(x), -1, -1), p=1)
    return -distances.transpose(1, 2).reshape(len(x), *node.shape)


def _adder_linear(node: AdderLinear, tensor: Lookup, x: Tensor) -> Tensor:
    return -torch.cdist(x.double(), tensor(node.weight).double(), p=1)


def _max_pool(node: MaxPool, tensor: Lookup, x: Tensor) -> Tensor:
    return F.max_pool2d(x.double(), node.kernel, node.stride, node.padding)


def _avg_pool(node: AvgPool, tensor: Lookup, x: Tensor) -> Tensor:
    return F.avg_pool2d(x.double(), node.kernel, node.stride, node.padding, divisor_override=1)


def _flatten(node: Flatten, tensor: Lookup, x: Tensor) -> Tensor:
    return torch.flatten(x, 1)


def _threshold(node: Threshold, tensor: Lookup, x: Tensor) -> Tensor:
    assert node.type is not None
    directed = x.movedim(1, 0).flatten(1) * tensor(node.direction)[:, None]
    count = torch.searchsorted(tensor(node.thresholds), directed.contiguous(), right=True)
    count = count.reshape(x.movedim(1, 0).shape).movedim(0, 1)
    return 2 * count - 1 if node.type.bipolar else count


def _lut(node: Lut, tensor: Lookup, x: Tensor) -> Tensor:
    table = tensor(node.table)
    rows = x.movedim(1, 0).flatten(1) - node.low
    found = torch.gather(table.expand(len(rows), -1), 1, rows)
    return found.reshape(x.movedim(1, 0).shape).movedim(0, 1)


def _add(node: Add, tensor: Lookup, a: Tensor, b: Tensor) -> Tensor:
    return torch.add(a, b)


def _concat(node: Concat, tensor: Lookup, *parts: Tensor) -> Tensor:
    return torch.cat(parts, dim=1)


def _slice(node: Slice, tensor: Lookup, x: Tensor) -> Tensor:
    return torch.narrow(x, 1, node.start, node.stop - node.start)


def _shift2d(node: Shift2d, tensor: Lookup, x: Tensor) -> Tensor:
    """A depthwise convolution with one tap of 1 in every kernel."""
    channels = x.shape[1]
    reach = max(max(abs(dy), abs(dx)) for dy, dx in node.offsets)
    kernel = torch.zeros(channels, 1, 2 * reach + 1, 2 * reach + 1, dtype=torch.float64)
    for channel in range(channels):
        dy, dx = node.offsets[0 if len(node.offsets) == 1 else channel]
        kernel[channel, 0, reach + dy, reach + dx] = 1
    return F.conv2d(x.double(), kernel, padding=reach, groups=channels)


def _pixel_shuffle(node: PixelShuffle, tensor: Lookup, x: Tensor) -> Tensor:
    return F.pixel_shuffle(x, node.factor)


def _upsample_nearest(node: UpsampleNearest, tensor: Lookup, x: Tensor) -> Tensor:
    return F.interpolate(x.double(), scale_factor=node.factor, mode="nearest")


def _requantize(node: Requantize, tensor: Lookup, x: Tensor) -> Tensor:
    assert node.type is not None
    spread = (slice(None), *[None] * (x.dim() - 2))
    scaled = x * tensor(node.multiplier)[spread] + tensor(node.bias)[spread]
    half = 2**node.shift // 2
    floor = torch.div(scaled + half, 2**node.shift, rounding_mode="floor")
    bits = node.type.bits
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if node.type.signed else (0, 2**bits - 1)
    return floor.clamp(low, high)


def _argmax(node: Argmax, tensor: Lookup, x: Tensor) -> Tensor:
    return x.argmax(dim=1, keepdim=True)


_RULES: dict[type, Callable[..., Tensor]] = {
    Conv2d: _conv2d,
    Pow2Conv2d: _pow2_conv2d,
    XnorConv2d: _xnor_conv2d,
    XnorLinear: _xnor_linear,
    WinogradAdderConv2d: _winograd_adder_conv2d,
    Linear: _linear,
    AdderConv2d: _adder_conv2d,
    AdderLinear: _adder_linear,
    MaxPool: _max_pool,
    AvgPool: _avg_pool,
    Flatten: _flatten,
    Requantize: _requantize,
    Threshold: _threshold,
    Lut: _lut,
    Add: _add,
    Concat: _concat,
    Slice: _slice,
    Shift2d: _shift2d,
    PixelShuffle: _pixel_shuffle,
    UpsampleNearest: _upsample_nearest,
    Argmax: _argmax,
}
