"""The command line's flow for Python: a module in, a design that can be checked out."""

import tempfile
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hwgen.build import open_build
from hwgen.errors import ToolMissing
from hwgen.flow import compile_graph, import_module
from hwgen.inputs import Images
from hwgen.options import CompileOptions

__all__ = ["Design", "compile_module"]


class Design:
    """A compiled network; ``build`` is its folder, as ``hwgen compile`` leaves it."""

    def __init__(self, build: Path):
        self.build = build

    def verilog(self) -> str:
        """The text of ``top.v``."""
        return open_build(self.build).verilog.read_text()

    def verify(self, images: ArrayLike, labels: ArrayLike | None = None, **options: Any) -> Any:
        """Like ``hwgen verify``; options: count, simulator, stalls."""
        with _stored(images, labels) as inputs:
            return _plugin("verify")(self.build, Path(inputs) / "images.npz", **options)

    def run(self, images: ArrayLike, engine: str = "golden") -> np.ndarray:
        """Output integers (N, *shape), like ``hwgen run``."""
        with _stored(images, None) as inputs:
            folder = Path(inputs)
            result = folder / "outputs.npz"
            _plugin("run")(self.build, folder / "images.npz", engine, result)
            with np.load(result) as arrays:
                return arrays["outputs"]

    def estimate(self, **options: Any) -> Any:
        """Like ``hwgen estimate``; options: device, profile, memories, scale, clock."""
        return _plugin("estimate")(self.build, **options)


def compile_module(
    module: Any, calibration: ArrayLike, config: CompileOptions | None = None, *, output: Path
) -> Design:
    """Compile an nn.Module, calibrated on images (N, C, H, W), into the folder ``output``.

    uint8 images are pixels, others real values. Raises HwgenError.
    """
    options = config or CompileOptions()
    images = Images(np.asarray(calibration))
    mean, std = options.mean or (0.0,), options.std or (1.0,)
    graph = import_module(module, images, mean, std)
    compile_graph(graph, images, output, options)
    return Design(output)


def _stored(images: ArrayLike, labels: ArrayLike | None) -> tempfile.TemporaryDirectory[str]:
    """A folder with ``images.npz``; it vanishes with the ``with`` block."""
    folder = tempfile.TemporaryDirectory(prefix="hwgen-")
    arrays: dict[str, Any] = {"images": np.asarray(images)}
    if labels is not None:
        arrays["labels"] = np.asarray(labels)
    np.savez(Path(folder.name) / "images.npz", **arrays)
    return folder


def _plugin(name: str) -> Callable[..., Any]:
    """What a later package registers; the compiler itself imports none of them."""
    for found in entry_points(group="hwgen.design", name=name):
        return found.load()
    raise ToolMissing(f"Nothing is installed that can {name} a design; install hwgen again.")
