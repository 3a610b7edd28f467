"""Exact cycles of a design, from the cycle model of its blocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from hwgen.schedule.plan import Plan, Stage, Unit
from hwgen.schedule.streams import OUTPUT, QUEUE, Reader, readers
from hwgen_rtl.cycles import Block, Link, offering, run_blocks, spacing
from hwgen_rtl.fork import ForkParams

__all__ = ["Prediction", "enabled_cycles", "predict"]

IMAGES = 5
"""Images that are followed; the last two intervals must agree."""
LONGEST = 16
"""Images that are followed at most until two of them are alike."""
SPREAD_IMAGES = 2
"""Images that are followed beat by beat: one, and the change to the next one."""
SETTLE = 8
"""Cycles from the last transfer of padding until no register changes any more."""
IDLE = 1 << 24
"""Cycle of the first input: late enough that all leading padding was sent before."""


@dataclass(frozen=True)
class Prediction:
    """Exact cycles of a few images sent back to back.

    Parameters:
        settled   : cycles after reset until the design is idle, its leading padding sent ahead
        finished  : from the first input beat of an idle design to the last output beat of each
        occupancy : most beats that waited at once in the queue of each reader that has one
    """

    settled: int
    finished: tuple[int, ...]
    occupancy: dict[Reader, int] = field(default_factory=dict)

    @property
    def latency(self) -> int:
        """First input beat to last output beat of the first image, cycles."""
        return self.finished[0]

    @property
    def interval(self) -> int:
        """Cycles between the last two images."""
        return self.finished[-1] - self.finished[-2]


def predict(
    units: Sequence[Unit],
    forks: Mapping[str, ForkParams],
    input_name: str,
    input_beats: int,
    output_beats: int,
    spread: bool = False,
) -> Prediction:
    """Follow a few images, sent back to back and taken at once; raises cycles.Blocked.

    With ``spread``, each fork waits before every beat until what the one before caused has come to
    rest. A pipeline that stands still then holds one beat, with bubbles behind it, and not as many
    as it has stages: the least that stalls, which may come at any time, leave it.
    """
    model = _Model(units, forks, input_name, spread)
    images = SPREAD_IMAGES if spread else IMAGES
    feed = Block(offering(np.full(images * input_beats, IDLE)), (), (model.start,))
    activity = run_blocks([feed, *model.blocks], kept=(model.start, model.end))
    start, ends = model.start.taken[0], model.end.taken[output_beats - 1 :: output_beats]
    return Prediction(
        activity.early + SETTLE if activity.early >= 0 else 0,
        tuple(end - start for end in ends),
        {reader: activity.most[queue] for reader, queue in model.queues.items()},
    )


def enabled_cycles(plan: Plan, images: int | None = None) -> dict[str, list[int]]:
    """Cycles per image in which each block of a unit moves, in the order of `Unit.blocks`.

    Of the last of ``images`` images, sent back to back to an idle design; by default of as many as
    it takes until two images are alike. A pipeline stands still while its result is not taken; what
    has no pipeline counts as moving.
    """
    model = _Model(plan.units, plan.forks, plan.graph.input.name, spread=False)
    beats = prod(plan.graph.input.shape) // plan.input_lanes
    count = images or IMAGES
    waits = [_waits(model, beats, n) for n in (count - 1, count)]
    while images is None and count < LONGEST and (len(waits) < 3 or not _alike(*waits[-3:])):
        count += 1
        waits.append(_waits(model, beats, count))
    cycles = plan.cycles(count) - plan.cycles(count - 1)
    before, last = waits[-2:]
    return {
        name: [cycles - last[block] + before[block] for block in blocks]
        for name, blocks in model.units.items()
    }


Waits = dict[Block, int]


def _waits(model: "_Model", beats: int, images: int) -> Waits:
    feed = Block(offering(np.full(images * beats, IDLE)), (), (model.start,))
    return run_blocks([feed, *model.blocks], kept=()).waited


def _alike(first: Waits, second: Waits, third: Waits) -> bool:
    """Whether every block waited as long for the last image as for the one before; the feed is a
    new block each time."""
    both = first.keys() & third.keys()
    return all(third[block] - second[block] == second[block] - first[block] for block in both)


class _Model:
    """Blocks and links of all units and forks."""

    def __init__(
        self,
        units: Sequence[Unit],
        forks: Mapping[str, ForkParams],
        input_name: str,
        spread: bool,
    ):
        self.blocks: list[Block] = []
        self.queues: dict[Reader, Block] = {}
        self.units: dict[str, list[Block]] = {}
        self._incoming: dict[Reader, Link] = {}
        self._readers, self._forks, self._spread = readers(units), forks, spread
        self.start = Link(input_name)
        self._give(input_name, self.start)
        for unit in units:
            self._add(unit)
        self.end = self._incoming[Reader(OUTPUT)]

    def _add(self, unit: Unit) -> None:
        ends, begin = [], len(self.blocks)
        for port, row in enumerate(unit.inputs):
            reader = Reader(unit.name, port)
            first = len(self.blocks)
            ends.append(self._chain(row, self._incoming[reader], f"{unit.name}.{port}"))
            if row and row[0].name == QUEUE:
                self.queues[reader] = self.blocks[first]
        stages, link = unit.stages, ends[0]
        if len(ends) > 1:
            join, *stages = stages
            link = self._block(join, ends, unit.name)
        link = self._chain(stages, link, unit.name)
        self.units[unit.name] = self.blocks[begin:]
        self._give(unit.name, link)

    def _chain(self, stages: Sequence[Stage], i: Link, name: str) -> Link:
        for stage in stages:
            i = self._block(stage, [i], name)
        return i

    def _block(self, stage: Stage, inputs: Sequence[Link], name: str) -> Link:
        o = Link(f"{name}.{stage.name}")
        self.blocks.append(Block(stage.params.timing(), tuple(inputs), (o,)))
        return o

    def _give(self, name: str, link: Link) -> None:
        group = self._readers[name]
        if len(group) == 1:
            self._incoming[group[0]] = link
            return
        if self._spread:
            # a beat of one fork may cause many beats of the next one, which come before another
            given, link = link, Link(f"{name}.spread")
            self.blocks.append(Block(spacing(rank=len(self.blocks)), (given,), (link,)))
        outputs = tuple(Link(f"{name}.fork.{n}") for n in range(len(group)))
        self._incoming |= dict(zip(group, outputs, strict=True))
        self.blocks.append(Block(self._forks[name].timing(), (link,), outputs))
