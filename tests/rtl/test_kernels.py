# amaranth: UnusedElaboratable=no
"""Arrays of xnor, sign and shift lanes: all inputs at small widths, and whole layers."""

import itertools
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from amaranth.back import rtlil

from hwgen_rtl.array import ArrayParams, ProcessingArray
from hwgen_rtl.finish import FinishParams
from hwgen_rtl.lanes import distances_of
from hwgen_rtl.numerics import BIPOLAR, KERNELS, Interval, IntType
from hwgen_rtl.window import WindowParams
from tests.rtl.harness import check_array, integers, to_beats

TERNARY = IntType(2, signed=True)


def values(kind):
    """Every value of a type."""
    return [-1, 1] if kind.bipolar else list(range(kind.low, kind.high + 1))


def powers(kind):
    """0 and every +-2**p of a type."""
    sizes = [0, *(1 << p for p in range(kind.bits))]
    return [v for size in sizes for v in sorted({size, -size}) if kind.low <= v <= kind.high]


#  kernel  x type     weights                                     taps
EXHAUSTIVE = [
    ("xnor", BIPOLAR, [-1, 1], BIPOLAR, [-1, 1], (1, 2, 3)),
    ("xnor", TERNARY, [-1, 0, 1], BIPOLAR, [-1, 1], (1, 2, 3)),
    *(
        ("sign", kind, values(kind), BIPOLAR, [-1, 1], simds)
        for text, simds in [("uint1", (1, 2, 3)), ("uint2", (1, 3)), ("int2", (1, 3)),
                            ("int3", (2,)), ("uint4", (1,)), ("int4", (1,)), ("int1", (1, 2))]
        for kind in [IntType.parse(text)]
    ),
    *(
        ("shift", kind, values(kind), w, powers(w), simds)
        for text, w_text, simds in [("uint2", "int3", (1, 2)), ("int3", "int4", (1, 2)),
                                    ("int2", "uint3", (1, 2)), ("uint4", "int6", (1,)),
                                    ("uint1", "int2", (1, 2, 3)), ("int4", "uint1", (1, 2))]
        for kind in [IntType.parse(text)] for w in [IntType.parse(w_text)]
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kernel", "x", "xs", "w", "ws", "simd"),
    [(*case[:-1], simd) for case in EXHAUSTIVE for simd in case[-1]],
    ids=lambda item: str(item) if isinstance(item, IntType | str | int) else "",
)
def test_processing_element_is_right_for_all_inputs(kernel, x, xs, w, ws, simd):
    """Every tuple of taps against every tuple of weights, one processing element for each."""
    taps = np.array(list(itertools.product(xs, repeat=simd)))
    weights = np.array(list(itertools.product(ws, repeat=simd)))
    bias = np.arange(len(weights)) % 5 - 2
    expected = np.array(
        [
            [b + sum(a * c for a, c in zip(tap, weight, strict=True))
             for weight, b in zip(weights.tolist(), bias.tolist(), strict=True)]
            for tap in taps.tolist()
        ]
    )  # fmt: skip
    array = ArrayParams(
        kernel=kernel, x=x, w=w, acc=Interval(int(expected.min()), int(expected.max())).type(),
        simd=simd, pe=len(weights), beats=1, folds=1,
    )  # fmt: skip
    np.testing.assert_array_equal(array.compute(taps, weights, bias), expected)
    window = WindowParams(height=1, width=1, words=1, lanes=simd, kind=x, kernel=(1, 1))
    check_array(window, array, (weights, bias), x.encode(taps), expected, seeds=(1,))


@pytest.mark.parametrize("beats", [1, 2, 3])
def test_several_beats_are_right_for_all_weights_in_memory(beats):
    """Weights of different jobs come from the memory; taps of all beats count once."""
    taps = np.array(list(itertools.product([-1, 0, 1], repeat=beats)))
    weights = np.array(list(itertools.product([-1, 1], repeat=beats)))
    array = ArrayParams(
        kernel="xnor", x=TERNARY, w=BIPOLAR, acc=IntType(4, signed=True),
        simd=1, pe=1, beats=beats, folds=len(weights),
    )  # fmt: skip
    window = WindowParams(
        height=1, width=1, words=beats, lanes=1, kind=TERNARY, kernel=(1, 1), repeats=len(weights)
    )
    expected = [sum(t * w for t, w in zip(tap, weight, strict=True)) + 1
                for tap in taps.tolist() for weight in weights.tolist()]  # fmt: skip
    arrays = (weights, np.ones(len(weights), int))
    check_array(window, array, arrays, taps.reshape(-1, 1), np.array(expected)[:, None], seeds=(1,))


def random_weights(rng, kernel, w, shape):
    if kernel != "shift":
        return rng.choice([-1, 1], shape)
    return rng.choice(powers(w), shape)


#  kernel  image  words simd kernel  stride  pe folds  x        w
LAYERS = [
    ("xnor", (5, 6), 1, 4, (3, 3), (1, 1), 2, 2, "bipolar", "bipolar"),
    ("xnor", (4, 4), 2, 9, (3, 2), (1, 2), 3, 1, "bipolar", "bipolar"),
    ("xnor", (1, 1), 2, 32, (1, 1), (1, 1), 2, 3, "bipolar", "bipolar"),
    ("xnor", (6, 5), 1, 5, (3, 3), (2, 1), 2, 2, "int2", "bipolar"),
    ("xnor", (4, 3), 2, 3, (2, 2), (1, 1), 1, 5, "int2", "bipolar"),
    ("xnor", (1, 3), 5, 2, (1, 2), (1, 1), 2, 8, "bipolar", "bipolar"),  # weights in block RAM
    ("sign", (5, 6), 1, 3, (3, 3), (1, 1), 2, 2, "uint8", "bipolar"),
    ("sign", (4, 4), 2, 2, (2, 3), (2, 1), 3, 1, "int8", "bipolar"),
    ("sign", (1, 2), 5, 2, (1, 2), (1, 1), 2, 8, "int5", "bipolar"),  # weights in block RAM
    ("shift", (5, 6), 1, 3, (3, 3), (1, 1), 2, 2, "uint8", "int8"),
    ("shift", (4, 4), 2, 2, (2, 3), (2, 1), 3, 1, "int8", "int5"),
    ("shift", (1, 2), 5, 2, (1, 2), (1, 1), 2, 8, "int5", "uint4"),  # weights in block RAM
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: "-".join(map(str, layer)))
def test_layer_equals_torch_in_the_predicted_cycles(layer):
    """Where x is int2, it is a bipolar image with a border of zeros; torch pads by itself."""
    kernel, image, words, simd, size, stride, pe, folds, x_type, w_type = layer
    rng = np.random.default_rng(5)
    x_type, w_type = IntType.parse(x_type), IntType.parse(w_type)
    channels, pad = words * simd, (1, 1) if x_type == TERNARY else (0, 0)
    shape = (3, channels, image[0] - 2 * pad[0], image[1] - 2 * pad[1])
    x = rng.choice([-1, 1], shape) if kernel == "xnor" else integers(rng, x_type, shape)
    weight = random_weights(rng, kernel, w_type, (pe * folds, channels, *size))
    bias = rng.integers(-99, 100, pe * folds)
    expected = F.conv2d(
        torch.from_numpy(x).double(), torch.from_numpy(weight).double(),
        torch.from_numpy(bias).double(), stride, pad,
    ).long().numpy()  # fmt: skip
    window = WindowParams(
        height=image[0], width=image[1], words=words, lanes=simd, kind=x_type,
        kernel=size, stride=stride, repeats=folds,
    )  # fmt: skip
    ordered = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1)
    array = ArrayParams(
        kernel=kernel, x=x_type, w=w_type, simd=simd, pe=pe, beats=window.beats_per_job,
        folds=folds, acc=Interval(int(expected.min()), int(expected.max())).type(),
        distances=distances_of(ordered) if kernel == "shift" else (),
    )  # fmt: skip
    beats = to_beats(np.pad(x_type.encode(x), ((0, 0), (0, 0), pad[:1] * 2, pad[1:] * 2)), simd)
    check_array(window, array, (ordered, bias), beats, to_beats(expected, pe))


