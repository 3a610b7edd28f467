"""What a float node has become before anybody asked for integers of it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hwgen.ir.nodes import Activation, AnyNode, BatchNorm, QuantRelu, Relu, Sign
from hwgen.quantize.ranges import Bounds
from hwgen_rtl.numerics import BIPOLAR, IntType

__all__ = ["Edge", "Format", "Function", "Pending", "native_format"]

Function = Relu | Activation | Sign | QuantRelu
"""What one node may compute behind an affine."""


@dataclass(frozen=True)
class Edge:
    """Integers of a node: real = (q - excess[c]) * scale[c] + bias[c]."""

    node: AnyNode
    bounds: Bounds
    excess: NDArray
    bias: NDArray

    @property
    def scale(self) -> NDArray:
        assert self.node.scale is not None
        return np.asarray(self.node.scale)

    @property
    def kind(self) -> IntType:
        assert self.node.type is not None
        return self.node.type


@dataclass(frozen=True)
class Format:
    """Integers that a reader asks for: their type and the real value of one step."""

    kind: IntType
    step: float


@dataclass(frozen=True)
class Pending:
    """A value whose requantize node is not made yet: function(gain[c]*real + offset[c]).

    Each reader asks for the integers it needs, so one value may become several nodes.

    Parameters:
        name   : of the node that computes it; of the first batch norm or function behind a layer
        edge   : integers it is computed from
        fixed  : format of a reader that has no wish, where it is known already
        named  : says that ``name`` is that of a batch norm or function
    """

    name: str
    edge: Edge
    gain: NDArray
    offset: NDArray
    function: Function | None = None
    fixed: Format | None = None
    named: bool = False

    @classmethod
    def of(cls, edge: Edge, name: str | None = None, fixed: Format | None = None) -> "Pending":
        """The integers of ``edge`` as they are."""
        name = name or f"{edge.node.name}_requantize"
        return cls(name, edge, np.ones_like(edge.bias), edge.bias, fixed=fixed)

    @property
    def plain(self) -> bool:
        """Say whether nothing but integers is there: no affine and no function."""
        exact = not self.offset.any() and not self.edge.excess.any()
        return exact and bool(np.all(self.gain == 1)) and self.function is None

    @property
    def ready(self) -> bool:
        """Say whether the integers of ``edge`` have the format ``fixed``."""
        if self.fixed is None or not self.plain:
            return False
        return (self.edge.kind, float(self.edge.scale[0])) == (self.fixed.kind, self.fixed.step)

    @property
    def signed(self) -> bool:
        """Say whether a value below 0 is possible."""
        if self.plain:
            return bool(self.edge.bounds.low.min() < 0)
        return not isinstance(self.function, Relu | QuantRelu)

    def behind(self, node: BatchNorm | Function, gain: NDArray, offset: NDArray) -> "Pending":
        """The same with ``node`` behind it; gain and offset are those of a batch norm."""
        name = self.name if self.named else node.name
        function = None if isinstance(node, BatchNorm) else node
        affine = {"gain": self.gain * gain, "offset": self.offset * gain + offset}
        return replace(self, name=name, named=True, fixed=None, function=function, **affine)


def native_format(value: Pending) -> Format | None:
    """The format of functions that have only one: signs and few levels."""
    match value.function:
        case Sign():
            return Format(BIPOLAR, 1.0)
        case QuantRelu(bits=bits, step=step):
            return Format(IntType(bits, signed=False), step)
        case _:
            return value.fixed if value.ready else None
