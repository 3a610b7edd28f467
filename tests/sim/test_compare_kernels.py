# amaranth: UnusedElaboratable=no
"""Kernels in place of others: graphs, foldings, cells and energies against formulas by hand."""

from itertools import pairwise, product
from math import prod

import numpy as np
import pytest
from amaranth.hdl import Cat, Const, Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from hwgen.errors import InputError
from hwgen.ir.nodes import Pow2Conv2d, Requantize, Threshold, WinogradAdderConv2d
from hwgen.schedule.geometry import kernel_of
from hwgen.schedule.plan import Target
from hwgen.schedule.schedule import schedule
from hwgen_rtl.numerics import BIPOLAR, IntType
from hwgen_sim.actions import plan_actions
from hwgen_sim.compare_kernels.comparison import compare_plan
from hwgen_sim.compare_kernels.constants import constant_layer, constant_products, csd_digits
from hwgen_sim.compare_kernels.figures import lut_multiplier
from hwgen_sim.compare_kernels.foldings import like, unit_lanes
from hwgen_sim.compare_kernels.picture import check_picture, draw
from hwgen_sim.compare_kernels.variants import KERNELS, inner_layers, variant
from hwgen_sim.compare_kernels.verdict import SHARED_DIGITS, verdict
from hwgen_sim.energy import load_profile
from hwgen_sim.energy.catalogue import read_profile
from tests.maker import Maker
from tests.rtl import synthesis

of = IntType.parse
PROFILE = load_profile("horowitz-45nm")
BITS = IntType(8, signed=False)


def adder_network():
    """A 3x3 adder layer of 4 to 6 channels on 8x8, one of stride 2, and a linear one."""
    m = Maker((2, 8, 8), "int8", seed=1)
    x = m.requantize(m.conv2d("image", 4, (3, 3), padding=(1, 1), weights=(-127, 127)), "uint8")
    a = m.adder_conv2d(x, 6, (3, 3), padding=(1, 1), weights=(0, 255))
    x = m.max_pool(m.requantize(a, "uint8"), (2, 2), (2, 2))
    b = m.adder_conv2d(x, 4, (3, 3), (2, 2), (1, 1), weights=(0, 255))
    x = m.flatten(m.requantize(b, "uint8"))
    c = m.adder_linear(x, 8, weights=(0, 255))
    m.argmax(m.linear(m.requantize(c, "uint8"), 5))
    return m.graph(), (a, b, c)


def residual_network():
    """A stream that an adder layer and a sum read."""
    m = Maker((4, 6, 6), "uint8", seed=2)
    x = m.requantize(m.conv2d("image", 4, (1, 1)), "uint8")
    a = m.adder_conv2d(x, 4, (3, 3), padding=(1, 1))
    y = m.requantize(m.add(m.requantize(a, "int8"), x), "uint8")
    m.conv2d(y, 3)
    return m.graph(), x, a


def binary_network():
    """A layer of bits between two that multiply."""
    m = Maker((2, 6, 6), "int8", seed=3)
    bits = m.threshold(m.conv2d("image", 4, (1, 1)))
    layer = m.xnor_conv2d(bits, 8, (3, 3))
    m.conv2d(m.requantize(layer, "uint4"), 3)
    return m.graph(), bits, layer


@pytest.fixture(scope="module")
def network():
    """The adder network, its plan, and its three adder layers."""
    graph, layers = adder_network()
    return schedule(graph, Target(cycles=600)), layers


@pytest.fixture(scope="module")
def rows(network):
    """The rows of its comparison, by kernel."""
    document = compare_plan(network[0], None, PROFILE).to_json()
    return {row["kernel"]: row for row in document["rows"]}


def units_of(plan):
    return {unit.name: unit for unit in plan.units}


def without_neighbours(places):
    """All strings of digits -1, 0, +1 without two neighbours that are not 0."""
    for digits in product((-1, 0, 1), repeat=places):
        if not any(a and b for a, b in pairwise(digits)):
            yield digits


