"""Networks by name: ``resnet18``, or with another operator ``resnet18-adder``."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import get_args

from hwgen.errors import InputError
from hwgen.ir.graph import Graph
from hwgen_sim.outlines.builder import Operator
from hwgen_sim.outlines.others import edsr_ghost_x2, edsr_x2, edsr_x4, ghostnet, vgg_small
from hwgen_sim.outlines.resnet import resnet18, resnet20, resnet32, resnet50, resnet50_v1

__all__ = ["NETWORKS", "OPERATORS", "outline"]

_BUILDERS = (
    resnet18, resnet20, resnet32, resnet50, resnet50_v1,
    vgg_small, edsr_x2, edsr_x4, edsr_ghost_x2, ghostnet,
)  # fmt: skip
NETWORKS: dict[str, Callable[..., Graph]] = {builder.__name__: builder for builder in _BUILDERS}
OPERATORS: tuple[Operator, ...] = get_args(Operator)


def outline(name: str, shape: tuple[int, int, int] | None = None) -> Graph:
    """The network ``NAME`` or ``NAME-OPERATOR`` for images of ``shape``, or of its own size."""
    network, _, operator = name.partition("-")
    if network not in NETWORKS:
        raise InputError(_unknown("network", network, tuple(NETWORKS)))
    if operator and operator not in OPERATORS:
        raise InputError(_unknown("operator", operator, OPERATORS))
    build = NETWORKS[network]
    operator = operator or "multiply"
    return build(operator, shape) if shape else build(operator)


def _unknown(what: str, name: str, known: tuple[str, ...]) -> str:
    nearest = get_close_matches(name, known, n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"the {what}s are {', '.join(known)}."
    return f"There is no {what} {name!r}; {hint}"
