"""Adder layers of the official AdderNet code, recognized by their attributes."""

import copy

from torch import Tensor, nn

from hwgen.nn import AdderConv2d

__all__ = ["is_official_adder", "without_official_adders"]

_ATTRIBUTES = ("stride", "padding", "kernel_size", "input_channel", "output_channel")


def is_official_adder(module: nn.Module) -> bool:
    """Say whether ``module`` looks like ``adder2d``: a 4-D parameter ``adder`` and its sizes."""
    weight = getattr(module, "adder", None)
    known = all(hasattr(module, name) for name in _ATTRIBUTES)
    return known and isinstance(weight, nn.Parameter) and weight.dim() == 4


def without_official_adders(module: nn.Module) -> nn.Module:
    """A copy of ``module`` in eval mode with every ``adder2d`` replaced by hwgen's own layer."""
    module = copy.deepcopy(module).eval()
    if is_official_adder(module):
        return _own(module)
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if is_official_adder(child):
                setattr(parent, name, _own(child))
    return module


def _own(old: nn.Module) -> AdderConv2d:
    weight, bias = old.adder, getattr(old, "b", None)
    assert isinstance(weight, Tensor)
    outputs, inputs, height, width = weight.shape
    sizes = (_pair(old.stride), _pair(old.padding))
    new = AdderConv2d(inputs, outputs, (height, width), *sizes, bias=bias is not None).eval()
    new.weight.data = weight.detach().clone()
    if new.bias is not None and isinstance(bias, Tensor):
        new.bias.data = bias.detach().clone()
    return new


def _pair(value: object) -> tuple[int, int]:
    if isinstance(value, tuple | list):
        return int(value[0]), int(value[1])
    assert isinstance(value, int)
    return value, value