class TestConstants:
    def test_digits_of_every_int8_by_enumeration(self):
        found = {}
        for digits in without_neighbours(9):
            value = sum(digit << place for place, digit in enumerate(digits))
            assert value not in found  # the form is canonical
            found[value] = sum(map(abs, digits))
        values = np.arange(-128, 128)
        assert csd_digits(values).tolist() == [found[value] for value in values]

    def test_adders_by_hand(self):
        """7x is 8x - x, 4x is wires, -3x is x - 4x; (7x + 4y) + -3z are two more."""
        adders = constant_products(np.array([[7, 0, 4, -3]]), of("uint8"))
        assert adders.products == {9: 2}
        assert adders.trees == {12: 1, 13: 1}  # 0..2805 and -765..2805
        assert adders.registers == 11 + 10 + 11 + 12 + 13
        assert adders.resources.lut == 2 * 9 + 12 + 13
        assert adders.resources.carry == adders.resources.lut / 2

    def test_a_tree_has_one_adder_less_than_weights_that_are_not_zero(self):
        weights = np.random.default_rng(0).integers(-8, 8, (5, 37))
        adders = constant_products(weights, of("int4"))
        assert sum(adders.trees.values()) == np.count_nonzero(weights) - 5
        digits = csd_digits(weights)
        assert sum(adders.products.values()) == (digits[digits > 0] - 1).sum()

    def test_a_layer_takes_one_lane_a_weight_and_one_pixel_a_cycle(self, network):
        plan, (a, _, c) = network
        for name, pixels in ((a, 10 * 10), (c, 2 * 2)):
            layer = constant_layer(plan, units_of(plan)[name], "adder")
            assert layer.lanes == plan.graph.tensors[plan.graph[name].weight].size
            assert layer.unit.interval == pixels
            differences = sum(x.count for x in layer.actions if x.kind == "subtract")
            assert differences == layer.lanes * prod(plan.graph[name].shape[1:])


class TestVariants:
    def test_first_and_last_layer_stay(self, network):
        plan, layers = network
        assert inner_layers(plan.graph) == layers
        for kernel in KERNELS:
            changed = variant(plan.graph, layers, kernel).graph
            for node in (plan.graph.nodes[1], plan.graph.nodes[-2]):
                assert changed[node.name] == node

    def test_own_kernel_changes_nothing(self, network):
        plan, layers = network
        found = variant(plan.graph, layers, "adder")
        assert found.graph is plan.graph
        assert found.drawn == ()

    @pytest.mark.parametrize("kernel", KERNELS)
    def test_layers_have_the_kernel_and_their_shape(self, network, kernel):
        plan, layers = network
        found = variant(plan.graph, layers, kernel)
        for name in layers:
            node = found.graph[name]
            assert node.shape == plan.graph[name].shape
            if kernel == "winograd":
                assert isinstance(node, WinogradAdderConv2d) == (name == layers[0])
            else:
                assert kernel_of(found.graph, node) == kernel

    def test_weights_are_drawn_over_the_range_of_the_layers_own(self, network):
        plan, layers = network
        multiply, shift = (variant(plan.graph, layers, k).graph for k in ("multiply", "shift"))
        for name in layers:
            own = plan.graph.tensors[plan.graph[name].weight]
            drawn = multiply.tensors[multiply[name].weight]
            assert (drawn.min(), drawn.max()) == (own.min(), own.max())
            assert drawn.shape == own.shape
            assert not np.array_equal(drawn, own)
            powers = shift.tensors[shift[name].weight]
            assert set(powers.flat) <= {0, 1, 2, 4, 8, 16, 32, 64, 128}
            again = variant(plan.graph, layers, "multiply").graph
            np.testing.assert_array_equal(again.tensors[again[name].weight], drawn)

    def test_a_sum_has_the_width_that_all_inputs_need(self, network):
        plan, layers = network
        graph = variant(plan.graph, layers, "multiply").graph
        weights = graph.tensors[graph[layers[0]].weight]
        largest = weights.reshape(6, -1).sum(axis=1).max() * 255  # all of them are positive
        assert graph[layers[0]].type == IntType(int(largest).bit_length(), signed=False)
        bits = variant(plan.graph, layers, "xnor").graph[layers[0]].type
        assert bits == of("int7")  # 36 taps of -1 or +1

    def test_bits_come_from_thresholds_in_place_of_affines(self, network):
        plan, layers = network
        graph = variant(plan.graph, layers, "xnor").graph
        for name in layers:
            assert graph[graph[name].inputs[0]].type == BIPOLAR
        kinds = [node.kind for node in graph.nodes]
        assert kinds.count("threshold") == 3
        assert kinds.count("requantize") == 1  # in front of the last layer, which multiplies
        assert len(kinds) == len(plan.graph.nodes)

    def test_a_stream_that_others_read_keeps_its_numbers(self):
        graph, stream, layer = residual_network()
        changed = variant(graph, (layer,), "xnor").graph
        assert isinstance(changed[stream], Requantize)
        sign = changed[changed[layer].inputs[0]]
        assert isinstance(sign, Threshold)
        assert (sign.name, sign.inputs) == (f"{layer}_sign", (stream,))
        assert schedule(changed, Target(cycles=4000)).interval <= 4000

    def test_numbers_take_the_place_of_bits(self):
        graph, bits, layer = binary_network()
        changed = variant(graph, (layer,), "adder").graph
        assert isinstance(changed[bits], Requantize)
        assert changed[bits].type == BITS
        weights = changed.tensors[changed[layer].weight]
        assert (weights.min(), weights.max()) == (-128, 127)

    def test_refusals_say_why(self, network):
        plan, (_, b, c) = network
        refused = variant(plan.graph, network[1], "winograd").refused
        assert refused[b] == "its stride is 2, not 1"
        assert refused[c] == "a linear layer has no 3x3 window"
        m = Maker((4, 6, 6), "int8")
        grouped = m.conv2d("image", 4, (3, 3), groups=2)
        for kernel in KERNELS[1:]:
            told = variant(m.graph(), (grouped,), kernel).refused[grouped]
            assert told == "its 2 groups exist for the multiplying kernel only"
        m = Maker((4, 6, 6), "int8")
        first = m.adder_conv2d(m.max_pool("image", (2, 2), (2, 2)), 4)
        told = variant(m.graph(), (first,), "xnor").refused[first]
        assert told == "it reads the image, which is not one bit"

    def test_a_linear_shift_layer_is_one_window(self, network):
        plan, (*_, c) = network
        node = variant(plan.graph, (c,), "shift").graph[c]
        assert isinstance(node, Pow2Conv2d)
        assert node.kernel == (2, 2)


