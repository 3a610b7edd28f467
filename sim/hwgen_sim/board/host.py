"""Images through a board, real or simulated, compared with the golden model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hwgen.build import open_build
from hwgen.emit.manifest import Manifest, load_manifest
from hwgen.inputs import load_images
from hwgen.ir.serialize import load_graph
from hwgen_sim import fast, golden
from hwgen_sim.compare import Mismatch, compare
from hwgen_sim.registered import registered
from hwgen_sim.run import write_outputs

__all__ = ["HostRun", "host_build"]


@dataclass(frozen=True)
class HostRun:
    """What a board computed.

    Parameters:
        build    : first 64 bits of the configuration hash, as the board gave them
        outputs  : integers (N, *shape)
        counters : of the board, and the requests that the host sent again
        checked  : whether the golden model computed the same images
        wrong    : integers that differ from the golden model's
        first    : the first of them
    """

    build: str
    outputs: NDArray
    labels: NDArray | None
    counters: dict[str, int]
    checked: bool
    wrong: int = 0
    first: Mismatch | None = None

    @property
    def status(self) -> str:
        """``passed``, ``failed``, or ``unchecked`` where nothing was compared."""
        if not self.checked:
            return "unchecked"
        return "failed" if self.wrong else "passed"

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the integers of every image."""
        return {
            "status": self.status,
            "build": self.build,
            "counters": self.counters,
            "mismatches": self.wrong if self.checked else None,
            "first_mismatch": str(self.first) if self.first else None,
            "labels": None if self.labels is None else self.labels.tolist(),
            "outputs": self.outputs.tolist(),
        }


def host_build(
    path: Path,
    inputs: Path,
    port: str,
    *,
    baudrate: int = 115_200,
    count: int | None = None,
    output: Path | None = None,
    check: bool = True,
) -> HostRun:
    """Send images to the board at ``port`` and give what it answers.

    The board must say that it holds this build before any image is sent. ``output`` receives what
    ``hwgen run`` would write. Raises InputError for another build, a port that cannot be opened or
    unusable images, and an HwgenError of exit code 1 for a board that does not answer.
    """
    build = open_build(path)
    graph = load_graph(build.quantized, build.quantized_tensors)
    manifest = load_manifest(build.manifest)
    images = load_images(inputs, count)
    integers = golden.prepare(graph, images.images)
    outputs, identity, counters = _through_board(manifest, integers, port, baudrate)
    if output:
        write_outputs(output, graph, {graph.output.name: outputs})
    name = f"{identity:016x}"
    if not check:
        return HostRun(name, outputs, images.labels, counters, False)
    expected = fast.run(graph, integers, {graph.output.name})
    found = compare(expected, {graph.output.name: outputs}, manifest)
    return HostRun(name, outputs, images.labels, counters, True, found.total, found.first)


def _through_board(
    manifest: Manifest, integers: NDArray, port: str, baudrate: int
) -> tuple[NDArray, int, dict[str, int]]:
    """Output integers, the board's build and its counters."""
    connect = registered("hwgen.hosts", "talks to boards")
    with connect(port, baudrate, manifest=manifest) as host:
        build = host.identify().build
        outputs = host.run(integers)
        counts = host.counters()
        counters = {
            "images": counts.images,
            "cycles": counts.cycles,
            "input_stalls": counts.input_stalls,
            "output_stalls": counts.output_stalls,
            "repeated_requests": host.repeated,
        }
    return outputs, build, counters
