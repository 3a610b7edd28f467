"""Operations and traffic of graphs: figures by hand, and laws that any hierarchy obeys."""

import re
from itertools import pairwise, product
from math import ceil, prod

import pytest

from hwgen.errors import InputError
from hwgen.ir.graph import Graph
from hwgen.ir.nodes import Input
from hwgen_sim.energy import load_profile
from hwgen_sim.graph_energy import (
    Numbers,
    estimate_graph,
    graph_actions,
    traffic_actions,
)
from hwgen_sim.graph_energy.hierarchy import read_hierarchy
from hwgen_sim.outlines import OPERATORS, outline
from hwgen_sim.outlines.builder import Sketch

HOROWITZ, SHIFTADD = load_profile("horowitz-45nm"), load_profile("shiftadd-45nm")
SMALL = (3, 32, 32)


def layer(operator, channels=4, outputs=6, size=8):
    sketch = Sketch("layer", (channels, size, size), operator)
    sketch.inner("image", outputs, 3)
    return sketch.graph()


def memories(*levels, outputs=1, taps=1, pixels=1):
    text = f'name = "m"\n[array]\noutputs = {outputs}\ntaps = {taps}\npixels = {pixels}\n'
    for number, size in enumerate(levels):
        text += f'[[level]]\nname = "l{number}"\nbytes = {size}\n'
    return read_hierarchy(text, "m")


def total(actions, **wanted):
    return sum(
        a.count
        for group in actions.values()
        for a in group
        if all(getattr(a, name) == value for name, value in wanted.items())
    )


TAPS = 6 * 8 * 8 * 4 * 9


@pytest.mark.parametrize(
    ("operator", "lanes", "accumulate"),
    [
        # operand and accumulator bits: 36 taps grow a sum by 6 bits
        ("multiply", ("multiply", 8), ("add", 22)),
        ("adder", ("subtract", 8), ("add", 14)),
        ("xnor", ("xnor", 1), ("add", 1)),
        ("shift", ("shift", 8), ("add", 21)),
    ],
)
def test_a_tap_is_one_operation_and_one_sum(operator, lanes, accumulate):
    actions = graph_actions(layer(operator), Numbers())["conv1"]
    assert [(a.kind, a.bits) for a in actions] == [lanes, accumulate]
    assert [a.count for a in actions] == [TAPS, TAPS]


def test_winograd_layer_by_hand():
    actions = {a.component: a for a in graph_actions(layer("winograd"), Numbers())["conv1"]}
    tiles = 4 * 4
    assert actions["input transform"].count == 32 * 4 * tiles  # 4x4 tile: one sum an element, twice
    assert actions["lanes"].count == actions["accumulate"].count == 16 * 4 * 6 * tiles
    assert actions["output transform"].count == 24 * 6 * tiles
    assert actions["lanes"].bits == 10
    assert actions["accumulate"].bits == 12


@pytest.mark.parametrize("operator", OPERATORS)
def test_counts_add_up_to_the_operations_of_the_graph(operator):
    graph = outline(f"resnet20-{operator}")
    document = estimate_graph(graph, Numbers(), SHIFTADD).to_json()
    counted = graph_actions(graph, Numbers())
    assert document["total"]["operations"] == total(counted, component="lanes")
    assert document["total"]["operations"] == sum(n["operations"] for n in document["nodes"])
    if operator != "winograd":
        assert document["total"]["operations"] == 40_813_184


@pytest.mark.parametrize("operator", OPERATORS)
def test_energy_rises_with_bits(operator):
    graph = outline(f"resnet20-{operator}", SMALL)
    energies = [
        estimate_graph(graph, Numbers(bits=bits), HOROWITZ, None, memories(4096, 512)).document
        for bits in range(2, 17)
    ]
    totals = [document["energy_range_pj"]["nominal"] for document in energies]
    assert all(smaller < larger for smaller, larger in pairwise(totals))


def test_no_layers_cost_nothing():
    graph = Graph("empty", (Input(name="image", inputs=(), shape=SMALL),))
    document = estimate_graph(graph, Numbers(), HOROWITZ, None, memories(1024)).to_json()
    assert document["nodes"] == []
    assert document["energy_range_pj"] == {"low": 0, "nominal": 0, "high": 0}