class TestFoldings:
    @pytest.mark.parametrize("cycles", [4000, 600, 200])
    def test_the_plan_itself_comes_out_again(self, cycles):
        for graph in (adder_network()[0], residual_network()[0], binary_network()[0]):
            plan = schedule(graph, Target(cycles=cycles))
            copy = graph.with_nodes(graph.nodes)
            assert like(plan, copy).units == plan.units
            assert like(plan, copy).total == plan.total

    @pytest.mark.parametrize("kernel", ["multiply", "xnor", "shift"])
    def test_lanes_are_those_of_the_plan(self, network, kernel):
        plan, layers = network
        other = units_of(like(plan, variant(plan.graph, layers, kernel).graph))
        for name in layers:
            unit = units_of(plan)[name]
            assert (other[name].pe, other[name].simd) == (unit.pe, unit.simd)
            assert unit_lanes(other[name]) == unit.pe * unit.simd
            assert other[name].interval == unit.interval

    @pytest.mark.parametrize("cycles", [4000, 600, 200])
    def test_winograd_lanes_are_the_nearest(self, cycles):
        graph, (name, *_) = adder_network()
        plan = schedule(graph, Target(cycles=cycles))
        wanted = unit_lanes(units_of(plan)[name])
        found = units_of(like(plan, variant(graph, (name,), "winograd").graph))[name]
        possible = [16 * pe * simd for pe in (1, 2, 3, 6) for simd in (1, 2, 4)]
        least = min(abs(lanes - wanted) for lanes in possible)
        assert unit_lanes(found) == 16 * found.pe * found.simd
        assert abs(unit_lanes(found) - wanted) == least

    def test_winograd_takes_four_ninths_of_the_differences(self, network):
        plan, (name, *_) = network
        direct = plan_actions(plan)[name]
        other = like(plan, variant(plan.graph, (name,), "winograd").graph)
        transformed = plan_actions(other)[name]
        counts = [
            sum(action.count for action in actions if action.component == "lanes")
            for actions in (direct, transformed)
        ]
        assert counts[0] == 9 * 4 * 6 * 64
        assert counts[1] * 9 == counts[0] * 4