@pytest.mark.parametrize(
    "distances",
    [(0,), (3,), (0, 1), (0, 2, 4, 6), (1, 2, 7), (0, 1, 2, 3, 4), (0, 1, 3, 7), (2, 9, 10)],
)
@pytest.mark.parametrize("x", ["uint3", "int3"])
def test_barrel_over_the_distances_that_occur(distances, x):
    """Contiguous, regular and irregular sets; an array of each has just the lanes it needs."""
    x = IntType.parse(x)
    weights = np.array([0, *(s << p for p in distances for s in (1, -1))])[:, None]
    taps = np.array(values(x))[:, None]
    expected = np.outer(taps, weights)
    array = ArrayParams(
        kernel="shift", x=x, w=IntType(12, signed=True), simd=1, pe=len(weights), beats=1,
        folds=1, acc=IntType(15, signed=True), distances=distances,
    )  # fmt: skip
    assert distances_of(weights) == distances
    assert array.lane.bits == max(distances) + 3 + (not x.signed)
    window = WindowParams(height=1, width=1, words=1, lanes=1, kind=x, kernel=(1, 1))
    check_array(window, array, (weights, np.zeros(len(weights), int)), taps, expected, seeds=())


def array_params(**changes):
    given = dict(kernel="xnor", x=BIPOLAR, w=BIPOLAR, acc=IntType(8, signed=True),
                 simd=2, pe=1, beats=1, folds=1)  # fmt: skip
    return ArrayParams(**(given | changes))


INT8 = IntType(8, signed=True)


