"""The exported program: what torch.export sees of a module, constants already computed."""

import operator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind

from hwgen.errors import InputError, UnsupportedModel
from hwgen.frontend.official import without_official_adders

__all__ = ["Program", "export"]


def export(module: nn.Module, example: Tensor) -> ExportedProgram:
    """Trace a copy of ``module`` in eval mode with torch.export; ``module`` stays untouched."""
    inner = without_official_adders(module)
    try:
        with torch.no_grad():
            inner(example.clone())
    except Exception as error:
        raise InputError(
            f"{type(module).__name__} fails on an example of shape {tuple(example.shape)}: "
            f"{_first_line(error)}; check the input shape."
        ) from error
    try:
        return torch.export.export(inner, (example.clone(),), strict=False)
    except Exception as error:
        raise UnsupportedModel(
            [
                f"{type(module).__name__}: torch.export cannot trace it ({_first_line(error)}); "
                "remove control flow and Python numbers that depend on the data from forward()"
            ]
        ) from error


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[0].strip() if lines else type(error).__name__)[:200]


class Program:
    """An exported program with its parts by role.

    Members:
        inputs, outputs : fx nodes of the images and of the results
        constants       : values of parameters, buffers and what is computed from them alone,
                          in float64
        sources         : parameter name of a constant, for messages
    """

    def __init__(self, exported: ExportedProgram):
        signature = exported.graph_signature
        self.nodes = list(exported.graph.nodes)
        by_name = {node.name: node for node in self.nodes}
        self.constants: dict[fx.Node, Any] = {}
        self.sources: dict[fx.Node, str] = {}
        self.inputs: list[fx.Node] = []
        for spec in signature.input_specs:
            node = by_name[spec.arg.name]
            if spec.kind == InputKind.USER_INPUT:
                self.inputs.append(node)
                continue
            assert spec.target is not None
            self.constants[node] = _wide(_stored(exported, spec.target))
            self.sources[node] = spec.target
        wanted = [s.arg for s in signature.output_specs if s.kind == OutputKind.USER_OUTPUT]
        self.outputs = [by_name.get(getattr(arg, "name", "")) for arg in wanted]
        self._fold()

    def _fold(self) -> None:
        """Compute every operator that reads constants only, unless it is random."""
        for node in self.nodes:
            if callable(node.target) and self._constant(node):
                args, kwargs = fx.map_arg((node.args, node.kwargs), self.constants.__getitem__)
                with torch.no_grad():
                    self.constants[node] = _wide(node.target(*args, **kwargs))

    def _constant(self, node: fx.Node) -> bool:
        if isinstance(node.target, torch._ops.OpOverload):
            known = torch.Tag.nondeterministic_seeded not in node.target.tags
        else:
            known = node.target is operator.getitem
        return known and all(source in self.constants for source in node.all_input_nodes)

    def live(self) -> list[fx.Node]:
        """Operators that the first output depends on, in order, without constants."""
        reached: set[fx.Node] = set()
        todo = [node for node in self.outputs[:1] if node is not None]
        while todo:
            node = todo.pop()
            if node not in reached and node not in self.constants:
                reached.add(node)
                todo += node.all_input_nodes
        return [node for node in self.nodes if node in reached and node.op != "placeholder"]


def _stored(exported: ExportedProgram, target: str) -> Any:
    if target in exported.state_dict:
        return exported.state_dict[target].detach()
    return exported.constants[target]


def _wide(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.double() if value.is_floating_point() else value
    return [_wide(part) for part in value] if isinstance(value, list | tuple) else value
