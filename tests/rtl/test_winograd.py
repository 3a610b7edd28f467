# amaranth: UnusedElaboratable=no
"""The Winograd adder layer: definition, blocks, and the chain of them in the predicted cycles."""

import re
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from hwgen.lower.top import Chain
from hwgen_rtl.numerics import BIPOLAR, Interval, IntType
from hwgen_rtl.pad import PadParams
from hwgen_rtl.testing import predict_stream, run_stream
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_rtl.winograd import (
    INPUT_TRANSFORM,
    OUTPUT_TRANSFORMS,
    direct_additions,
    output_bounds,
    tile_grid,
    tile_interval,
    winograd_adder,
    winograd_additions,
)
from hwgen_rtl.winograd_array import WinogradArray, WinogradArrayParams
from hwgen_rtl.winograd_input import InputTransformParams
from hwgen_rtl.winograd_stages import winograd_stages
from tests.rtl.harness import check_block, integers, to_beats

INT8, UINT8 = IntType(8, signed=True), IntType(8, signed=False)
G = np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]])
"""Twice the weight transform of F(2x2, 3x3)."""


def v_of(d):
    """B' d B of one tile, element by element."""
    rows = [
        [d[0][b] - d[2][b] for b in range(4)],
        [d[1][b] + d[2][b] for b in range(4)],
        [d[2][b] - d[1][b] for b in range(4)],
        [d[1][b] - d[3][b] for b in range(4)],
    ]
    return [[r[0] - r[2], r[1] + r[2], r[2] - r[1], r[1] - r[3]] for r in rows]


def y_of(m, variant):
    """A' M A of one tile: Y[u][v] = sum of +-M[i][j] over the 9 that it sees."""
    signs = {0: ("-++.", ".+-+"), 1: ("++-.", ".++-"), 2: ("+--.", ".-+-"), 3: ("--+.", ".--+")}
    sign = {"+": 1, "-": -1, ".": 0}
    a = signs[variant]
    return [[sum(sign[a[u][i]] * sign[a[v][j]] * m[i][j] for i, j in product(range(4), repeat=2))
             for v in range(2)] for u in range(2)]  # fmt: skip


def layer_by_tiles(x, weight, padding, variant):
    """The layer in plain Python integers, tile by tile."""
    (images, channels), outputs = x.shape[:2], len(weight)
    grid = tile_grid(x.shape[2:], padding)
    height, width = grid.output
    padded = np.zeros((images, channels, 2 * grid.tiles[0] + 2, 2 * grid.tiles[1] + 2), int)
    inner = padded[:, :, padding[0] :, padding[1] :]
    inner[:, :, : x.shape[2], : x.shape[3]] = x
    y = np.zeros((images, outputs, 2 * grid.tiles[0], 2 * grid.tiles[1]), int)
    for n, row, column in product(range(images), range(grid.tiles[0]), range(grid.tiles[1])):
        tile = padded[n, :, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4].tolist()
        v = [v_of(d) for d in tile]
        for o, kernel in enumerate(weight.tolist()):
            m = [[-sum(abs(kernel[c][i][j] - v[c][i][j]) for c in range(channels))
                  for j in range(4)] for i in range(4)]  # fmt: skip
            y[n, o, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = y_of(m, variant)
    return y[:, :, :height, :width]


class TestDefinition:
    @pytest.mark.parametrize("variant", range(4))
    @pytest.mark.parametrize("padding", [(0, 0), (1, 1), (1, 0)])
    @pytest.mark.parametrize("size", [(4, 4), (5, 4), (6, 7), (3, 3)])
    def test_equals_plain_loops(self, size, padding, variant):
        rng = np.random.default_rng(variant)
        x, weight = integers(rng, INT8, (2, 3, *size)), rng.integers(-400, 400, (2, 3, 4, 4))
        expected = layer_by_tiles(x, weight, padding, variant)
        assert expected.shape == (2, 2, size[0] + 2 * padding[0] - 2, size[1] + 2 * padding[1] - 2)
        np.testing.assert_array_equal(winograd_adder(x, weight, padding, variant), expected)

    @pytest.mark.parametrize("output", OUTPUT_TRANSFORMS)
    def test_with_products_it_would_be_a_convolution(self, output):
        """The transforms are those of Winograd: with the weights' rows signed as A's."""
        rng = np.random.default_rng(0)
        d, g = rng.integers(-9, 9, (4, 4)), rng.integers(-9, 9, (3, 3))
        plain = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])
        signs = np.where((output * plain).sum(axis=0) < 0, -1, 1)
        spread = signs[:, None] * G
        products = (spread @ g @ spread.T) * (INPUT_TRANSFORM @ d @ INPUT_TRANSFORM.T)
        y = output @ products @ output.T / 4
        window = torch.from_numpy(d).double()[None, None]
        expected = F.conv2d(window, torch.from_numpy(g).double()[None, None])
        np.testing.assert_array_equal(y, expected[0, 0].numpy())

    def test_every_output_has_five_plus_and_four_minus_terms(self):
        for output in OUTPUT_TRANSFORMS:
            spread = np.kron(output, output)
            assert [(row > 0).sum() for row in spread] == [5] * 4
            assert [(row < 0).sum() for row in spread] == [4] * 4

    def test_refuses_images_without_output(self):
        with pytest.raises(ValueError, match=r"^size must be at least 3 x 3 with padding, not"):
            tile_grid((2, 5), (0, 0))


