"""The plan: which blocks each node becomes, and what that will cost."""

from dataclasses import dataclass
from typing import Any

from hwgen.ir.graph import Graph
from hwgen.ir.nodes import AnyNode
from hwgen_rtl.fork import ForkParams

__all__ = ["Plan", "Resources", "Stage", "Target", "Unit"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a plan must reach: cycles per image, room on a device, or both.

    ``device`` names it for messages, ``family`` is a key of fabric.FABRICS; the other fields are
    what it has (0: not limited). ``larger`` are other devices of its family, smallest first.
    """

    cycles: int | None = None
    device: str | None = None
    family: str = "ecp5"
    lut: int = 0
    ff: int = 0
    carry: int = 0
    bram: int = 0
    dsp: int = 0
    larger: tuple["Target", ...] = ()


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Predicted cells of a family, in the units in which its devices are sold."""

    lut: float = 0
    carry: float = 0
    ff: float = 0
    bram: int = 0
    dsp: int = 0

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(
            lut=self.lut + other.lut,
            carry=self.carry + other.carry,
            ff=self.ff + other.ff,
            bram=self.bram + other.bram,
            dsp=self.dsp + other.dsp,
        )

    def times(self, count: int) -> "Resources":
        """Cells of ``count`` copies."""
        return Resources(
            lut=self.lut * count,
            carry=self.carry * count,
            ff=self.ff * count,
            bram=self.bram * count,
            dsp=self.dsp * count,
        )


@dataclass(frozen=True)
class Stage:
    """One block inside a unit: its instance name and its Params."""

    name: str
    params: Any


@dataclass(frozen=True, kw_only=True)
class Unit:
    """The hardware of one node: blocks in a row; the last one emits the node's tensor.

    Parameters:
        node     : the graph node
        sources  : names of the nodes whose streams it reads
        inputs   : blocks behind each source, () where there are none
        stages   : blocks from there to the output; with several sources the first one joins them
        pe, simd : output channels and taps (or elements) per cycle
        lanes    : elements per output beat
        interval : cycles per image when nothing else is slower
        tap_order: for arrays, ``words`` (rows, columns, channels) or ``columns``
                   (columns, channel words, rows, channels of a word)
    """

    node: AnyNode
    sources: tuple[str, ...]
    inputs: tuple[tuple[Stage, ...], ...] = ()
    stages: tuple[Stage, ...]
    pe: int
    simd: int
    lanes: int
    interval: int
    tap_order: str = "words"

    def __post_init__(self):
        if not self.inputs:
            object.__setattr__(self, "inputs", tuple(() for _ in self.sources))

    @property
    def blocks(self) -> tuple[Stage, ...]:
        """All blocks."""
        return (*(stage for row in self.inputs for stage in row), *self.stages)

    @property
    def name(self) -> str:
        """Instance name in the Verilog."""
        return self.node.name


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A whole design: units in stream order, and its predicted cycles and cells.

    ``forks`` holds, for each stream with several readers, the block that copies it to them.

    ``settled`` counts cycles from reset to idle; ``finished`` counts cycles from the first input
    beat of an idle design to the last output beat of each of a few images sent back to back.
    ``latency`` is its first entry and ``interval`` the difference of its last two.
    """

    graph: Graph
    target: Target
    input_lanes: int
    units: tuple[Unit, ...]
    forks: dict[str, ForkParams]
    aliases: dict[str, str]
    latency: int
    interval: int
    settled: int
    finished: tuple[int, ...]
    resources: dict[str, Resources]

    def cycles(self, images: int) -> int:
        """First input beat of the first to last output beat of the last of ``images`` images."""
        known = self.finished[:images]
        return known[-1] + (images - len(known)) * self.interval

    @property
    def total(self) -> Resources:
        """Predicted cells of the whole design."""
        return sum(self.resources.values(), Resources())
