"""What all stream blocks have in common: the streams that enter and the streams that leave."""

from abc import abstractmethod
from collections.abc import Sequence

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["ForkComponent", "JoinComponent", "StreamComponent", "StreamsComponent"]


class StreamsComponent(wiring.Component):
    """A component all of whose ports are streams.

    Attributes:
        inputs  : the streams that enter, in order
        outputs : the streams that leave, in order
    """

    @property
    @abstractmethod
    def inputs(self) -> tuple[stream.Interface, ...]:
        """The streams that enter, in order."""

    @property
    @abstractmethod
    def outputs(self) -> tuple[stream.Interface, ...]:
        """The streams that leave, in order."""

    @abstractmethod
    def elaborate(self, platform) -> Module:
        """The logic; every block has its own."""


class StreamComponent(StreamsComponent):
    """A component between two streams; ``i_layout`` and ``o_layout`` are those of their beats.

    Members:
        i : In(stream of i_layout)
        o : Out(stream of o_layout)
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, i_layout: data.Layout, o_layout: data.Layout):
        super().__init__(
            {"i": In(stream.Signature(i_layout)), "o": Out(stream.Signature(o_layout))}
        )

    @property
    def inputs(self) -> tuple[stream.Interface, ...]:
        return (self.i,)

    @property
    def outputs(self) -> tuple[stream.Interface, ...]:
        return (self.o,)


class JoinComponent(StreamsComponent):
    """A component from several streams to one.

    Members:
        i0, i1, ... : In(stream of i_layouts[0], i_layouts[1], ...)
        o           : Out(stream of o_layout)
    """

    o: stream.Interface

    def __init__(self, i_layouts: Sequence[data.Layout], o_layout: data.Layout):
        self._names = tuple(f"i{n}" for n in range(len(i_layouts)))
        inputs = zip(self._names, i_layouts, strict=True)
        super().__init__(
            {name: In(stream.Signature(layout)) for name, layout in inputs}
            | {"o": Out(stream.Signature(o_layout))}
        )

    @property
    def inputs(self) -> tuple[stream.Interface, ...]:
        return tuple(getattr(self, name) for name in self._names)

    @property
    def outputs(self) -> tuple[stream.Interface, ...]:
        return (self.o,)


class ForkComponent(StreamsComponent):
    """A component from one stream to ``ways`` streams of the same beats.

    Members:
        i           : In(stream of layout)
        o0, o1, ... : Out(stream of layout)
    """

    i: stream.Interface

    def __init__(self, layout: data.Layout, ways: int):
        self._names = tuple(f"o{n}" for n in range(ways))
        super().__init__(
            {"i": In(stream.Signature(layout))}
            | {name: Out(stream.Signature(layout)) for name in self._names}
        )

    @property
    def inputs(self) -> tuple[stream.Interface, ...]:
        return (self.i,)

    @property
    def outputs(self) -> tuple[stream.Interface, ...]:
        return tuple(getattr(self, name) for name in self._names)
