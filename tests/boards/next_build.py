"""A build folder of the smallest design, `next.v`, as `hwgen compile` would leave it."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from hwgen.build import COMPILED, staged
from hwgen.emit.manifest import Manifest, Stream, save_manifest
from hwgen_rtl.numerics import IntType

__all__ = ["NEXT", "PORT", "next_build"]

NEXT = Path(__file__).parent / "next.v"
PORT = Stream(
    node="x",
    kind="linear",
    shape=(4,),
    type=IntType.parse("uint8"),
    scale=(1.0,),
    lanes=1,
    instance="",
)
MANIFEST = Manifest(
    name="next",
    hwgen="0",
    config_hash="0123456789abcdef" * 4,
    verilog_sha256=hashlib.sha256(NEXT.read_bytes()).hexdigest(),
    input=PORT,
    output=PORT,
    nodes=(),
    aliases={},
    mean=(),
    std=(),
    settled_cycles=0,
    latency_cycles=1,
    interval_cycles=4,
    versions={},
)


def next_build(path: Path, **changed: Any) -> Path:
    """Make the build at ``path``, with ``changed`` fields of its manifest."""
    with staged(path) as folder:
        for name in COMPILED:
            (folder.root / name).touch()
        shutil.copyfile(NEXT, folder.verilog)
        save_manifest(replace(MANIFEST, **changed), folder.manifest)
    return path
