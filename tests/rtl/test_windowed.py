# amaranth: UnusedElaboratable=no
"""Window buffer with an array or a pool behind it, against torch's own operators."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from hwgen_rtl.array import ArrayParams, ProcessingArray
from hwgen_rtl.drain import DrainParams
from hwgen_rtl.finish import FinishParams
from hwgen_rtl.numerics import KERNELS, Interval, IntType, bits_for_sum
from hwgen_rtl.pool import PoolParams
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from tests.rtl.harness import check_array, check_block, integers, to_beats


def torch_layer(kernel, x, weight, stride):
    """Convolution or negative l1 distance of every window, in float64 (exact here)."""
    x, weight = torch.from_numpy(x).double(), torch.from_numpy(weight).double()
    if kernel == "multiply":
        return F.conv2d(x, weight, stride=stride).long().numpy()
    rows = (x.shape[2] - weight.shape[2]) // stride[0] + 1
    columns = F.unfold(x, weight.shape[2:], stride=stride).transpose(1, 2)
    distance = torch.cdist(columns, weight.flatten(1)[None], p=1)
    return -distance.transpose(1, 2).reshape(len(x), len(weight), rows, -1).long().numpy()


#  kernel     image  words simd kernel  stride  pe folds  x       w
LAYERS = [
    ("multiply", (5, 6), 1, 1, (3, 3), (1, 1), 2, 1, "int8", "int8"),
    ("multiply", (7, 7), 1, 2, (3, 3), (2, 2), 2, 2, "uint8", "int8"),
    ("multiply", (6, 8), 1, 5, (1, 5), (1, 1), 3, 1, "uint8", "int4"),
    ("multiply", (3, 3), 2, 3, (3, 3), (1, 1), 1, 4, "int5", "int3"),
    ("adder", (5, 6), 2, 3, (3, 2), (1, 2), 2, 2, "uint8", "uint8"),
    ("adder", (4, 4), 1, 3, (4, 4), (1, 1), 1, 5, "int8", "int8"),
    ("adder", (1, 1), 4, 3, (1, 1), (1, 1), 3, 2, "uint8", "uint8"),
    ("adder", (3, 3), 1, 4, (1, 1), (1, 1), 3, 1, "uint3", "uint3"),
    ("adder", (6, 5), 3, 1, (2, 3), (3, 1), 2, 3, "uint4", "int6"),
    ("adder", (2, 9), 1, 7, (2, 2), (1, 3), 1, 1, "uint16", "uint16"),
    ("adder", (4, 3), 1, 1, (1, 1), (2, 2), 1, 1, "uint1", "uint1"),
    ("adder", (1, 2), 5, 2, (1, 2), (1, 1), 2, 8, "uint8", "uint8"),  # weights in block RAM
    ("multiply", (1, 1), 9, 2, (1, 1), (1, 1), 1, 66, "int8", "int8"),  # constants too
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: "-".join(map(str, layer)))
def test_array_equals_torch_in_the_predicted_cycles(layer):
    kernel, image, words, simd, size, stride, pe, folds, x_type, w_type = layer
    rng = np.random.default_rng(7)
    x_type, w_type = IntType.parse(x_type), IntType.parse(w_type)
    x = integers(rng, x_type, (3, words * simd, *image))
    weight = integers(rng, w_type, (pe * folds, words * simd, *size))
    bias = rng.integers(-99, 100, pe * folds)
    expected = torch_layer(kernel, x, weight, stride) + bias[:, None, None]
    window = WindowParams(
        height=image[0], width=image[1], words=words, lanes=simd, kind=x_type,
        kernel=size, stride=stride, repeats=folds,
    )  # fmt: skip
    array = ArrayParams(
        kernel=kernel, x=x_type, w=w_type, simd=simd, pe=pe, beats=window.beats_per_job,
        folds=folds, acc=Interval(int(expected.min()), int(expected.max())).type(),
    )  # fmt: skip
    ordered = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1)
    check_array(window, array, (ordered, bias), to_beats(x, simd), to_beats(expected, pe))


@pytest.mark.parametrize("operation", ["max", "sum"])
@pytest.mark.parametrize(
    ("image", "words", "lanes", "size", "stride", "kind"),
    [
        ((4, 4), 1, 2, (2, 2), (2, 2), "uint8"),
        ((5, 5), 2, 1, (2, 2), (2, 2), "int8"),
        ((5, 4), 3, 2, (3, 2), (1, 2), "int4"),
        ((3, 3), 1, 3, (3, 3), (1, 1), "uint16"),
    ],
)
def test_pool_equals_torch_in_the_predicted_cycles(
    operation, image, words, lanes, size, stride, kind
):
    kind = IntType.parse(kind)
    x = integers(np.random.default_rng(3), kind, (3, words * lanes, *image))
    pool = F.max_pool2d if operation == "max" else F.avg_pool2d
    expected = pool(torch.from_numpy(x).double(), size, stride)
    if operation == "sum":
        expected = (expected * size[0] * size[1]).round()
    window = WindowParams(
        height=image[0], width=image[1], words=words, lanes=lanes, kind=kind,
        kernel=size, stride=stride, per_word=True,
    )  # fmt: skip
    reduce = PoolParams(
        operation=operation, kind=kind, lanes=lanes, beats=size[0] * size[1],
        result=kind if operation == "max" else bits_for_sum(size[0] * size[1], kind),
    )  # fmt: skip
    params = WindowedParams(window=window, datapath=reduce)
    check_block(params, (), to_beats(x, lanes), to_beats(expected.long().numpy(), lanes))


@pytest.mark.parametrize("kernel", ["multiply", "adder"])
def test_one_lane_is_right_for_all_inputs(kernel):
    """Every pair of a 4-bit signed tap and weight, one processing element per weight."""
    kind = IntType(4, signed=True)
    weights = np.arange(kind.low, kind.high + 1)[:, None]
    taps = np.arange(kind.low, kind.high + 1)[:, None]
    expected = np.array(
        [
            [t * w if kernel == "multiply" else -abs(t - w) for w in weights[:, 0]]
            for t in taps[:, 0]
        ]
    )
    window = WindowParams(height=1, width=1, words=1, lanes=1, kind=kind, kernel=(1, 1))
    array = ArrayParams(
        kernel=kernel, x=kind, w=kind, acc=IntType(8, signed=True),
        simd=1, pe=len(weights), beats=1, folds=1,
    )  # fmt: skip
    check_array(window, array, (weights, np.zeros(16, int)), taps, expected)


@pytest.mark.parametrize(
    ("x", "w"),
    [("uint2", "uint2"), ("int2", "int2"), ("uint1", "uint3"), ("int1", "uint2"), ("int3", "int1"),
     ("uint2", "int2"), ("uint3", "int2"), ("int2", "uint3"), ("uint3", "uint3"), ("int4", "uint2"),
     ("uint1", "int4")],
)  # fmt: skip
def test_distances_of_all_pairs(x, w):
    """Both forms, by table and by carry chain: every tap against every weight."""
    x, w = IntType.parse(x), IntType.parse(w)
    taps, weights = (np.arange(kind.low, kind.high + 1)[:, None] for kind in (x, w))
    expected = [[-abs(t - v) for v in weights[:, 0].tolist()] for t in taps[:, 0].tolist()]
    window = WindowParams(height=1, width=1, words=1, lanes=1, kind=x, kernel=(1, 1))
    array = array_params(kernel="adder", x=x, w=w, acc=IntType(6, signed=True), pe=len(weights))
    assert (array.lanes.shared is None) == (x.bits + w.bits <= 4)
    zero = np.zeros(len(weights), int)
    check_array(window, array, (weights, zero), taps, np.array(expected), seeds=())


def array_params(**changes):
    kind = IntType(8, signed=True)
    given = dict(kernel="adder", x=kind, w=kind, acc=kind, simd=1, pe=1, beats=1, folds=1)
    return ArrayParams(**(given | changes))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kernel": "xor"}, f"kernel must be one of {sorted(KERNELS)}, not 'xor'"),
        ({"simd": 0}, "simd must be at least 1, not 0"),
    ],
)
def test_refuses_parameters(changes, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        array_params(**changes)


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (np.zeros((2, 1), int), "weights must be shaped (1, 1), not (2, 1)"),
        (np.full((1, 1), 128), "weights must fit int8, not 128..128"),
    ],
)
def test_refuses_weights(weights, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        ProcessingArray(array_params(), weights)


def test_refuses_biases():
    with pytest.raises(ValueError, match=r"^bias must be shaped \(1,\), not \(2,\)$"):
        FinishParams(array=array_params(), lanes=1).create(np.zeros((1, 1), int), np.zeros(2, int))


@pytest.mark.parametrize("lanes", [0, 4])
def test_refuses_lanes_that_do_not_divide_the_results(lanes):
    with pytest.raises(ValueError, match=f"^lanes must divide 6, not {lanes}$"):
        DrainParams(array=array_params(pe=6), lanes=lanes)


@pytest.mark.parametrize("lanes", [1, 2, 3, 6])
@pytest.mark.parametrize("beats", [1, 2, 4])
@pytest.mark.parametrize("kernel", ["multiply", "adder"])
def test_results_leave_on_any_number_of_lanes(kernel, beats, lanes):
    """Six results of a window, faster and slower than the array makes the next ones."""
    rng = np.random.default_rng(1)
    kind = IntType(4, signed=True)
    taps = integers(rng, kind, (5, 2 * beats))
    weights, bias = integers(rng, kind, (6, 2 * beats)), rng.integers(-50, 50, 6)
    expected = torch_layer(kernel, taps[:, :, None, None], weights[:, :, None, None], (1, 1))
    window = WindowParams(height=1, width=1, words=beats, lanes=2, kind=kind, kernel=(1, 1))
    array = array_params(kernel=kernel, x=kind, w=kind, acc=IntType(10, signed=True), simd=2, pe=6,
                         beats=beats)  # fmt: skip
    results = (expected + bias[:, None, None]).reshape(-1, lanes)
    check_array(window, array, (weights, bias), taps.reshape(-1, 2), results, lanes=lanes)


def test_refuses_a_kernel_larger_than_the_image():
    with pytest.raises(
        ValueError, match=r"^kernel must fit into the image \(2, 2\), not \(3, 3\)$"
    ):
        WindowParams(
            height=2, width=2, words=1, lanes=1, kind=IntType(8, signed=False), kernel=(3, 3)
        )
