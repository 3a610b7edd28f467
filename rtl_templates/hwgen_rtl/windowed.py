"""A window buffer and a fixed-rate datapath behind it, as one stream block."""

from dataclasses import dataclass

from amaranth.hdl import EnableInserter, Module
from amaranth.lib.wiring import connect, flipped
from numpy.typing import NDArray

from hwgen_rtl.cycles import Timing
from hwgen_rtl.datapath import Datapath, DatapathParams
from hwgen_rtl.stream import StreamComponent
from hwgen_rtl.window import WindowParams

__all__ = ["Windowed", "WindowedParams"]


@dataclass(frozen=True, kw_only=True)
class WindowedParams:
    """``window`` feeds ``datapath``; one result per job of the window buffer."""

    window: WindowParams
    datapath: DatapathParams

    @property
    def interval(self) -> int:
        """Cycles per image when nothing else is slower."""
        return self.window.interval

    def create(self, *arrays: NDArray) -> "Windowed":
        """The hardware; ``arrays`` go to the datapath (weights, bias)."""
        return Windowed(self.window, self.datapath.create(*arrays))

    def timing(self) -> Timing:
        """Cycle model."""
        return self.window.timing(self.datapath.latency)


class Windowed(StreamComponent):
    """Stream of image words in, stream of one result per job out.

    Memory, datapath and result are one pipeline that stands still while the result waits: the
    enable costs no logic, since every flip-flop and memory port has one.

    Members:
        i : In(stream of the window buffer's words)
        o : Out(stream of the datapath's results)
    """

    def __init__(self, window: WindowParams, datapath: Datapath):
        self._buffer, self._datapath = window.create(), datapath
        super().__init__(self._buffer.i.payload.shape(), datapath.o.shape())

    def elaborate(self, platform):
        m = Module()
        buffer, datapath = self._buffer, self._datapath
        enable = ~datapath.done | self.o.ready
        m.submodules.buffer = buffer
        m.submodules.datapath = EnableInserter(enable)(datapath)
        connect(m, flipped(self.i), buffer.i)
        m.d.comb += [
            buffer.enable.eq(enable),
            datapath.enable.eq(enable),
            datapath.taps.eq(buffer.taps),
            datapath.valid.eq(buffer.valid),
            datapath.first.eq(buffer.first),
            datapath.last.eq(buffer.last),
            self.o.valid.eq(datapath.done),
            self.o.payload.eq(datapath.o),
        ]
        return m