class TestIntervals:
    @pytest.mark.parametrize(("x", "v"), [("int8", "int10"), ("uint8", "int11"), ("uint1", "int4")])
    def test_type_of_the_transformed_tile(self, x, v):
        assert str(tile_interval(Interval.of(IntType.parse(x))).type()) == v

    @pytest.mark.parametrize(("low", "high"), [(-1, 1), (0, 1), (-2, 1), (2, 3)])
    def test_both_ends_are_reached_and_never_passed(self, low, high):
        """Rows of B' on all columns of the ends and 0, then on what these columns can become."""
        columns = INPUT_TRANSFORM @ np.array(list(product([low, high, 0], repeat=4))).T
        found = []
        for once in columns:
            twice = INPUT_TRANSFORM @ np.array(list(product([once.min(), once.max()], repeat=4))).T
            found += [twice.min(), twice.max()]
        interval = tile_interval(Interval(low, high))
        assert (interval.low, interval.high) == (min(found), max(found))

    @pytest.mark.parametrize("variant", range(4))
    def test_sums_stay_inside(self, variant):
        """All 2^16 tiles of one channel with pixels 0 and 1."""
        weight = np.random.default_rng(variant).integers(-3, 5, (2, 1, 4, 4))
        bits = np.array(list(product([0, 1], repeat=16)))
        y = winograd_adder(bits.reshape(-1, 1, 4, 4), weight, (0, 0), variant)
        _, bound = output_bounds(Interval(0, 1), weight, variant)
        assert bound.low <= y.min() <= y.max() <= bound.high
        assert y.max() - y.min() > (bound.high - bound.low) / 3

    def test_sum_of_distances(self):
        weight = np.zeros((1, 1, 4, 4), int)
        weight[0, 0, 1, 1] = 7  # V there is 0..4
        distances, _ = output_bounds(Interval(0, 1), weight, 0)
        assert distances == Interval(-7, 0)


class TestAdditions:
    @pytest.mark.parametrize(("channels", "ratio"), [(16, 0.493), (64, 0.457), (256, 0.447)])
    def test_ratio_to_the_direct_layer(self, channels, ratio):
        winograd = winograd_additions(channels, channels, 1)
        assert round(winograd.total / direct_additions(channels, channels, 4), 3) == ratio

    def test_one_tile(self):
        assert winograd_additions(1, 1, 1) == (32, 32, 24)
        assert direct_additions(1, 1, 4) == 72


@pytest.mark.parametrize("lanes", [1, 3])
@pytest.mark.parametrize("kind", ["int8", "uint8", "uint1", "int2"])
def test_input_transform_equals_its_formula(kind, lanes):
    kind = IntType.parse(kind)
    x = integers(np.random.default_rng(0), kind, (3, 2 * lanes, 4, 6), extremes=0.5)
    transform = InputTransformParams(x=kind, lanes=lanes)
    window = WindowParams(
        height=1, width=6, words=2, lanes=4 * lanes, kind=kind, kernel=(1, 4), stride=(1, 2),
        per_word=True,
    )  # fmt: skip
    # beats: column after column, words of channels, rows, lanes
    beats = x.reshape(3, 2, lanes, 4, 6).transpose(0, 4, 1, 3, 2).reshape(-1, 4 * lanes)
    expected = [
        [v_of(image[word * lanes + lane, :, left : left + 4].tolist()) for lane in range(lanes)]
        for image in x
        for left in (0, 2)
        for word in range(2)
    ]
    expected = np.array(expected).transpose(0, 2, 3, 1).reshape(-1, 16 * lanes)
    assert transform.v.holds(expected)
    check_block(WindowedParams(window=window, datapath=transform), (), beats, expected)
    np.testing.assert_array_equal(
        transform.compute(x[:, :, :, :4])[0, 0], v_of(x[0, 0, :, :4].tolist())
    )


