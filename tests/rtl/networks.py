"""Blocks with several inputs or outputs, alone and between other blocks: one law, many tables."""

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Module
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out, connect, flipped

from hwgen_rtl.cycles import Block, Link, offering, run_blocks
from hwgen_rtl.stream import StreamsComponent
from hwgen_rtl.testing import StreamsRun, run_streams


def edges(blocks: Sequence[tuple]) -> tuple[list[str], list[str]]:
    """Inputs (links that no block writes) and outputs (that no block reads), as they appear."""
    read = [name for _, i, _ in blocks for name in i]
    written = [name for _, _, o in blocks for name in o]
    return [n for n in read if n not in written], [n for n in written if n not in read]


class Network(StreamsComponent):
    """Blocks joined by the names of their links.

    Each block is (params, names of input links, names of output links). See `edges`.
    """

    def __init__(self, blocks: Sequence[tuple]):
        self._blocks = [(params.create(), i, o) for params, i, o in blocks]
        read = {n: p for b, i, _ in self._blocks for n, p in zip(i, b.inputs, strict=True)}
        written = {n: p for b, _, o in self._blocks for n, p in zip(o, b.outputs, strict=True)}
        self._i, self._o = edges(blocks)
        super().__init__(
            {name: In(stream.Signature(read[name].payload.shape())) for name in self._i}
            | {name: Out(stream.Signature(written[name].payload.shape())) for name in self._o}
        )

    @property
    def inputs(self):
        return tuple(getattr(self, name) for name in self._i)

    @property
    def outputs(self):
        return tuple(getattr(self, name) for name in self._o)

    def elaborate(self, platform):
        m = Module()
        writers = {name: flipped(getattr(self, name)) for name in self._i}
        for n, (block, _, names) in enumerate(self._blocks):
            m.submodules[f"block{n}"] = block
            writers |= zip(names, block.outputs, strict=True)
        for block, names, _ in self._blocks:
            for name, port in zip(names, block.inputs, strict=True):
                connect(m, writers[name], port)
        for name in self._o:
            connect(m, writers[name], flipped(getattr(self, name)))
        return m


def predict_network(blocks: Sequence[tuple], beats: Sequence[int]) -> dict[str, Link]:
    """Cycle model of a Network, fed with ``beats[n]`` beats at input n and never stalled."""
    links = {name: Link(name) for _, i, o in blocks for name in (*i, *o)}
    feeds = [
        Block(offering([0] * count), (), (links[name],))
        for name, count in zip(edges(blocks)[0], beats, strict=True)
    ]
    between = [
        Block(params.timing(), tuple(links[n] for n in i), tuple(links[n] for n in o))
        for params, i, o in blocks
    ]
    run_blocks([*feeds, *between])
    return links


def check_network(blocks, beats, expected, *, seeds=(1, 2, 3, 4)) -> StreamsRun:
    """The network gives ``expected`` without and with stalls, in exactly the predicted cycles."""
    counts = [len(one) for one in expected]
    free = run_streams(Network(blocks), beats, counts)
    links = predict_network(blocks, [len(one) for one in beats])
    inputs, outputs = edges(blocks)
    for name, taken in zip(inputs, free.taken, strict=True):
        assert list(taken) == links[name].taken, name
    for name, given in zip(outputs, free.given, strict=True):
        assert list(given) == links[name].taken[: len(given)], name
    for seed in (0, *seeds):
        run = free if seed == 0 else run_streams(Network(blocks), beats, counts, seed=seed)
        for found, wanted in zip(run.beats, expected, strict=True):
            np.testing.assert_array_equal(found, wanted)
    return free
