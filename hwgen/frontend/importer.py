"""From a PyTorch module to the float graph."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn
from torch.export import ExportedProgram

from hwgen.errors import InputError, UnsupportedModel
from hwgen.frontend.call import (
    SYMBOLIC,
    Call,
    Refused,
    arguments,
    feature_maps,
    operator_name,
    sizes,
)
from hwgen.frontend.check import compare
from hwgen.frontend.merge import merge
from hwgen.frontend.names import Names, identifier
from hwgen.frontend.operators import REWRITES, RULES
from hwgen.frontend.program import Program, export
from hwgen.frontend.rearrange import SPLITS
from hwgen.frontend.reorder import relu_before_pool
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AnyNode, Input

__all__ = ["from_torch"]

_LEAVES = ("torch.nn.modules.", "hwgen.nn.")
_CONTAINERS = (  # layers of hwgen.nn that are made of layers
    "hwgen.nn.ghost.GhostModule",
    "hwgen.nn.ghost_shift.GhostShift2d",
    "hwgen.nn.shortcut.SelfShortcut",
)
_PARTS = {"add": "bias", "mul": "scale", "sign": "sign"}
"""What surrounds the one operator that a layer is named for."""

_ALIASES = ("aten::dropout", "aten::feature_dropout", "aten::alias", "aten::detach")


def from_torch(
    module: nn.Module | ExportedProgram,
    example: Tensor | NDArray,
    name: str | None = None,
    mean: tuple[float, ...] = (0.0,),
    std: tuple[float, ...] = (1.0,),
) -> Graph:
    """Import a module, as it is in eval mode, as a float graph; it is never changed.

    ``example`` (N, C, H, W) or (N, F) fixes the shapes; graph and module are compared on it
    (largest difference at most 1e-4 of the largest output). ``mean`` and ``std`` describe how
    pixels become real values and are stored in the input node.
    Raises UnsupportedModel with every operator that cannot become hardware.
    """
    example = torch.as_tensor(example)
    _check_example(example, mean, std)
    if isinstance(module, ExportedProgram):
        exported, reference = module, module.module()
        default = "network"
    else:
        exported, reference = export(module, example), copy.deepcopy(module).eval()
        default = type(module).__name__.lower()
    program = Program(exported)
    _check_signature(program, example)
    example = _as_exported(example, sizes(program.inputs[0]))
    imported = _Importer(program, example, mean, std).graph(identifier(name or default))
    graph = merge(relu_before_pool(merge(imported)))
    compare(graph, reference, example)
    return graph


class _Importer:
    def __init__(
        self, program: Program, example: Tensor, mean: tuple[float, ...], std: tuple[float, ...]
    ):
        self.program, self.names = program, Names()
        self.tensors: dict[str, NDArray] = {}
        start = Input(name="image", inputs=(), shape=tuple(example.shape[1:]), mean=mean, std=std)
        self.names.take(start.name)
        self.nodes: list[AnyNode] = [start]
        self.place = {program.inputs[0]: start.name}
        self.problems: list[str] = []
        self.refused: set[fx.Node] = set()

    def graph(self, name: str) -> Graph:
        """Visit every operator; raise once for all that were refused."""
        for node in self.program.live():
            self._visit(node)
        if self.problems:
            raise UnsupportedModel(self.problems)
        return Graph(name, tuple(self.nodes), self.tensors)

    def _visit(self, node: fx.Node) -> None:
        sources = [s for s in node.all_input_nodes if s not in self.program.constants]
        name = _path(node)
        if operator_name(node) not in SPLITS:  # makes no node, its parts do
            name = self.names.take(name)
        self.place[node] = self.place.get(sources[0], "image") if sources else "image"
        if any(source in self.refused for source in sources) and not _shaped(sources):
            self.refused.add(node)  # reads several outputs of what was refused already
            return
        try:
            made = self._rule(node)(self._call(node, name, sources))
        except Refused as reason:
            self.problems.append(f"{name} ({operator_name(node)}): {reason}")
            self.refused.add(node)
            return
        self._keep(node, made if isinstance(made, tuple) else (made,) if made else ())

    def _keep(self, node: fx.Node, made: tuple[AnyNode, ...]) -> None:
        self.nodes += made
        if made:
            self.place[node] = made[-1].name
        for other in _overwritten(node):
            self.place[other] = self.place[node]

    def _rule(self, node: fx.Node) -> Any:
        operator = operator_name(node)
        if operator not in RULES:
            raise Refused("it has no hardware", REWRITES.get(operator, _SUPPORTED))
        return RULES[operator]

    def _call(self, node: fx.Node, name: str, sources: list[fx.Node]) -> Call:
        if not sources or not all(_shaped([n]) or _is_split(n) for n in (node, sources[0])):
            raise Refused("it gives no single tensor", "keep one tensor between layers")

        def keep(what: str, array: NDArray) -> str:
            self.tensors[f"{name}.{what}"] = np.asarray(array, dtype=np.float64)
            return f"{name}.{what}"

        args = arguments(node)
        maps = [n for n in feature_maps(args.values()) if n not in self.program.constants]
        return Call(
            name=name,
            args=args,
            sources=tuple(self.place.get(source, "image") for source in maps),
            before=sizes(sources[0]),
            shape=sizes(node),
            value=lambda arg: self.program.constants.get(arg) if _is_node(arg) else None,
            label=lambda arg: self.program.sources.get(arg, str(arg)),
            keep=keep,
            fresh=self.names.take,
        )


_SUPPORTED = (
    "build it from conv2d, linear and the layers of hwgen.nn, batch norm, ReLU, max and average "
    "pooling, flatten, sums, concatenation, and sums and products with constants"
)


def _is_node(arg: Any) -> bool:
    return isinstance(arg, fx.Node)


def _shaped(nodes: list[fx.Node]) -> bool:
    return all(isinstance(node.meta.get("val"), Tensor) for node in nodes)


def _is_split(node: fx.Node) -> bool:
    return operator_name(node) in SPLITS


def _overwritten(node: fx.Node) -> Iterator[fx.Node]:
    """Earlier nodes that hold the result too, since an operator in place wrote over them."""
    while operator_name(node).endswith("_") or operator_name(node) in _ALIASES:
        source = node.args[0] if node.args else None
        if not isinstance(source, fx.Node) or sizes(source) != sizes(node):
            return
        node = source
        yield node


def _path(node: fx.Node) -> str:
    """Path of the module, with the operator's name where the module is none of torch's layers."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    path, kind = stack[-1] if stack else ("", "")
    path = path.removeprefix("L['self']").strip(".")
    kind = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
    operator = operator_name(node)
    if operator == "getitem" and isinstance(node.args[0], fx.Node):
        operator = operator_name(node.args[0])
    operator = operator.split("::")[-1].strip("_")
    if path and kind.startswith(_LEAVES) and kind not in _CONTAINERS:
        part = _PARTS.get(operator) if not kind.endswith(".Sign") else None
        return f"{path}_{part}" if part else path
    return f"{path}_{operator}" if path else operator


