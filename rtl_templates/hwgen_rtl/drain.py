"""From the sums of a job, which an array gives at once, to beats of fewer of them."""

from dataclasses import dataclass

from amaranth.hdl import Module, Signal

from hwgen_rtl.array import ArrayParams, sums_layout
from hwgen_rtl.choice import chosen
from hwgen_rtl.cycles import Timing, holding
from hwgen_rtl.stream import StreamComponent

__all__ = ["Drain", "DrainParams"]


@dataclass(frozen=True, kw_only=True)
class DrainParams:
    """The sums of ``array``, ``lanes`` of them a beat, lowest first."""

    array: ArrayParams
    lanes: int

    def __post_init__(self):
        if self.lanes < 1 or self.array.pe % self.lanes:
            raise ValueError(f"lanes must divide {self.array.pe}, not {self.lanes!r}")

    @property
    def ratio(self) -> int:
        """Beats for each job."""
        return self.array.pe // self.lanes

    @property
    def chosen(self) -> bool:
        """Whether a beat is a choice of sums that stay, not the lowest of sums that move.

        A 6-input LUT chooses one bit of four, so that 16 sums take five LUTs a bit, not 16.
        """
        return self.array.lut_inputs == 6

    @property
    def through(self) -> bool:
        """Whether the next job's sums come in the cycle of the last beat: jobs of one beat."""
        return self.array.beats == 1

    def create(self) -> "Drain":
        """The hardware."""
        return Drain(self)

    def timing(self) -> Timing:
        """Cycle model."""
        return holding(self.ratio, through=self.through)


class Drain(StreamComponent):
    """Keeps the sums of a job and gives them beat by beat, each with the share of all.

    ``i.ready`` is a register but for jobs of one beat: otherwise whether the next unit is ready
    would decide in the same cycle whether a whole array moves.

    Members: i : In(stream of sums_layout(array, pe)); o : Out(stream of sums_layout(array, lanes))
    """

    def __init__(self, params: DrainParams):
        self._params = params
        array = params.array
        super().__init__(array.sums, sums_layout(array, params.lanes))

    def elaborate(self, platform):
        m = Module()
        params, given, taken = self._params, self.o.payload, self.i.payload
        sums = Signal(len(taken.sums.as_value()), reset_less=True)
        left = Signal(range(params.ratio + 1))
        width = len(given.sums.as_value())
        turn = Signal(range(params.ratio))
        parts = [sums[n : n + width] for n in range(0, len(sums), width)]
        m.d.comb += [
            self.o.valid.eq(left != 0),
            given.sums.eq(chosen(parts, turn) if params.chosen else parts[0]),
            self.i.ready.eq(left == 0),
        ]
        if params.through:
            m.d.comb += self.i.ready.eq((left == 0) | ((left == 1) & self.o.ready))
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [sums.eq(taken.sums.as_value()), left.eq(params.ratio), turn.eq(0)]
            if params.array.lanes.shared is not None:
                m.d.sync += given.share.eq(taken.share)
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += left.eq(left - 1)
            m.d.sync += turn.eq(turn + 1) if params.chosen else sums.eq(sums[width:])
        return m