class TestRows:
    def test_own_row_is_the_plan(self, network, rows):
        plan = network[0]
        for cell in ("lut", "carry", "ff", "bram", "dsp"):
            assert rows["adder"][cell] == round(getattr(plan.total, cell))
        assert rows["adder"]["cycles"] == max(unit.interval for unit in plan.units)
        assert rows["adder"]["weights"] == "own"

    def test_equal_parallelism(self, network, rows):
        plan, layers = network
        lanes = sum(units_of(plan)[name].pe * units_of(plan)[name].simd for name in layers)
        for kernel in ("multiplier", "multiplier without DSP", "adder", "XNOR", "shift"):
            assert rows[kernel]["lanes"] == lanes
        weights = 6 * 4 * 9 + 4 * 6 * 9 + 8 * 16
        for kernel in ("constant multiplier, unrolled", "constant adder, unrolled"):
            assert rows[kernel]["lanes"] == weights

    def test_a_lane_of_bits_is_smaller_than_one_of_differences_than_one_of_products(self, rows):
        names = ("XNOR", "adder", "multiplier without DSP")
        bits, differences, products = (rows[name]["lut_per_lane"] for name in names)
        assert bits < differences < products

    def test_multipliers_move_from_dsp_blocks_to_luts(self, rows):
        with_blocks, without = rows["multiplier"], rows["multiplier without DSP"]
        lanes = with_blocks["lanes"]
        assert with_blocks["dsp"] - without["dsp"] == lanes
        added = without["lut"] - with_blocks["lut"]
        assert added == pytest.approx(lanes * lut_multiplier(8, 8).lut, abs=1)
        assert without["energy_nj"] == with_blocks["energy_nj"]

    def test_constants_need_neither_memory_nor_multipliers(self, network):
        plan, (name, *_) = network
        document = compare_plan(plan, name, PROFILE).to_json()
        found = {row["kernel"]: row for row in document["rows"]}
        row = found["constant multiplier, unrolled"]
        assert (row["dsp"], row["cycles"]) == (0, 100)
        assert row["lanes"] == 6 * 4 * 9
        assert found["multiplier"]["dsp"] == found["multiplier"]["lanes"]

    def test_a_missing_price_is_said_and_a_present_one_used(self, network, rows):
        assert rows["XNOR"]["energy_without"] == ["xnor"]
        assert rows["shift"]["energy_without"] == ["shift"]
        assert rows["adder"]["energy_without"] == rows["multiplier"]["energy_without"] == []
        priced = read_profile(PRICED, "priced")
        plan, (name, *_) = network
        kernels = {}
        for profile in (PROFILE, priced):
            document = compare_plan(plan, name, profile).to_json()
            said = any(line.startswith("xnor:") for line in document["not_modelled"])
            assert said == (profile is PROFILE)
            kernels[profile.name] = {row["kernel"]: row for row in document["rows"]}
        assert kernels["priced"]["XNOR"]["energy_without"] == []
        gates = 9 * 4 * 6 * 64 * 1.0 / 1000  # nJ
        assert kernels["priced"]["XNOR"]["energy_nj"] >= gates

    def test_accuracy_stands_with_the_builds_own_kernel_only(self, network):
        plan = network[0]
        verified = {"samples": 7, "accuracy": {"float": 0.5, "integer": 0.25}}
        document = compare_plan(plan, None, PROFILE, verified).to_json()
        shares = {row["kernel"]: row["accuracy"] for row in document["rows"]}
        own = {"adder", "constant adder, unrolled"}
        assert {kernel for kernel, share in shares.items() if share == 0.25} == own
        assert {share for kernel, share in shares.items() if kernel not in own} == {None}
        assert any("7 images" in note for note in document["notes"])

    def test_a_kernel_that_no_layer_can_have_says_why(self, network):
        plan, (_, b, _) = network
        document = compare_plan(plan, b, PROFILE).to_json()
        row = next(row for row in document["rows"] if row["kernel"] == "Winograd adder")
        assert [row[name] for name in ("lanes", "lut", "cycles", "energy_nj")] == [None] * 4
        assert row["refused"] == {b: "its stride is 2, not 1"}
        told = f"Not as Winograd adder: {b}: its stride is 2, not 1."
        assert told in document["notes"]

    def test_layers_that_stay_direct_are_counted(self, rows):
        assert rows["Winograd adder"]["layers"] == "1 of 3"
        assert rows["XNOR"]["layers"] == "3 of 3"

    def test_nodes_without_weights_are_refused(self, network):
        plan, (name, *_) = network
        with pytest.raises(InputError, match=r"^There is no node 'adder_con'; the nearest .*\.$"):
            compare_plan(plan, "adder_con", PROFILE)
        pool = next(node.name for node in plan.graph.nodes if node.kind == "max_pool")
        with pytest.raises(InputError, match=rf"^{pool} \(max_pool\) has no weights; .*{name}"):
            compare_plan(plan, pool, PROFILE)

    def test_weights_of_one_bit_need_no_multiplier(self):
        m = Maker((2, 4, 4), "int8")
        x = m.requantize(m.conv2d("image", 4), "uint8")
        signs = m.conv2d(x, 4, weights=(-1, 1), step=2)
        m.conv2d(m.requantize(signs), 2)
        plan = schedule(m.graph(), Target(cycles=400))
        document = compare_plan(plan, None, PROFILE).to_json()
        rows = {row["kernel"]: row for row in document["rows"]}
        assert rows["multiplier"]["dsp"] == rows["multiplier without DSP"]["dsp"]
        assert any(note.startswith(f"All weights of {signs} are") for note in document["notes"])

    def test_a_network_of_two_layers_needs_a_name(self):
        m = Maker((2, 4, 4), "int8")
        m.conv2d(m.requantize(m.conv2d("image", 3)), 2)
        plan = schedule(m.graph(), Target(cycles=400))
        with pytest.raises(InputError, match="no layer between its first and its last one"):
            compare_plan(plan, None, PROFILE)


