"""One operator of an exported program, with its arguments by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx

from hwgen.errors import InputError

__all__ = ["SYMBOLIC", "Call", "Refused", "arguments", "operator_name", "pair", "sizes"]

SYMBOLIC = -1
"""Stands for a size that an exported program leaves open."""


class Refused(Exception):
    """This operator cannot become hardware: the reason, and what to write instead."""

    def __init__(self, reason: str, rewrite: str):
        super().__init__(f"{reason}; {rewrite}")


@dataclass
class Call:
    """What a rule needs to turn one operator into one graph node.

    Parameters:
        name   : the graph node's name
        args   : the operator's arguments by the names of its schema, defaults filled in
        source : name of the graph node that feeds it
        before : shape of what feeds it, with the batch
        shape  : output shape, with the batch
        value  : constant of an argument, None if it is none
        label  : parameter name of an argument, for messages
        keep   : stores an array of this node and gives its key in Graph.tensors
    """

    name: str
    args: dict[str, Any]
    source: str
    before: tuple[int, ...]
    shape: tuple[int, ...]
    value: Callable[[Any], Any]
    label: Callable[[Any], str]
    keep: Callable[[str, NDArray], str]

    @property
    def base(self) -> dict[str, Any]:
        """Fields that every graph node has."""
        return {"name": self.name, "inputs": (self.source,), "shape": self.shape[1:]}

    def array(self, arg: str) -> NDArray:
        """A constant argument as finite float64."""
        value = self.value(self.args[arg])
        if not isinstance(value, Tensor):
            raise Refused(f"its {arg} is computed from the input", "use a parameter or buffer")
        array = value.detach().cpu().to(torch.float64).numpy()
        if not np.isfinite(array).all():
            name = self.label(self.args[arg])
            raise InputError(f"{name} holds NaN or infinity; train or load the weights again.")
        return array

    def optional(self, arg: str) -> NDArray | None:
        """The same, or None where the argument is absent."""
        return None if self.args.get(arg) is None else self.array(arg)


def operator_name(node: fx.Node) -> str:
    """``aten::conv2d`` and the like."""
    target = node.target
    return target._schema.name if isinstance(target, torch._ops.OpOverload) else str(target)


def arguments(node: fx.Node) -> dict[str, Any]:
    """Arguments by name; those not given have their defaults."""
    assert isinstance(node.target, torch._ops.OpOverload)
    schema = node.target._schema.arguments
    found = {arg.name: arg.default_value for arg in schema if arg.has_default_value()}
    found |= {arg.name: value for arg, value in zip(schema, node.args, strict=False)}
    return found | dict(node.kwargs)


def sizes(node: fx.Node) -> tuple[int, ...]:
    """Shape of what a node gives; () for what is no tensor."""
    value = node.meta.get("val")
    if not isinstance(value, Tensor):
        return ()
    return tuple(size if isinstance(size, int) else SYMBOLIC for size in value.shape)


def pair(value: Any) -> tuple[int, int]:
    """Height and width of 2, [2] or [2, 3]."""
    if isinstance(value, int):
        return value, value
    return int(value[0]), int(value[-1])
