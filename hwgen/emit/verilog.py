"""Component to one plain Verilog file."""

import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]  (no stub)
from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import flipped

from hwgen.errors import ToolFailed, ToolMissing
from hwgen.lower.top import Design, Network
from hwgen_rtl.primitives import Primitives
from hwgen_rtl.stream import StreamsComponent

__all__ = ["rtlil_of", "to_verilog", "verilog_of"]

_SCRIPT = """
read_rtlil design.il
proc -norom
memory_collect
opt_clean -purge
setattr -mod -unset generator -unset top *
write_verilog design.v
"""
_JOB = "from pyosys import libyosys; libyosys.run_pass('script design.ys')"


def to_verilog(design: Design, name: str = "top") -> str:
    """Parts joined by streams under module ``name``; the same design gives the same bytes.

    Module ``name`` has ports clk, rst, i__payload, i__valid, i__ready and the same for o. Each part
    becomes a module and an instance of its name, with such ports for each of its streams; it is
    converted on its own, so that its ports keep their names, and so is each primitive that parts
    share. Raises ToolFailed.
    """
    primitives = Primitives()
    texts = [rtlil_of(part, part_name, primitives) for part_name, part in design.parts.items()]
    texts.append(rtlil_of(_Stitched(design), name))
    texts += [rtlil_of(part, part_name) for part_name, part in primitives.found.items()]
    return verilog_of("\n".join(texts))


def verilog_of(text: str) -> str:
    """RTLIL as plain Verilog, the same bytes for the same text. Raises ToolFailed."""
    with tempfile.TemporaryDirectory() as folder:
        return _plain(_run_yosys(text, Path(folder)))


def rtlil_of(component: wiring.Component, name: str, primitives: Primitives | None = None) -> str:
    """A component as module ``name``, the modules below it as ``name__child``.

    The primitives that it shares with others are only collected in ``primitives``.
    """
    text = rtlil.convert(component, name=name, platform=primitives, emit_src=False)
    return _path_names(text, name)


class _Stitched(Network):
    """The top: one instance per part, joined by streams."""

    def elaborate(self, platform):
        m = Module()
        streams = {name: _ports(name, part) for name, part in self._design.parts.items()}
        for name, part in self._design.parts.items():
            m.submodules[name] = _instance(name, part, streams[name])
        for wire in self._design.wires:
            given, taken = flipped(self.i), flipped(self.o)
            if wire.source.part:
                given = streams[wire.source.part][0][wire.source.number]
            if wire.reader.part:
                taken = streams[wire.reader.part][1][wire.reader.number]
            m.d.comb += [
                taken.payload.eq(given.payload),
                taken.valid.eq(given.valid),
                given.ready.eq(taken.ready),
            ]
        return m


Streams = tuple[list[stream.Interface], list[stream.Interface]]


def _ports(name: str, part: StreamsComponent) -> Streams:
    """Signals for the streams that leave a part, and for those that enter it."""
    sides = (("o", part.outputs), ("i", part.inputs))
    made = (
        [_like(port, (name, port_name)) for port_name, port in _named(side, ports)]
        for side, ports in sides
    )
    return tuple(made)  # pyright: ignore[reportReturnType]


def _like(port, path: tuple[str, ...]):
    return stream.Signature(port.payload.shape()).create(path=path)


def _named(side: str, ports):
    """Port names as the component has them: ``i``, or ``i0``, ``i1``, ... of several."""
    if len(ports) == 1:
        return [(side, ports[0])]
    return [(f"{side}{n}", port) for n, port in enumerate(ports)]


def _instance(name: str, part: StreamsComponent, streams: Streams) -> Instance:
    connections: list = [("i", "clk", ClockSignal()), ("i", "rst", ResetSignal())]
    for side, ports, signals in (("o", part.outputs, streams[0]), ("i", part.inputs, streams[1])):
        forth, back = (side, "i" if side == "o" else "o")
        for (port, _), signal in zip(_named(side, ports), signals, strict=True):
            connections += [
                (forth, f"{port}__payload", signal.payload),
                (forth, f"{port}__valid", signal.valid),
                (back, f"{port}__ready", signal.ready),
            ]
    return Instance(name, *connections)


def _path_names(text: str, top: str) -> str:
    """Module names like ``conv1__array`` instead of ``conv1.array``."""
    modules = re.findall(r"^module \\(\S+)", text, flags=re.MULTILINE)
    names = {module: module.replace(".", "__") for module in modules if module != top}
    pattern = re.compile(r"^(module|  cell) \\(\S+)", flags=re.MULTILINE)
    return pattern.sub(lambda m: f"{m[1]} \\{names.get(m[2], m[2])}", text)


def _run_yosys(text: str, folder: Path) -> str:
    """Yosys runs in a process of its own, so that its state and output stay apart."""
    if find_spec("pyosys") is None:
        raise ToolMissing("pyosys is not installed; 'hwgen doctor' shows the command that does it.")
    (folder / "design.il").write_text(text)
    (folder / "design.ys").write_text(_SCRIPT)
    result = subprocess.run(
        [sys.executable, "-c", _JOB], cwd=folder, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise ToolFailed("Yosys", (result.stdout + result.stderr)[-2000:])
    return (folder / "design.v").read_text()


def _plain(text: str) -> str:
    """Without the line that names the Yosys version."""
    lines = [line for line in text.splitlines() if not line.startswith("/* Generated by")]
    return "\n".join(lines).strip() + "\n"
