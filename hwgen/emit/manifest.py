"""What a build folder says about its Verilog: ports, streams, layouts, versions, hashes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from hwgen.errors import BuildError
from hwgen.ir.nodes import Shape, TypeName

__all__ = ["JoinInput", "Manifest", "Stream", "load_manifest", "save_manifest"]


@dataclass(frozen=True, kw_only=True)
class Stream:
    """How the integers of one tensor travel on one stream.

    A beat carries ``lanes`` elements of ``type``, lane 0 in the least significant bits. For a
    (C, H, W) tensor, beats run over rows, then columns, then groups of ``lanes`` channels; for
    (F,) over groups of ``lanes`` elements. One image is ``beats`` beats.

    Parameters:
        instance : path below the top module whose ports ``o__payload``, ``o__valid`` and
                   ``o__ready`` carry this tensor; "" for the ports of the top itself
    """

    node: str
    kind: str
    shape: Shape
    type: TypeName
    scale: tuple[float, ...]
    lanes: int
    instance: str

    @property
    def beats(self) -> int:
        """Beats per image."""
        elements = 1
        for size in self.shape:
            elements *= size
        return elements // self.lanes

    @property
    def width(self) -> int:
        """Payload bits."""
        return self.lanes * self.type.bits


@dataclass(frozen=True, kw_only=True)
class JoinInput:
    """One branch that ends in a node with several inputs, for a report of a design that stopped.

    Parameters:
        node, port : the node, and which of its inputs
        source     : the node whose tensor arrives
        depth      : beats that the queue of this branch holds; 0 where it has none
        block      : path below the top module of the block that joins; its ports
                     ``i<port>__valid`` and ``i<port>__ready`` are behind the queue, those of
                     the node's own instance in front of it
    """

    node: str
    port: int
    source: str
    depth: int
    block: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything a simulator, a host or a person needs beside ``top.v``.

    ``input`` enters at the top's ports ``i__payload``, ``i__valid``, ``i__ready``; ``output``
    leaves at ``o__*``. After reset the design needs ``settled_cycles`` until it is idle; from then
    on, ``latency_cycles`` and ``interval_cycles`` are exact. ``nodes`` are the streams that can be
    observed inside, in graph order.
    ``joins`` are the branches that end in nodes with several inputs.
    ``aliases`` maps nodes without hardware (flatten) to the node that has their integers.
    Clock and reset (synchronous, active high) are ``clk`` and ``rst``.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: str
    hwgen: str
    config_hash: str
    verilog_sha256: str
    input: Stream
    output: Stream
    nodes: tuple[Stream, ...]
    aliases: dict[str, str]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    settled_cycles: int
    latency_cycles: int
    interval_cycles: int
    versions: dict[str, str]
    joins: tuple[JoinInput, ...] = ()


_ADAPTER = TypeAdapter(Manifest)


def save_manifest(manifest: Manifest, path: Path) -> None:
    """Write the manifest as JSON."""
    path.write_bytes(_ADAPTER.dump_json(manifest, indent=1) + b"\n")


def load_manifest(path: Path) -> Manifest:
    """Read a manifest; raises BuildError where it is missing or malformed."""
    if not path.is_file():
        raise BuildError(f"{path} is missing; run 'hwgen compile' again.")
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise BuildError(f"{path} is corrupted ({reason}); run 'hwgen compile' again.") from error
