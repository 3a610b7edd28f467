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
    AdderConv2d,
    AdderLinear,
    Argmax,
    AvgPool,
    Conv2d,
    Flatten,
    Linear,
    MaxPool,
    Requantize,
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
            found = _RULES[type(node)](node, values[node.inputs[0]], tensor)
            values[node.name] = found.to(torch.int64)
    return {name: value.numpy() for name, value in values.items()}


def _real(value: Any) -> Any:
    return None if value is None else value.double()


def _conv2d(node: Conv2d, x: Tensor, tensor: Lookup) -> Tensor:
    bias = _real(tensor(node.bias))
    return F.conv2d(x.double(), _real(tensor(node.weight)), bias, node.stride, node.padding)


def _linear(node: Linear, x: Tensor, tensor: Lookup) -> Tensor:
    return F.linear(x.double(), _real(tensor(node.weight)), _real(tensor(node.bias)))


def _adder_conv2d(node: AdderConv2d, x: Tensor, tensor: Lookup) -> Tensor:
    columns = F.unfold(x.double(), node.kernel, padding=node.padding, stride=node.stride)
    weight = tensor(node.weight).double().flatten(1)
    distances = torch.cdist(columns.transpose(1, 2), weight.expand(len(x), -1, -1), p=1)
    return -distances.transpose(1, 2).reshape(len(x), *node.shape)


def _adder_linear(node: AdderLinear, x: Tensor, tensor: Lookup) -> Tensor:
    return -torch.cdist(x.double(), tensor(node.weight).double(), p=1)


def _max_pool(node: MaxPool, x: Tensor, tensor: Lookup) -> Tensor:
    return F.max_pool2d(x.double(), node.kernel, node.stride, node.padding)


def _avg_pool(node: AvgPool, x: Tensor, tensor: Lookup) -> Tensor:
    return F.avg_pool2d(x.double(), node.kernel, node.stride, node.padding, divisor_override=1)


def _flatten(node: Flatten, x: Tensor, tensor: Lookup) -> Tensor:
    return torch.flatten(x, 1)


def _requantize(node: Requantize, x: Tensor, tensor: Lookup) -> Tensor:
    assert node.type is not None
    spread = (slice(None), *[None] * (x.dim() - 2))
    scaled = x * tensor(node.multiplier)[spread] + tensor(node.bias)[spread]
    half = 2**node.shift // 2
    floor = torch.div(scaled + half, 2**node.shift, rounding_mode="floor")
    bits = node.type.bits
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if node.type.signed else (0, 2**bits - 1)
    return floor.clamp(low, high)


def _argmax(node: Argmax, x: Tensor, tensor: Lookup) -> Tensor:
    return x.argmax(dim=1, keepdim=True)


_RULES: dict[type, Callable[[Any, Tensor, Lookup], Tensor]] = {
    Conv2d: _conv2d,
    Linear: _linear,
    AdderConv2d: _adder_conv2d,
    AdderLinear: _adder_linear,
    MaxPool: _max_pool,
    AvgPool: _avg_pool,
    Flatten: _flatten,
    Requantize: _requantize,
    Argmax: _argmax,
}