@pytest.mark.parametrize(
    ("changes", "bits"),
    [
        ({}, 1),
        ({"kernel": "sign", "x": INT8}, 1),
        ({"kernel": "multiply", "x": INT8, "w": INT8}, 8),
        ({"kernel": "shift", "x": INT8, "w": INT8}, 5),
        ({"kernel": "shift", "x": INT8, "w": INT8, "distances": (1, 5)}, 3),
        ({"kernel": "shift", "x": INT8, "w": INT8, "distances": (4,)}, 2),
    ],
)
def test_bits_of_a_weight_in_memory(changes, bits):
    assert array_params(**changes).weight_bits == bits


@pytest.mark.parametrize(
    ("changes", "lane"),
    [
        ({"kernel": "sign", "x": INT8}, "int8"),
        ({"kernel": "sign", "x": IntType(8, signed=False)}, "int9"),
        ({"kernel": "shift", "x": INT8, "w": INT8}, "int15"),
        ({}, "uint1"),
    ],
)
def test_lanes_are_no_wider_than_their_values(changes, lane):
    assert str(array_params(**changes).lane) == lane


@pytest.mark.parametrize(
    ("changes", "latency"),
    [  # fetch + lane + tree + accumulate
        ({"simd": 1}, 1 + 1 + 0 + 1),
        ({"simd": 64}, 1 + 1 + 6 + 1),
        ({"simd": 64, "x": TERNARY}, 1 + 1 + 6 + 1),
        ({"simd": 9, "folds": 65}, 2 + 1 + 2 + 1),
        ({"simd": 9, "kernel": "sign", "x": INT8}, 1 + 1 + 4 + 1),
        ({"simd": 8, "kernel": "multiply", "x": INT8, "w": INT8}, 1 + 1 + 3 + 1),
        ({"simd": 8, "kernel": "adder", "x": INT8, "w": INT8}, 1 + 1 + 3 + 1),
    ],
)
def test_latency(changes, latency):
    assert array_params(**changes).latency == latency


@pytest.mark.parametrize(
    ("changes", "latency"),
    [  # fetch (+ add what is shared) + add the sum
        ({"pe": 4}, 1 + 1),
        ({"pe": 4, "x": TERNARY}, 1 + 1 + 1),
        ({"pe": 4, "kernel": "adder", "x": INT8, "w": INT8}, 1 + 1 + 1),
        ({"pe": 4, "folds": 20}, 2 + 1),
        ({"pe": 4, "folds": 20, "kernel": "adder", "x": INT8, "w": INT8}, 2 + 1 + 1),
    ],
)
def test_latency_behind_the_array(changes, latency):
    assert FinishParams(array=array_params(**changes), lanes=1).latency == latency


@pytest.mark.parametrize("kernel", sorted(KERNELS))
def test_conversion_leaves_the_component_as_it_was(kernel):
    x = BIPOLAR if kernel == "xnor" else INT8
    w = BIPOLAR if kernel in ("xnor", "sign") else INT8
    params = array_params(kernel=kernel, x=x, w=w, folds=2)
    array = params.create(np.array([[1, -1], [-1, -1]]))
    first = rtlil.convert(array, emit_src=False)
    assert rtlil.convert(array, emit_src=False) == first


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"x": INT8}, "x must be bipolar or int2 for 'xnor', not int8"),
        ({"w": INT8}, "w must be bipolar for 'xnor', not int8"),
        ({"kernel": "sign"}, "x must be an integer type for this kernel, not bipolar"),
        ({"kernel": "sign", "x": INT8, "w": INT8}, "w must be bipolar for 'sign', not int8"),
        (
            {"kernel": "multiply", "x": INT8},
            "w must be an integer type for this kernel, not bipolar",
        ),
        ({"kernel": "adder"}, "x must be an integer type for this kernel, not bipolar"),
        (
            {"kernel": "shift", "x": INT8, "w": INT8, "distances": (2, 1)},
            "distances must ascend from 0 or more, not (2, 1)",
        ),
        ({"distances": (1,)}, "distances must be () for 'xnor', not (1,)"),
    ],
)
def test_refuses_parameters(changes, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        array_params(**changes)


@pytest.mark.parametrize(
    ("changes", "weights", "sentence"),
    [
        ({}, [[1, 0]], "weights must fit bipolar, not 0..1"),
        (
            {"kernel": "shift", "x": INT8, "w": INT8},
            [[4, -3]],
            "weights must be 0 or +-2**p with p in [0, 1, 2, 3, 4, 5, 6, 7], not 3",
        ),
        (
            {"kernel": "shift", "x": INT8, "w": INT8, "distances": (2, 4)},
            [[4, -8]],
            "weights must be 0 or +-2**p with p in [2, 4], not 8",
        ),
    ],
)
def test_refuses_weights(changes, weights, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        ProcessingArray(array_params(**changes), np.array(weights))
