"""Names of graph nodes: the path of the module, made a Verilog identifier."""

import re
from collections.abc import Iterable

__all__ = ["Names", "identifier"]

# fmt: off
_RESERVED = frozenset([  # words of Verilog and SystemVerilog, and names hwgen gives itself
    "always", "and", "argmax", "assign", "begin", "bit", "buf", "byte", "case", "cell",
    "class", "clk", "config", "const", "deassign", "default", "design", "disable", "do",
    "edge", "else", "end", "endcase", "endfunction", "endmodule", "endtask", "event",
    "final", "for", "force", "forever", "fork", "function", "generate", "genvar", "if",
    "import", "initial", "inout", "input", "int", "integer", "join", "large", "library",
    "local", "logic", "macromodule", "medium", "module", "nand", "negedge", "new", "nmos",
    "nor", "not", "null", "or", "output", "package", "parameter", "pmos", "posedge",
    "priority", "process", "program", "property", "pull0", "pull1", "pure", "rand", "real",
    "realtime", "ref", "reg", "release", "repeat", "return", "rst", "scalared", "sequence",
    "shortint", "small", "specify", "static", "string", "strong0", "strong1", "struct",
    "super", "supply0", "supply1", "table", "task", "this", "time", "top", "tri", "type",
    "union", "unique", "unsigned", "use", "var", "vectored", "virtual", "void", "wait",
    "wand", "weak0", "weak1", "while", "wire", "with", "wor", "xnor", "xor",
])
# fmt: on


def identifier(text: str) -> str:
    """``text`` as a Verilog identifier: ``features.0`` is ``features_0``, ``0`` is ``layer_0``."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_") or "layer"
    if name[0].isdigit():
        name = f"layer_{name}"
    return f"{name}_" if name.lower() in _RESERVED else name


class Names:
    """Hands out each name once, whatever its case: the second ``relu`` is ``relu_1``."""

    def __init__(self, taken: Iterable[str] = ()):
        self._taken = {name.lower() for name in taken}

    def take(self, text: str) -> str:
        """A new identifier as close to ``text`` as possible."""
        first = name = identifier(text)
        count = 0
        while name.lower() in self._taken:
            count += 1
            name = f"{first}_{count}"
        self._taken.add(name.lower())
        return name