#  lanes pe beats folds v      w      variant
ARRAYS = [
    (1, 1, 1, 1, "int4", "int4", 0),
    (2, 2, 3, 2, "int10", "int8", 1),
    (3, 1, 2, 4, "int10", "int12", 2),
    (1, 3, 5, 1, "int5", "int3", 3),
    (4, 1, 1, 3, "int11", "int9", 1),
    (1, 1, 10, 7, "int6", "int6", 0),  # weights in block RAM
    (1, 1, 1, 66, "int6", "int6", 1),  # constants too
]


@pytest.mark.parametrize("case", ARRAYS, ids=lambda case: "-".join(map(str, case)))
def test_array_equals_its_formula(case):
    lanes, pe, beats, folds, v_type, w_type, variant = case
    rng = np.random.default_rng(3)
    v_type, w_type = IntType.parse(v_type), IntType.parse(w_type)
    v = integers(rng, v_type, (5, beats * lanes, 4, 4))
    weight = integers(rng, w_type, (folds * pe, beats * lanes, 4, 4))
    m = -np.abs(weight[None] - v[:, None]).sum(axis=2)
    expected = np.array([[y_of(one, variant) for one in tile] for tile in m.tolist()])
    params = WinogradArrayParams(
        v=v_type, w=w_type, acc=Interval(int(expected.min()), int(expected.max())).type(),
        lanes=lanes, pe=pe, beats=beats, folds=folds, variant=variant,
    )  # fmt: skip
    np.testing.assert_array_equal(params.compute(v, weight), expected)
    window = WindowParams(
        height=1, width=5, words=beats, lanes=16 * lanes, kind=v_type, kernel=(1, 1), repeats=folds
    )
    words = v.reshape(5, beats, lanes, 16).transpose(0, 1, 3, 2).reshape(-1, 16 * lanes)
    check_block(
        WindowedParams(window=window, datapath=params),
        (weight,), words, expected.reshape(-1, 4 * pe),
    )  # fmt: skip


def test_one_distance_is_right_for_all_inputs():
    """Every pair of a 3-bit V and weight, at the element that only Y[0][0] sees."""
    kind = IntType(3, signed=True)
    values = np.arange(kind.low, kind.high + 1)
    weight, v = np.zeros((8, 1, 4, 4), int), np.zeros((8, 1, 4, 4), int)
    weight[:, 0, 0, 0] = v[:, 0, 0, 0] = values
    expected = np.zeros((8, 8, 4), int)
    expected[:, :, 0] = -np.abs(values[:, None] - values)
    params = WinogradArrayParams(
        v=kind, w=kind, acc=IntType(4, signed=True), lanes=1, pe=8, beats=1, folds=1
    )
    window = WindowParams(height=1, width=8, words=1, lanes=16, kind=kind, kernel=(1, 1))
    block = WindowedParams(window=window, datapath=params)
    check_block(block, (weight,), v.reshape(8, 16), expected.reshape(8, 32))


#  size    channels outputs lanes pe padding x       w      variant
CHAINS = [
    ((4, 4), 1, 1, 1, 1, (0, 0), "int8", "int10", 0),
    ((6, 4), 2, 4, 1, 1, (1, 1), "uint8", "int8", 1),
    ((5, 5), 2, 4, 2, 2, (1, 1), "uint8", "int11", 2),
    ((5, 6), 4, 6, 2, 3, (0, 0), "int4", "int6", 3),
    ((6, 7), 4, 4, 1, 1, (1, 1), "uint4", "int6", 0),
    ((3, 3), 3, 2, 3, 2, (0, 0), "uint3", "int4", 1),
    ((7, 3), 2, 2, 1, 2, (1, 0), "int8", "int8", 0),
    ((4, 7), 6, 8, 1, 1, (0, 1), "uint1", "int3", 1),
    ((8, 8), 4, 4, 1, 1, (1, 1), "uint8", "int8", 3),
    ((8, 8), 8, 2, 2, 2, (1, 1), "uint8", "int8", 2),
    ((4, 6), 8, 16, 2, 1, (1, 1), "uint8", "int8", 0),
]


