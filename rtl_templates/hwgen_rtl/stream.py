"""What all stream blocks have in common: one stream in, one stream out."""

from abc import abstractmethod

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["StreamComponent"]


class StreamComponent(wiring.Component):
    """A component between two streams; ``i_layout`` and ``o_layout`` are those of their beats.

    Members:
        i : In(stream of i_layout)
        o : Out(stream of o_layout)
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, i_layout: data.ArrayLayout, o_layout: data.ArrayLayout):
        super().__init__(
            {"i": In(stream.Signature(i_layout)), "o": Out(stream.Signature(o_layout))}
        )

    @abstractmethod
    def elaborate(self, platform) -> Module:
        """The logic; every block has its own."""
