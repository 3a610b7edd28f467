"""Broken hardware must be caught, at the place where it is broken; sound hardware must pass.

Each bug is in the Verilog alone. What the broken hardware must give is worked out here from the
bug, in plain NumPy, so that node, channel, row, column, expected and got are known beforehand.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hwgen.emit.verilog import to_verilog
from hwgen.errors import CheckFailed
from hwgen.lower.top import lower
from hwgen.lower.weights import array_constants
from hwgen.schedule.plan import Stage
from hwgen_rtl.fifo import QueueParams
from hwgen_rtl.numerics import IntType
from hwgen_rtl.rom import pack
from hwgen_rtl.testing import predict_stream
from hwgen_sim.units import to_beats
from tests.flow.designs import TIE, Design, Run, classifier, features, residual
from tests.flow.sabotage import (
    DriftingArgmax,
    ForgetfulSum,
    LateWindow,
    LosingArgmax,
    NarrowArray,
    RepeatingArgmax,
    SwappedArray,
    SwappedFinish,
    UnclampedRequantize,
    UnroundedRequantize,
    recast,
    recast_datapath,
)

STALLS = 7


def taps_of(x: NDArray, kernel: int, padding: int = 0, value: int = 0) -> NDArray:
    """Windows (N, OH, OW, C, k, k) at stride 1, cut out with loops."""
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    x = np.pad(x, around, constant_values=value)
    rows, columns = (size - kernel + 1 for size in x.shape[2:])
    cut = [[x[:, :, r : r + kernel, c : c + kernel] for c in range(columns)] for r in range(rows)]
    return np.array(cut).transpose(2, 0, 1, 3, 4, 5)


def convolve(x: NDArray, weight: NDArray, value: int = 0) -> NDArray:
    """3x3 convolution (N, O, H, W) with one row and column of ``value`` around the image."""
    return np.einsum("nyxcij,ocij->noyx", taps_of(x, 3, 1, value), weight)


def caught(run: Run, node: str, wrong: NDArray) -> None:
    """``node`` is the first wrong one, gives exactly ``wrong``, and the explanation says so."""
    expected, got = run.expected[node], run.result.arrays[node]
    np.testing.assert_array_equal(got, wrong)
    nodes = run.comparison.nodes_checked
    earlier = nodes[: nodes.index(node)]
    assert [run.comparison.mismatches[name] for name in earlier] == [0] * len(earlier)
    assert run.comparison.mismatches[node] == np.count_nonzero(expected != wrong) > 0

    first, told = run.comparison.first, run.explanation
    assert first is not None
    assert told is not None
    in_time = np.moveaxis(expected != wrong, 1, -1)
    image, *place, channel = (int(i[0]) for i in np.nonzero(in_time))
    index = (channel, *place)
    assert (first.node, first.image, first.index) == (node, image, index)
    assert first.expected == expected[(image, *index)]
    assert first.got == wrong[(image, *index)] != first.expected
    assert f"Node {node}, image {image}, " in str(told)
    assert f"expected {first.expected}, got {first.got}" in str(told)
    assert f"--count {image + 1} --simulator verilator" in told.command


def cycle_of(design: Design, run: Run) -> None:
    """The explained cycle is that of the beat which carries the first wrong integer."""
    first, told = run.comparison.first, run.explanation
    assert first is not None
    assert told is not None
    unit = next(unit for unit in design.plan.units if unit.name == first.node)
    channels, *size = unit.node.shape
    channel, *place = first.index
    pixel = int(np.ravel_multi_index(place, size)) if place else 0
    beat = (pixel * channels + channel) // unit.lanes
    assert told.cycle == run.result.transfers[first.node][first.image, beat]
    assert told.cycle == predicted_cycles(design, run, first.node)[first.image, beat]
    assert 0 < told.cycle < run.result.cycles
    assert f"cycle {told.cycle}." in str(told)


def predicted_cycles(design: Design, run: Run, node: str) -> NDArray:
    """(N, beats) cycle of every beat of ``node``, from the cycle model alone."""
    plan, images = design.plan, len(run.expected[node])
    beats = to_beats(run.expected[plan.graph.input.name], plan.input_lanes)
    blocks = [(u.name, stage.params) for u in plan.units for stage in u.stages]
    start = int(run.result.transfers[plan.graph.input.name][0, 0])
    links = predict_stream([params for _, params in blocks], len(beats), start=start)
    last = max(k for k, (name, _) in enumerate(blocks) if name == node)
    count = run.result.transfers[node].size
    return np.array(links[last + 1].taken[:count]).reshape(images, -1)


class TestSoundHardware:
    @pytest.mark.parametrize("make", [features, classifier])
    def test_all_integers_and_all_cycles_are_as_predicted(self, make, tmp_path: Path):
        design = make()
        run = design.run(tmp_path)
        nodes = [unit.name for unit in design.plan.units]
        assert run.comparison.total == 0
        assert run.comparison.first is run.explanation is None
        assert run.comparison.nodes_checked == tuple(nodes)
        assert run.comparison.values_compared == sum(run.expected[name].size for name in nodes)
        for name in nodes:
            cycles = predicted_cycles(design, run, name)
            np.testing.assert_array_equal(run.result.transfers[name], cycles)
        start = run.result.transfers[design.graph.input.name][0, 0]
        ends = run.result.transfers[nodes[-1]][:, -1]
        assert [*(ends - start)] == [design.plan.cycles(n + 1) for n in range(len(ends))]

    @pytest.mark.parametrize("make", [features, classifier])
    def test_stalls_change_no_integer(self, make, tmp_path: Path):
        run = make().run(tmp_path, stalls=STALLS)
        assert run.comparison.total == 0


class TestPaddedConvolution:
    """Bugs in the array, the padding and the window buffer of ``features``."""

    def weight(self) -> NDArray:
        return features().graph.tensors["conv1.weight"]

    def test_dropped_guard_bit_wraps_on_the_extreme_image_only(self, tmp_path: Path):
        design, weight, channel = features(), self.weight(), 2
        images = np.zeros_like(design.images)
        images[1, :, 1:4, 0:3] = np.where(weight[channel] > 0, 7, -8)
        largest = int(np.maximum(weight[channel] * 7, weight[channel] * -8).sum())
        narrow = IntType(largest.bit_length(), signed=True)
        broken = design.broken(
            "conv1", "array", lambda p: recast_datapath(NarrowArray, p, bits=narrow.bits)
        )
        run = broken.run(tmp_path, images=images)
        exact = convolve(images, weight)
        assert exact[1, channel, 2, 1] == largest > narrow.high
        wrapped = (exact - narrow.low) % (1 << narrow.bits) + narrow.low
        caught(run, "conv1", wrapped)
        cycle_of(design, run)
        assert run.comparison.first is not None
        assert run.comparison.first.image == 1

    def test_wrong_pad_value(self, tmp_path: Path):
        design = features()
        run = design.broken("conv1", "pad", lambda p: replace(p, value=1)).run(tmp_path)
        caught(run, "conv1", convolve(design.images, self.weight(), value=1))
        cycle_of(design, run)
        first = run.comparison.first
        assert first is not None
        assert first.index == (0, 0, 0)
        outside = np.ones((3, 3), bool)
        outside[1:, 1:] = False
        assert first.got - first.expected == self.weight()[0][:, outside].sum()
        middle = (slice(None), slice(None), slice(1, 3), slice(1, 3))
        np.testing.assert_array_equal(
            run.result.arrays["conv1"][middle], run.expected["conv1"][middle]
        )

    @pytest.mark.slow
    def test_window_one_pixel_late(self, tmp_path: Path):
        design = features()
        broken = design.broken(
            "conv1", "array", lambda p: replace(p, window=recast(LateWindow, p.window))
        )
        run = broken.run(tmp_path)
        padded = np.pad(design.images, ((0, 0), (0, 0), (1, 1), (1, 1)))
        raster = np.moveaxis(padded, 1, -1).reshape(-1, 2)
        late = np.vstack([raster[1:], [[0, 0]]]).reshape(-1, 6, 6, 2)
        wrong = np.einsum("nyxcij,ocij->noyx", taps_of(np.moveaxis(late, -1, 1), 3), self.weight())
        caught(run, "conv1", wrong)
        neighbour = run.expected["conv1"][..., 1:]
        np.testing.assert_array_equal(run.result.arrays["conv1"][..., :-1], neighbour)

    @pytest.mark.slow
    def test_stale_accumulator(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        design = features()
        monkeypatch.setattr("hwgen_rtl.array.JobSum", ForgetfulSum)
        run = replace(design, verilog=to_verilog(lower(design.plan))).run(tmp_path)
        pe = design.plan.units[0].pe
        jobs = np.moveaxis(run.expected["conv1"], 1, -1).reshape(-1, pe)
        sums = jobs.cumsum(axis=0).reshape(-1, 4, 4, 4)
        caught(run, "conv1", np.moveaxis(sums, -1, 1))
        cycle_of(design, run)
        assert run.comparison.first is not None
        assert run.comparison.first.index == (pe, 0, 0)

    @pytest.mark.slow
    def test_signed_taps_read_as_unsigned(self, tmp_path: Path):
        design = features()
        assert design.images.min() < 0
        unsigned = IntType(4, signed=False)
        broken = design.broken(
            "conv1", "array", lambda p: recast_datapath(type(p.datapath), p, x=unsigned)
        )
        run = broken.run(tmp_path)
        caught(run, "conv1", convolve(design.images & 15, self.weight()))
        cycle_of(design, run)

    @pytest.mark.slow
    def test_one_flipped_weight_bit(self, tmp_path: Path):
        design, channel, source, bit = features(), 3, 1, 5
        design_broken, sign = flip_centre_bit(design, channel, source, bit)
        run = design_broken.run(tmp_path)
        wrong = run.expected["conv1"].copy()
        wrong[:, channel] += sign * (1 << bit) * design.images[:, source]
        caught(run, "conv1", wrong)
        cycle_of(design, run)


def flip_centre_bit(design: Design, channel: int, source: int, bit: int) -> tuple[Design, int]:
    """Flip one bit of the weight in the middle of a kernel, in the text of the Verilog."""
    unit = design.plan.units[0]
    array = next(stage.params.datapath for stage in unit.stages if stage.name == "array")
    weights, _ = array_constants(design.graph, unit)
    shape = (array.folds, array.pe, array.beats, array.simd)
    rows = weights.reshape(shape).transpose(0, 2, 1, 3).reshape(-1, array.pe * array.simd)
    fold, p = divmod(channel, array.pe)
    centre = array.beats // 2
    row, place = fold * array.beats + centre, p * array.simd + source
    assert rows[row, place] == design.graph.tensors["conv1.weight"][channel, source, 1, 1]
    word = pack(rows, array.w.bits)[row]
    mask = 1 << (place * array.w.bits + bit)
    width = array.pe * array.simd * array.w.bits
    text = re.compile(rf"memory\[{row}\] = {width}'(?:d{word}|h{word:0{width // 4}x});")
    verilog, count = text.subn(f"memory[{row}] = {width}'d{word ^ mask};", design.verilog)
    assert count == 1
    return replace(design, verilog=verilog), -1 if word & mask else 1


class TestRequantize:
    """Bugs behind the accumulator of ``features``."""

    def exact(self) -> NDArray:
        """(acc*m + b) * 2**-16, before rounding and clamping, as numerator."""
        graph = features().graph
        acc = convolve(features().images, graph.tensors["conv1.weight"])
        gain, offset = graph.tensors["conv1.multiplier"], graph.tensors["conv1.offset"]
        return acc * gain.reshape(-1, 1, 1) + offset.reshape(-1, 1, 1)

    @pytest.mark.slow
    def test_missing_rounding_constant(self, tmp_path: Path):
        design = features()
        broken = design.broken("conv1_q", "affine", lambda p: recast(UnroundedRequantize, p))
        run = broken.run(tmp_path)
        caught(run, "conv1_q", np.clip(self.exact() // 65536, 0, 15))
        cycle_of(design, run)
        first = run.comparison.first
        assert first is not None
        assert first.expected - first.got == 1

    @pytest.mark.slow
    def test_missing_clamp(self, tmp_path: Path):
        design = features()
        broken = design.broken("conv1_q", "affine", lambda p: recast(UnclampedRequantize, p))
        run = broken.run(tmp_path)
        caught(run, "conv1_q", (self.exact() + 32768) // 65536 % 16)
        cycle_of(design, run)
        assert run.comparison.first is not None
        assert run.comparison.first.expected in (0, 15)


class TestClassifier:
    """Bugs in the second half of a network: ``conv1`` before them is clean."""

    def test_swapped_output_channels(self, tmp_path: Path):
        design, pair = classifier(), (2, 5)

        def swapped(stage: Stage) -> Stage:
            if stage.name == "array":
                return replace(stage, params=recast_datapath(SwappedArray, stage.params, pair=pair))
            if stage.name == "finish":
                return replace(stage, params=recast(SwappedFinish, stage.params, pair=pair))
            return stage

        run = design.with_hardware("fc", lambda stages: tuple(map(swapped, stages))).run(tmp_path)
        wrong = run.expected["fc"].copy()
        wrong[:, list(pair)] = wrong[:, list(pair[::-1])]
        caught(run, "fc", wrong)
        cycle_of(design, run)
        assert run.comparison.mismatches["conv1"] == run.comparison.mismatches["conv1_q"] == 0

    @pytest.mark.slow
    def test_argmax_of_equals_is_the_last(self, tmp_path: Path):
        design = classifier()
        larger = re.findall(r"\$signed\(i__payload\) > \$signed\(largest\)", design.verilog)
        assert len(larger) == 1
        verilog = design.verilog.replace(larger[0], larger[0].replace(">", ">="))
        run = replace(design, verilog=verilog).run(tmp_path)
        assert set(TIE[:1]) < set(run.expected["argmax"][:, 0].tolist())
        right = run.expected["argmax"]
        caught(run, "argmax", np.where(right == TIE[0], TIE[1], right))
        cycle_of(design, run)

    @pytest.mark.slow
    def test_one_register_too_many_is_seen_in_the_cycles_alone(self, tmp_path: Path):
        design = classifier()
        queue = Stage("late", QueueParams(kind=IntType(4, signed=False), lanes=1, depth=4))
        broken = design.with_hardware("conv1_q", lambda stages: (*stages, queue))
        run = broken.run(tmp_path)
        assert run.comparison.total == 0
        span = run.result.transfers["argmax"][-1, -1] - run.result.transfers["image"][0, 0]
        assert span == design.plan.cycles(len(design.images)) + 2
        assert run.result.latency_cycles == design.plan.latency + 2


class TestBackPressure:
    """Bugs that show under back-pressure alone: without stalls the hardware is right."""

    def images(self) -> NDArray:
        return np.tile(classifier().images, (5, 1, 1, 1))

    def broken(self, kind: type, folder: Path) -> Design:
        design = classifier().broken("argmax", "search", lambda p: recast(kind, p))
        run = design.run(folder, images=self.images())
        assert run.comparison.total == 0
        start = run.result.transfers["image"][0, 0]
        assert run.result.transfers["argmax"][-1, -1] - start == design.plan.cycles(20)
        return design

    def test_lost_beat_is_reported_with_the_node_that_lacks_it(self, tmp_path: Path):
        design = self.broken(LosingArgmax, tmp_path)
        with pytest.raises(CheckFailed) as caught:
            design.run(tmp_path, images=self.images(), stalls=STALLS)
        first, *states = str(caught.value).splitlines()
        assert first.startswith("The design stopped: no beat moved")
        assert [line for line in states if ", done" not in line] == states[-1:]
        got = re.search(r"argmax: (\d+) of 20 beats, .*valid 0", states[-1])
        assert got is not None
        assert 0 < int(got[1]) < 20

    @pytest.mark.slow
    def test_repeated_beat_is_reported_with_its_cycle(self, tmp_path: Path):
        design = self.broken(RepeatingArgmax, tmp_path)
        with pytest.raises(CheckFailed) as caught:
            design.run(tmp_path, images=self.images(), stalls=STALLS)
        assert re.search(
            r"argmax sent more than the 20 beats of 20 image.* cycle \d+", str(caught.value)
        )

    @pytest.mark.slow
    def test_payload_that_moves_while_its_beat_waits(self, tmp_path: Path):
        design = self.broken(DriftingArgmax, tmp_path)
        run = design.run(tmp_path, images=self.images(), stalls=STALLS)
        right, got = run.expected["argmax"], run.result.arrays["argmax"]
        moved = got != right
        assert 0 < moved.sum() < 20
        caught(run, "argmax", right + moved)
        assert run.explanation is not None
        first = int(np.argmax(moved))
        assert run.explanation.cycle == run.result.transfers["argmax"][first, 0]
        assert run.explanation.command.endswith(f"--stalls {STALLS}")


class TestBranches:
    """A branch that has too little room stops the fork which feeds both."""

    ROOM = 6 + 2 - 1
    """A row and two pixels make the first pixel of the convolution; the fork holds one of them."""

    def test_queue_that_is_too_short_is_named(self, tmp_path: Path):
        with pytest.raises(CheckFailed) as caught:
            residual().with_queues_of(self.ROOM - 1).run(tmp_path)
        first, *_, last = str(caught.value).splitlines()
        assert first.startswith("The design stopped: no beat moved")
        assert last == (
            "  To blame: the 6 beats of the queue at input 1 of add_2 (from image) are full, and"
            " add_2 waits for input 0 (from conv2d_1); that branch must be deeper."
        )

    @pytest.mark.slow
    def test_one_beat_more_is_enough(self, tmp_path: Path):
        assert residual().with_queues_of(self.ROOM).run(tmp_path).comparison.total == 0
