# amaranth: UnusedElaboratable=no
"""Pixel shuffle and nearest upsampling of the band buffer, against torch's own operators."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from hwgen_rtl.band import BandParams
from hwgen_rtl.cycles import Block, Link, offering, run_blocks
from hwgen_rtl.numerics import BIPOLAR, IntType
from hwgen_rtl.pad import PadParams
from hwgen_rtl.testing import predict_stream, run_stream
from tests.rtl.harness import check_block, integers, to_beats

INT8 = IntType(8, signed=True)


def enlarged(x, params):
    """What torch makes of an image (N, C, H, W), cropped."""
    x = torch.from_numpy(x).double()
    if params.shuffle:
        y = F.pixel_shuffle(x, params.factor)
    else:
        y = F.interpolate(x, scale_factor=params.factor, mode="nearest")
    return y.long().numpy()[:, :, : params.output[0], : params.output[1]]


#  size    words lanes kind    factor shuffle crop
BANDS = [
    ((3, 4), 2, 3, "int8", 2, True, (0, 0)),
    ((3, 4), 2, 3, "int8", 2, True, (1, 1)),
    ((2, 3), 3, 1, "uint5", 2, True, (0, 1)),
    ((3, 2), 1, 2, "uint8", 2, True, (1, 0)),
    ((2, 2), 2, 2, "int3", 3, True, (2, 1)),
    ((1, 1), 1, 1, "uint1", 4, True, (3, 3)),
    ((1, 1), 1, 1, "int8", 2, True, (0, 0)),
    ((3, 2), 2, 2, "int8", 1, True, (0, 0)),
    ((3, 4), 2, 3, "int8", 2, False, (0, 0)),
    ((2, 5), 1, 2, "uint8", 3, False, (1, 2)),
    ((4, 1), 5, 1, "int16", 2, False, (1, 1)),
    ((2, 3), 1, 1, "uint8", 1, False, (0, 0)),
    ((2, 20), 3, 4, "int12", 2, True, (1, 1)),  # block RAM
]


def band_params(case):
    (height, width), words, lanes, kind, factor, shuffle, crop = case
    return BandParams(
        height=height, width=width, words=words, lanes=lanes, kind=IntType.parse(kind),
        factor=factor, shuffle=shuffle, crop=crop,
    )  # fmt: skip


@pytest.mark.parametrize("case", BANDS, ids=lambda case: "-".join(map(str, case)))
def test_band_equals_torch_in_the_predicted_cycles(case):
    params = band_params(case)
    channels = params.words * params.i_lanes
    x = integers(np.random.default_rng(5), params.kind, (4, channels, params.height, params.width))
    beats = to_beats(x, params.i_lanes)
    check_block(params, (), beats, to_beats(enlarged(x, params), params.lanes), seeds=range(1, 6))


@pytest.mark.parametrize("case", BANDS, ids=lambda case: "-".join(map(str, case)))
def test_one_word_a_cycle_without_bubbles(case):
    """From the first word on, between pixels, rows and images, where a whole row grows enough."""
    params = band_params(case)
    x = np.zeros((5 * params.height * params.band, params.i_lanes), int)
    given = run_stream(params.create(), x, 5 * params.interval).given
    if all(params.factor - cut >= 2 for cut in params.crop):
        assert given == tuple(range(2, 2 + 5 * params.interval))
    else:
        assert given[-1] - given[0] >= 5 * params.interval - 1


@pytest.mark.parametrize("shuffle", [True, False])
def test_an_even_source_of_the_same_rate_never_waits(shuffle):
    """One word every four cycles gives, from the second row on, one word every cycle."""
    params = band_params(((4, 6), 3, 2, "int8", 2, shuffle, (0, 0)))
    i, o = Link("i"), Link("o")
    every_fourth_cycle = [*range(0, 16 * params.height * params.band, 4)]
    feed = Block(offering(every_fourth_cycle), (), (i,))
    run_blocks([feed, Block(params.timing(), (i,), (o,))])
    assert i.taken == every_fourth_cycle
    times = o.taken
    assert times[-1] - times[params.interval] == 3 * params.interval - 1


def test_a_stalled_output_stops_the_input_when_two_rows_are_held():
    params = band_params(((3, 4), 1, 1, "int8", 2, True, (0, 0)))
    block, taken = params.create(), []
    with pytest.raises(TimeoutError):
        never_ready(block, np.zeros((24, 4), int), taken)
    # one place is free again only after a word's last reading
    assert len(taken) == params.depth == 8


def never_ready(block, beats, taken):
    """Offer ``beats`` and take nothing; notes the cycles of the transfers."""
    from amaranth.sim import Simulator

    async def bench(ctx):
        for cycle in range(200):
            ctx.set(block.i.valid, len(taken) < len(beats))
            if ctx.get(block.i.valid & block.i.ready):
                taken.append(cycle)
            await ctx.tick()
        raise TimeoutError

    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def test_bipolar_elements_are_bits():
    params = band_params(((2, 2), 1, 1, "bipolar", 2, True, (0, 0)))
    x = np.random.default_rng(0).choice([-1, 1], (2, 4, 2, 2))
    expected = BIPOLAR.encode(enlarged(x, params))
    check_block(params, (), to_beats(BIPOLAR.encode(x), 4), to_beats(expected, 1))


@pytest.mark.parametrize("padding", [(0, 0), (1, 0), (1, 2)])
@pytest.mark.parametrize("extra", [(1, 0), (0, 1), (1, 1), (2, 3)])
def test_pad_adds_extra_rows_and_columns_at_the_end(padding, extra):
    x = integers(np.random.default_rng(0), INT8, (3, 4, 3, 2))
    params = PadParams(
        height=3, width=2, words=2, lanes=2, kind=INT8, padding=padding, value=7, extra=extra
    )
    around = [(before, before + more) for before, more in zip(padding, extra, strict=True)]
    expected = to_beats(np.pad(x, [(0, 0), (0, 0), *around], constant_values=7), 2)
    free = run_stream(params.create(), to_beats(x, 2), len(expected))
    np.testing.assert_array_equal(free.beats, expected)
    assert list(free.taken) == predict_stream([params], len(x) * 12)[0].taken


@pytest.mark.parametrize("padding", [(0, 0), (1, 0), (0, 1), (2, 1)])
@pytest.mark.parametrize("extra", [(0, 0), (1, 0), (0, 1), (2, 3)])
def test_the_longest_run_of_padding_is_counted(padding, extra):
    params = PadParams(height=2, width=3, words=2, lanes=1, kind=INT8, padding=padding, extra=extra)
    runs, run = [0], 0
    for inside in [*params.inside()] * 2:
        run = 0 if inside else run + 1
        runs.append(run)
    assert params.longest_run == max(runs)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"factor": 0}, "factor must be at least 1, not 0"),
        ({"words": 0}, "words must be at least 1, not 0"),
        ({"crop": (0, 2)}, "crop must be less than factor 2, not (0, 2)"),
        ({"crop": (-1, 0)}, "crop must be less than factor 2, not (-1, 0)"),
    ],
)
def test_refuses_parameters(changes, sentence):
    given = dict(height=1, width=1, words=1, lanes=1, kind=INT8, factor=2, shuffle=True)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        BandParams(**(given | changes))