def chain_of(case, slack=1.0):
    """The layer, its arrays and its blocks behind the padding that it needs."""
    size, channels, outputs, lanes, pe, padding, x_type, w_type, variant = case
    rng = np.random.default_rng(11)
    x_type, w_type = IntType.parse(x_type), IntType.parse(w_type)
    x = integers(rng, x_type, (3, channels, *size))
    weight = integers(rng, w_type, (outputs, channels, 4, 4))
    acc = output_bounds(Interval.of(x_type), weight, variant)[1].type()
    stages = winograd_stages(
        channels=channels, outputs=outputs, size=size, padding=padding, x=x_type, w=w_type,
        acc=acc, lanes=lanes, pe=pe, variant=variant, slack=slack,
    )  # fmt: skip
    extra = tile_grid(size, padding).extra
    if any(padding + extra):
        pad = PadParams(
            height=size[0], width=size[1], words=channels // lanes, lanes=lanes, kind=x_type,
            padding=padding, extra=extra,
        )  # fmt: skip
        stages.insert(0, ("pad", pad))
    return x, weight, dict(stages)


def build(blocks, weight):
    """Hardware of a chain."""
    parts = [
        (name, params.create(*[weight] * (name == "array"))) for name, params in blocks.items()
    ]
    return Chain(parts)


@pytest.mark.parametrize("case", CHAINS, ids=lambda case: "-".join(map(str, case)))
def test_chain_equals_the_definition_in_the_predicted_cycles(case):
    x, weight, blocks = chain_of(case)
    y = layer_by_tiles(x, weight, case[5], case[8])
    expected, beats = to_beats(y, case[4]), to_beats(x, case[3])
    free = run_stream(build(blocks, weight), beats, len(expected))
    np.testing.assert_array_equal(free.beats, expected)
    links = predict_stream([*blocks.values()], len(beats))
    assert list(free.taken) == links[0].taken
    assert list(free.given) == links[-1].taken
    for seed in (1, 2):
        stalled = run_stream(build(blocks, weight), beats, len(expected), seed=seed)
        np.testing.assert_array_equal(stalled.beats, expected)


def interval_of(case, slack):
    """Cycles between the ends of the last two of eight images."""
    x, _, blocks = chain_of(case, slack)
    per_image = blocks["pixels"].interval
    taken = predict_stream([*blocks.values()], 8 * x[0].size // case[3])[-1].taken
    ends = taken[per_image - 1 :: per_image]
    assert len(ends) == 8
    return ends[-1] - ends[-2], max(params.interval for params in blocks.values())


@pytest.mark.parametrize("case", CHAINS, ids=lambda case: "-".join(map(str, case)))
def test_images_follow_each_other_at_the_slowest_blocks_interval(case):
    found, slowest = interval_of(case, slack=1)
    assert found == slowest


#  outputs lanes pe  what limits it, and cycles per 28x28 image of 4 channels
LIMITS = [
    (4, 1, 1, 30 * 30 * 4),  # input words
    (8, 1, 1, 8 * 4 * 14 * 14),  # array
    (4, 4, 1, 4 * 28 * 28),  # output words
]


@pytest.mark.parametrize(("outputs", "lanes", "pe", "cycles"), LIMITS)
def test_room_for_columns_keeps_the_array_at_work(outputs, lanes, pe, cycles):
    case = ((28, 28), 4, outputs, lanes, pe, (1, 1), "uint8", "int8", 0)
    assert interval_of(case, slack=1) == (cycles, cycles)
    if lanes == 1:
        assert interval_of(case, slack=0)[0] > cycles


def array_params(**changes):
    given = dict(v=INT8, w=INT8, acc=INT8, lanes=1, pe=1, beats=1, folds=1)
    return WinogradArrayParams(**(given | changes))


def stages(**changes):
    given = dict(
        channels=4, outputs=6, size=(6, 6), padding=(0, 0), x=UINT8, w=INT8, acc=INT8, lanes=2, pe=2
    )
    return winograd_stages(**(given | changes))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: array_params(pe=0), "pe must be at least 1, not 0"),
        (lambda: array_params(variant=4), "variant must be 0 to 3, not 4"),
        (
            lambda: WinogradArray(array_params(), np.zeros((1, 2, 4, 4), int)),
            "weights must be shaped (1, 1, 4, 4), not (1, 2, 4, 4)",
        ),
        (
            lambda: WinogradArray(array_params(), np.full((1, 1, 4, 4), 128)),
            "weights must fit int8, not 128..128",
        ),
        (
            lambda: InputTransformParams(x=BIPOLAR, lanes=1),
            "x must hold 0, the value of a padded tap, not 'bipolar'",
        ),
        (lambda: InputTransformParams(x=INT8, lanes=0), "lanes must be at least 1, not 0"),
        (lambda: stages(lanes=3), "lanes must divide 4, not 3"),
        (lambda: stages(pe=4), "pe must divide 6, not 4"),
    ],
)
def test_refuses_parameters(make, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        make()
