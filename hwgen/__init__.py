"""From a PyTorch network without multiplications to proven Verilog.

design = hwgen.compile(module, calibration_images, config, output=Path("build/mine"))
design.verify(images), design.run(images), design.estimate(), design.verilog()
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwgen.design import Design
    from hwgen.design import compile_module as compile  # noqa: A004
    from hwgen.options import CompileOptions

__all__ = ["CompileOptions", "Design", "__version__", "compile"]

__version__ = "0.1.0"

_LAZY = {
    "CompileOptions": ("hwgen.options", "CompileOptions"),
    "Design": ("hwgen.design", "Design"),
    "compile": ("hwgen.design", "compile_module"),
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that `import hwgen` stays light."""
    from importlib import import_module

    if name not in _LAZY:
        raise AttributeError(f"module 'hwgen' has no attribute {name!r}")
    module, attribute = _LAZY[name]
    return getattr(import_module(module), attribute)
