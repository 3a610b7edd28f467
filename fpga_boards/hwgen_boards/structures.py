"""Structures of a family in place of the portable primitives of a design's Verilog."""

import re
from functools import lru_cache, partial
from pathlib import Path

from hwgen_boards.families import FAMILIES

__all__ = ["structured"]

_MODULE = re.compile(r"^module (hwgen_\w+?)(_\d+)+\(.*?^endmodule\n", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"^module (\w+)")
_PORT = re.compile(r"^  (?:input|output) (?:\[(\d+):0\] )?(\w+);\n", re.MULTILINE)
_HEADER = re.compile(r"^module (hwgen_\w+) #\((.*?)\)", re.MULTILINE)


def structured(verilog: str, family: str) -> str:
    """Verilog whose modules hwgen_x_8, of any sizes, are those of ``family``, if it has such.

    In the family's library X_WIDTH is a parameter of module hwgen_x: the width of port x.
    """
    if not FAMILIES[family].primitives:
        return verilog
    library = _library(FAMILIES[family].primitives)
    text, count = _MODULE.subn(partial(_wrapped, dict(_HEADER.findall(library))), verilog)
    return text + library if count else text


@lru_cache
def _library(name: str) -> str:
    return (Path(__file__).with_name("primitives") / name).read_text()


def _wrapped(headers: dict[str, str], portable: re.Match[str]) -> str:
    """A module of the same ports that holds nothing but the structure."""
    text, kind = portable[0], portable[1]
    if kind not in headers:
        return text
    (name,) = _NAME.findall(text)
    widths = {port: int(top or 0) + 1 for top, port in _PORT.findall(text)}
    sizes = ", ".join(
        f".{size}({widths[size.removesuffix('_WIDTH').lower()]})"
        for size in re.findall(r"\w+_WIDTH", headers[kind])
    )
    declared = "".join(match[0] for match in _PORT.finditer(text))
    connected = ", ".join(f".{port}({port})" for port in widths)
    return (
        f"module {name}({', '.join(widths)});\n{declared}"
        f"  {kind} #({sizes}) structure ({connected});\nendmodule\n"
    )