PRICED = (
    """
name = "priced"
source = "a test"
node_nm = 45
year = 2020
"""
    + "".join(
        f"""
[[not_modelled]]
kind = "{kind}"
reason = "a test"
"""
        for kind in ("mux", "register", "clock", "dram")
    )
    + "".join(
        f"""
[[row]]
kind = "{kind}"
bits = {bits}
value = 1.0
unit = "pJ"
source = "a test"
node_nm = 45
year = 2020
{extra}
"""
        for kind, bits, extra in (
            ("add", 8, ""),
            ("multiply", 8, ""),
            ("xnor", 1, ""),
            ("shift", 8, ""),
            ("sram", 8, "capacity_bytes = 1024"),
        )
    )
)


class TestVerdict:
    def rows(self, **constant):
        cells = {"lut": 100, "carry": 50, "energy_nj": 2.0, "dsp": 9}
        return {
            "multiplier": cells,
            "multiplier without DSP": cells | {"lut": 900},
            "adder": cells | {"lut": 300, "energy_nj": 1.0, "dsp": 1},
            "constant multiplier, unrolled": cells | constant,
            "constant adder, unrolled": cells,
        }

    def test_each_side_is_told_with_its_figures(self):
        ours, theirs, shared = verdict(self.rows(carry=20, lut=700))
        assert ours.startswith("In favour of multipliers: LUTs where DSP blocks are free (100 LUTs")
        assert "9 DSP blocks against 1" in ours
        assert "carry with constant weights (20 carry cells against 50)" in ours
        assert "LUTs where DSP blocks are not (900 LUTs against 300)" in theirs
        assert "LUTs with constant weights (700 LUTs against 100)" in theirs
        assert "energy (2 nJ against 1)" in theirs
        assert shared == SHARED_DIGITS

    def test_constant_weights_can_turn_it(self):
        assert "LUTs with constant weights (60 LUTs" in verdict(self.rows(lut=60))[0]

    def test_without_an_adder_nothing_is_compared(self):
        assert verdict({"multiplier": {}}) == ["No multiplier and adder could be compared."]


class TestPicture:
    def test_two_panels_with_a_bar_a_row(self, network):
        plan, (_, b, _) = network
        document = compare_plan(plan, b, PROFILE).to_json()
        left, right = draw(document).axes
        kernels = [row["kernel"] for row in document["rows"]]
        assert [label.get_text() for label in left.get_yticklabels()] == kernels
        assert left.get_xlabel().startswith("4-input LUTs, predicted")
        assert right.get_xlabel() == "nJ per image, predicted, profile horowitz-45nm"
        for axes, name in ((left, "lut"), (right, "energy_nj")):
            assert [bar.get_width() for bar in axes.patches] == [
                row[name] or 0 for row in document["rows"]
            ]
        told = {text.get_text() for text in right.texts}
        assert "not possible" in told
        assert any(text.endswith("without xnor") for text in told)

    def test_other_files_are_refused(self, tmp_path):
        with pytest.raises(InputError, match=r"PNG; give --picture NAME\.png, not .*k\.svg\.$"):
            check_picture(tmp_path / "k.svg")
        with pytest.raises(InputError, match="is not a folder"):
            check_picture(tmp_path / "absent" / "k.png")


