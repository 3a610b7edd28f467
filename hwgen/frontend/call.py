"""One operator of an exported program, with its arguments by name."""

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx

from hwgen.errors import InputError

__all__ = [
    "SYMBOLIC",
    "Call",
    "Refused",
    "arguments",
    "feature_maps",
    "no_dilation",
    "operator_name",
    "pair",
    "rank",
    "sizes",
]

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
        name    : the graph node's name
        args    : the operator's arguments by the names of its schema, defaults filled in
        sources : names of the graph nodes that feed it, in the order of the arguments
        before  : shape of what feeds it first, with the batch
        shape   : output shape, with the batch
        value   : constant of an argument, None if it is none
        label   : parameter name of an argument, for messages
        keep    : stores an array of this node and gives its key in Graph.tensors
        fresh   : a name for one more node, as close to its argument as possible
    """

    name: str
    args: dict[str, Any]
    sources: tuple[str, ...]
    before: tuple[int, ...]
    shape: tuple[int, ...]
    value: Callable[[Any], Any]
    label: Callable[[Any], str]
    keep: Callable[[str, NDArray], str]
    fresh: Callable[[str], str]

    @property
    def base(self) -> dict[str, Any]:
        """Fields of a graph node with one input."""
        return self.joined | {"inputs": self.sources[:1]}

    @property
    def joined(self) -> dict[str, Any]:
        """Fields of a graph node that reads everything the operator reads."""
        return {"name": self.name, "inputs": self.sources, "shape": self.shape[1:]}

    def is_map(self, arg: Any) -> bool:
        """Say whether an argument is computed from the image."""
        return isinstance(arg, fx.Node) and self.value(arg) is None

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
    """``aten::conv2d`` and the like; ``getitem`` picks one of several results."""
    target = node.target
    if target is operator.getitem:
        return "getitem"
    return target._schema.name if isinstance(target, torch._ops.OpOverload) else str(target)


def arguments(node: fx.Node) -> dict[str, Any]:
    """Arguments by name, in the schema's order; those not given have their defaults."""
    if node.target is operator.getitem:
        return {"self": node.args[0], "index": node.args[1]}
    assert isinstance(node.target, torch._ops.OpOverload)
    schema = node.target._schema.arguments
    given = {arg.name: value for arg, value in zip(schema, node.args, strict=False)}
    given |= dict(node.kwargs)
    found = [arg for arg in schema if arg.name in given or arg.has_default_value()]
    return {arg.name: given.get(arg.name, arg.default_value) for arg in found}


def feature_maps(args: Iterable[Any]) -> Iterator[fx.Node]:
    """Every fx node among arguments, lists included, as often as it is named."""
    for arg in args:
        if isinstance(arg, fx.Node):
            yield arg
        elif isinstance(arg, list | tuple):
            yield from feature_maps(arg)


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


def rank(call: Call, wanted: int) -> None:
    """Refuse an input that has not ``wanted`` axes."""
    if len(call.before) != wanted:
        layout = "(N, C, H, W)" if wanted == 4 else "(N, F)"
        raise Refused(
            f"its input has shape {call.before} and not {layout}",
            "add the batch axis to the example" if wanted == 4 else "flatten before it",
        )


def no_dilation(call: Call) -> None:
    """Refuse windows with gaps."""
    if pair(call.args["dilation"]) != (1, 1):
        raise Refused(
            f"dilation={pair(call.args['dilation'])} is not supported",
            "use dilation=1, with a larger kernel if need be",
        )
