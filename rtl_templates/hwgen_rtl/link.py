"""The board's end of the host protocol, which docs/host_protocol.md describes."""

from dataclasses import dataclass, fields

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen_rtl.convert import MergeParams, SplitParams
from hwgen_rtl.every import Every
from hwgen_rtl.link_counters import Counters, counted_events
from hwgen_rtl.link_protocol import (
    CRC_BYTES,
    INPUT_BYTES,
    OUTPUT_BYTES,
    VERSION,
    Counts,
    Identity,
)
from hwgen_rtl.link_queues import InputQueue, OutputQueue
from hwgen_rtl.link_server import LinkServer
from hwgen_rtl.numerics import IntType

__all__ = ["HostLink", "HostLinkParams"]

_BYTE = IntType(8, signed=False)


@dataclass(frozen=True, kw_only=True)
class HostLinkParams:
    """What the link tells the host about the design behind it.

    Parameters:
        i_bits, o_bits   : payload bits of a beat
        i_beats, o_beats : beats per image
        build            : identifies what was built, 64 bits
    """

    i_bits: int
    o_bits: int
    i_beats: int
    o_beats: int
    build: int

    def __post_init__(self):
        for name in ("i_bits", "o_bits"):
            self._check(name, 1, 1 << 16)
        for name in ("i_beats", "o_beats"):
            self._check(name, 1, 1 << 32)
        self._check("build", 0, 1 << 64)

    def _check(self, name: str, low: int, end: int) -> None:
        value = getattr(self, name)
        if not low <= value < end:
            raise ValueError(f"{name} must be {low} to {end - 1}, not {value!r}")

    @classmethod
    def of(cls, identity: Identity) -> "HostLinkParams":
        """The link that answers with ``identity``."""
        return cls(
            i_bits=identity.i_bits,
            o_bits=identity.o_bits,
            i_beats=identity.i_beats,
            o_beats=identity.o_beats,
            build=identity.build,
        )

    @property
    def identity(self) -> Identity:
        """The answer to IDENTIFY."""
        sizes = (self.i_bits, self.o_bits, self.i_beats, self.o_beats)
        return Identity(VERSION, self.build, *sizes)

    def create(self) -> "HostLink":
        """The hardware."""
        return HostLink(self)


class HostLink(wiring.Component):
    """Answers a host's requests: takes images for a design, keeps its results, counts cycles.

    A request acts once its CRC was right, and not again when it is repeated. While the header and
    the payload of an answer leave, and for 8 cycles behind each byte, ``rx`` waits. The design
    waits where its results are not fetched.

    Members:
        rx          : In(stream of 8 bits), from the host
        tx          : Out(stream of 8 bits), to the host
        to_design   : Out(stream of i_bits)
        from_design : In(stream of o_bits)
        reset       : Out(1), one cycle per session: resets the design; a beat that moves in this
                      cycle is lost
    """

    rx: stream.Interface
    tx: stream.Interface
    to_design: stream.Interface
    from_design: stream.Interface
    reset: Signal

    def __init__(self, params: HostLinkParams):
        self._params = params
        super().__init__(
            {
                "rx": In(stream.Signature(8)),
                "tx": Out(stream.Signature(8)),
                "to_design": Out(stream.Signature(params.i_bits)),
                "from_design": In(stream.Signature(params.o_bits)),
                "reset": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.server = server = LinkServer(self._params.identity)
        wiring.connect(m, wiring.flipped(self.rx), server.rx)
        wiring.connect(m, wiring.flipped(self.tx), server.tx)
        m.d.comb += self.reset.eq(server.reset)
        # One reset for the link's share of an image and the design's: parts of an image never meet
        # parts of another.
        restart = ResetInserter(self.reset)
        inputs = InputQueue(depth=INPUT_BYTES, extra=CRC_BYTES)
        outputs = OutputQueue(depth=OUTPUT_BYTES)
        counters = Counters(len(fields(Counts)))
        for name, part in (("inputs", inputs), ("outputs", outputs), ("counters", counters)):
            m.submodules[name] = restart(part)
            wiring.connect(m, getattr(server, name), part.control)
        self._join_input(m, restart, inputs.o)
        self._join_output(m, restart, outputs.i)
        m.submodules.images = images = restart(Every(self._params.o_beats))
        taken = self.from_design
        m.d.comb += [
            images.event.eq(taken.valid & taken.ready),
            counters.events.eq(counted_events(self.to_design, taken, images.last)),
        ]
        return m

    def _join_input(self, m: Module, restart: ResetInserter, source: stream.Interface) -> None:
        """Bytes to beats."""
        merge = MergeParams(kind=_BYTE, i_lanes=1, o_lanes=-(-self._params.i_bits // 8)).create()
        m.submodules.merge = restart(merge)
        m.d.comb += [
            merge.i.payload.as_value().eq(source.payload),
            merge.i.valid.eq(source.valid),
            source.ready.eq(merge.i.ready),
            self.to_design.payload.eq(merge.o.payload.as_value()),
            self.to_design.valid.eq(merge.o.valid),
            merge.o.ready.eq(self.to_design.ready),
        ]

    def _join_output(self, m: Module, restart: ResetInserter, sink: stream.Interface) -> None:
        """Beats to bytes."""
        split = SplitParams(kind=_BYTE, i_lanes=-(-self._params.o_bits // 8), o_lanes=1).create()
        m.submodules.split = restart(split)
        m.d.comb += [
            split.i.payload.as_value().eq(self.from_design.payload),
            split.i.valid.eq(self.from_design.valid),
            self.from_design.ready.eq(split.i.ready),
            sink.payload.eq(split.o.payload.as_value()),
            sink.valid.eq(split.o.valid),
            split.o.ready.eq(sink.ready),
        ]