class Products(wiring.Component):
    """Sums of x times constants from the digits that `csd_digits` counts, each in a register."""

    def __init__(self, weights):
        self._weights = weights
        super().__init__(
            {
                "x": In(data.ArrayLayout(8, weights.shape[1])),
                "o": Out(data.ArrayLayout(signed(24), len(weights))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        for o, row in enumerate(self._weights):
            pairs = (self._product(m, x, int(w)) for x, w in zip(self.x, row, strict=True) if w)
            terms = [(self._registered(m, value), sign) for value, sign in pairs]
            while len(terms) > 1:
                sums = [
                    (self._registered(m, a + b if s == t else a - b), s)
                    for (a, s), (b, t) in zip(terms[::2], terms[1::2], strict=False)
                ]
                terms = sums + (terms[-1:] if len(terms) % 2 else [])
            m.d.comb += self.o[o].eq(terms[0][0])
        return m

    def _product(self, m, x, weight):
        """|x * weight| up to a sign that makes the lowest digit +1, and that sign."""
        lowest = weight & -weight
        sign = 1 if weight // lowest % 4 == 1 else -1
        weight, place, total = weight * sign, 0, None
        while weight:
            digit = (2 - weight % 4) if weight % 2 else 0
            if digit and total is None:
                total = x << place
            elif digit:
                total = self._kept(m, total, x, place, digit)
            weight, place = (weight - digit) >> 1, place + 1
        return total, sign

    def _kept(self, m, total, x, place, digit):
        """A sum above the bits that pass; ``keep`` stops Yosys from merging it with the next."""
        upper = total >> place
        value = upper + x if digit > 0 else upper - x
        above = Signal(value.shape(), attrs={"keep": 1})
        m.d.comb += above.eq(value)
        joined = Cat((total | Const(0, place))[:place], above)
        return joined.as_signed() if above.shape().signed else joined

    def _registered(self, m, value):
        register = Signal(value.shape())
        m.d.sync += register.eq(value)
        return register


def test_sums_of_shifted_copies_are_the_products():
    """The component that synthesis is asked about computes what it should, up to a row's sign."""
    rng = np.random.default_rng(5)
    weights, x = rng.integers(-127, 128, (4, 16)), rng.integers(0, 256, 16)
    hardware, seen = Products(weights), []

    async def bench(ctx):
        for n, value in enumerate(x):
            ctx.set(hardware.x[n], int(value))
        await ctx.tick().repeat(6)
        seen.extend(ctx.get(hardware.o[o]) for o in range(4))

    simulator = Simulator(hardware)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert np.abs(seen).tolist() == np.abs(weights @ x).tolist()


@pytest.mark.slow
@pytest.mark.parametrize("span", [(0, 255), (-127, 127), (-15, 15)])
def test_constant_products_are_near_synthesis(span, tmp_path):
    weights = np.random.default_rng(4).integers(span[0], span[1] + 1, (4, 16))
    predicted = constant_products(weights, of("uint8")).resources
    found = synthesis.synthesized(Products(weights), tmp_path)
    assert predicted.lut == pytest.approx(found.lut, rel=0.1)
    assert predicted.carry == pytest.approx(found.carry, rel=0.1)
    assert predicted.ff == pytest.approx(found.ff, rel=0.1)
    assert found.dsp == 0


class Product(wiring.Component):
    """A product in a register."""

    def __init__(self, bits, other_bits):
        super().__init__({"x": In(signed(bits)), "w": In(signed(other_bits)),
                          "o": Out(signed(bits + other_bits))})  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.o.eq(self.x * self.w)
        return m


@pytest.mark.slow
@pytest.mark.parametrize(("bits", "other_bits"), [(5, 5), (6, 6), (8, 5), (8, 8), (12, 8)])
def test_multipliers_in_luts_are_near_synthesis(bits, other_bits, tmp_path, monkeypatch):
    script = synthesis._CELLS.replace("synth_ecp5", "synth_ecp5 -nodsp")
    monkeypatch.setattr(synthesis, "_CELLS", script)
    predicted = lut_multiplier(bits, other_bits)
    found = synthesis.synthesized(Product(bits, other_bits), tmp_path)
    assert predicted.lut == pytest.approx(found.lut, rel=0.15)
    assert predicted.carry == pytest.approx(found.carry, rel=0.2)
    assert found.dsp == 0