def test_without_levels_every_tensor_moves_once():
    moved = traffic_actions(layer("adder"), Numbers(), memories())["conv1"]
    reads, writes = 6 * 36 + 4 * 64, 6 * 64  # bytes of weights, image and result
    assert [(a.kind, a.count) for a in moved] == [
        ("dram_read", reads // 8),
        ("dram_write", writes // 8),
    ]


def test_signs_and_their_weights_take_a_bit_each():
    moved = traffic_actions(layer("xnor"), Numbers(), memories())["conv1"]
    words = ceil(6 * 36 / 64) + ceil(4 * 64 / 64)
    assert [a.count for a in moved] == [words, 6 * 64 * 8 // 64]


@pytest.mark.parametrize("size", [64, 128, 256, 400, 512, 1024, 4096])
def test_external_traffic_by_hand(size):
    moved = traffic_actions(layer("adder"), Numbers(), memories(size))["conv1"]
    weights, image = 8 * 6 * 36, 8 * 4 * 64
    half = 4 * size
    orders = (
        (weights, image * ceil(weights / half)),
        (weights * ceil(image / half), image),
    )
    words = [ceil(bits / 64) for bits in min(orders, key=sum)]
    assert total({"n": moved}, kind="dram_read") == sum(words)


def test_lanes_share_what_they_read():
    def reads(**array):
        moved = traffic_actions(layer("adder"), Numbers(), memories(65536, **array))["conv1"]
        return total({"n": moved}, kind="sram_read")

    operands = TAPS * 8 // 64
    leaving = 6 * 64 // 8
    assert reads() == 2 * operands + leaving
    assert reads(outputs=6) == operands + operands // 6 + leaving
    assert reads(outputs=6, pixels=8) == operands // 8 + operands // 6 + leaving


def test_tensors_stay_where_all_that_lives_fits():
    sketch = Sketch("two", (4, 8, 8), "adder")
    sketch.relu(sketch.norm(sketch.inner(sketch.relu(sketch.inner("image", 4, 3)), 4, 3)))
    graph = sketch.graph()
    small, large = (
        traffic_actions(graph, Numbers(), memories(size)) for size in (2 * 511, 2 * 512)
    )
    tensor, weights = 4 * 64 // 8, 4 * 36 // 8  # words
    assert total(small, kind="dram_write") == 2 * tensor
    assert total(large, kind="dram_write") == tensor  # the result alone
    assert total(large, kind="dram_read") == tensor + 2 * weights


SIZES = [2**n for n in range(7, 24, 2)]


@pytest.mark.parametrize("name", ["resnet20-adder", "ghostnet", "vgg_small-winograd", "edsr_x2"])
def test_a_larger_memory_never_moves_more(name):
    graph = outline(name, SMALL)

    def outside(*levels):
        moved = traffic_actions(graph, Numbers(), memories(*levels))
        found = total(moved, kind="dram_read"), total(moved, kind="dram_write")
        return found, total(moved, component="l0", kind="sram_read")

    for smaller, larger in pairwise(SIZES):
        (few, many) = outside(larger)[0], outside(smaller)[0]
        assert few[0] <= many[0]
        assert few[1] <= many[1]
    for outer, (smaller, larger) in product((2**24,), pairwise(SIZES)):
        assert outside(outer, larger)[1] <= outside(outer, smaller)[1]


def test_external_traffic_is_never_less_than_weights_image_and_result():
    graph = outline("resnet20-adder")
    moved = traffic_actions(graph, Numbers(), memories(2**26))
    weights = sum(
        prod((n.shape[0], prod(getattr(n, "kernel", (1, 1))), graph[n.inputs[0]].shape[0]))
        for n in graph.nodes
        if hasattr(n, "weight")
    )
    assert total(moved, kind="dram_read") * 8 == pytest.approx(weights + 3 * 1024, rel=1e-3)
    assert total(moved, kind="dram_write") == 2  # ten bytes


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = ", r"^The memory hierarchy m\.toml is not TOML"),
        ('name = "m"\nlevle = 1', r"levle: Extra inputs are not permitted"),
        ('name = "m"\n[array]\ntaps = 0', r"array\.taps: Input should be greater than 0"),
        ('name = "m"\n[[level]]\nname = "a"', r"level\.0\.bytes: Field required"),
        (
            'name = "m"\n[[level]]\nname = "a"\nbytes = 8\n[[level]]\nname = "b"\nbytes = 9',
            r"level 'b' of 9 bytes lies inside 'a' of 8 bytes; a level must not be larger",
        ),
    ],
)
def test_unusable_hierarchies_are_refused(text, sentence):
    with pytest.raises(InputError, match=sentence):
        read_hierarchy(text, "m.toml")


@pytest.mark.parametrize("text", ["0", "17", "x", "fp64", "-3"])
def test_unusable_bits_are_refused(text):
    sentence = f"Bits must be 1 to 16, fp16 or fp32, not {text!r}."
    with pytest.raises(InputError, match="^" + re.escape(sentence)):
        Numbers.parse(text)