def _check_example(example: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    if example.dim() not in (2, 4) or not example.is_floating_point() or not example.numel():
        raise InputError(
            f"the example must be floats of shape (N, C, H, W) or (N, F), not {example.dtype} of "
            f"shape {tuple(example.shape)}."
        )
    channels = example.shape[1] if example.dim() == 4 else 1
    for what, values in (("mean", mean), ("std", std)):
        if len(values) not in (1, channels):
            raise InputError(f"{what} has {len(values)} values, the image {channels} channels.")
    if not all(np.isfinite(mean)) or not all(value > 0 for value in std):
        raise InputError(f"std must be positive and mean finite, not {std} and {mean}.")


def _as_exported(example: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The example with the batch that the program was exported for."""
    if shape[0] in (SYMBOLIC, len(example)):
        return example
    return example[:1].expand(shape).clone()


def _check_signature(program: Program, example: Tensor) -> None:
    if len(program.inputs) != 1 or len(program.outputs) != 1 or program.outputs[0] is None:
        raise UnsupportedModel(
            [
                f"forward(): takes {len(program.inputs)} and returns {len(program.outputs)} "
                "values; take one tensor and return one tensor"
            ]
        )
    shape = sizes(program.inputs[0])
    if shape[1:] != tuple(example.shape[1:]):
        raise InputError(
            f"the program was exported for images of shape {shape}, the example has "
            f"{tuple(example.shape)}; give an example of that shape."
        )
