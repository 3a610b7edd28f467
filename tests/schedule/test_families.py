"""Predicted cells of each family: its memories, its multipliers, and laws that must hold."""

import json
import re
from dataclasses import replace

import pytest

from hwgen.build import Build
from hwgen.errors import InputError
from hwgen.flow import clock_line
from hwgen.schedule.clock import SPEEDS, predict_clock
from hwgen.schedule.demand import Memory, Product
from hwgen.schedule.document import plan_document
from hwgen.schedule.fabric import FABRICS, fabric_of
from hwgen.schedule.memory import memory_resources
from hwgen.schedule.multipliers import product_resources
from hwgen.schedule.plan import Target
from hwgen.schedule.resources import block_resources, counted
from hwgen.schedule.schedule import schedule
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.numerics import IntType
from tests.graphs import padded_classifier

#  family, width, depth, block RAMs; the shapes are those of the families' data sheets
BLOCKS = [
    ("ice40", 16, 256, 1),
    ("ice40", 17, 256, 2),
    ("ice40", 8, 512, 1),
    ("ice40", 8, 513, 2),
    ("ice40", 2, 2048, 1),
    ("ecp5", 36, 512, 1),
    ("ecp5", 37, 512, 2),
    ("ecp5", 18, 1024, 1),
    ("ecp5", 9, 2048, 1),
    ("ecp5", 1, 16384, 1),
    ("gowin", 36, 512, 1),
    ("gowin", 18, 1024, 1),
    ("gowin", 18, 1025, 2),
    ("xc7", 36, 512, 1),
    ("xc7", 72, 512, 2),
    ("xc7", 18, 2048, 2),
    ("xcup", 9, 2048, 1),
]
#  family, bits of a and b (negative: with a sign), bits used, multipliers
PRODUCTS = [
    ("ecp5", (-18, -18), 36, 1),
    ("ecp5", (-19, -18), 37, 1),  # one bit more than fits goes to LUTs
    ("ecp5", (-20, 17), 37, 2),
    ("ecp5", (-20, -20), 40, 4),
    ("ice40up", (-16, -16), 32, 1),
    ("ice40up", (8, -8), 16, 1),
    ("ice40up", (8, -8), 10, 0),  # too short for a multiplier
    ("ice40", (8, -8), 16, 0),
    ("gowin", (8, -8), 16, 1),
    ("gowin", (3, -3), 6, 0),
    ("gowin", (-19, -18), 37, 1),
    ("gowin", (-22, -18), 40, 3),  # 18 by 18, and 4 by 18 in two of 9 by 9
    ("xc7", (-25, -18), 43, 1),
    ("xc7", (-26, -18), 44, 2),
    ("xcup", (-27, -18), 45, 1),
    ("xcup", (4, -4), 8, 0),
]


def of_bits(bits: int) -> IntType:
    return IntType(abs(bits), signed=bits < 0)


def array(pe: int, simd: int, kernel: str = "adder") -> ArrayParams:
    kind = IntType(8, signed=False), IntType(8, signed=True)
    acc = IntType(20, signed=True)
    return ArrayParams(
        kernel=kernel, x=kind[0], w=kind[1], acc=acc, simd=simd, pe=pe, beats=9, folds=4
    )


@pytest.mark.parametrize(("family", "width", "depth", "blocks"), BLOCKS)
def test_a_block_ram_holds_what_its_data_sheet_says(family, width, depth, blocks):
    memory = Memory(width=width, depth=depth, style="block")
    assert memory_resources(memory, fabric_of(family)).bram == blocks


def test_the_two_ports_of_a_block_ram_read_one_table():
    table = Memory(width=8, depth=256, style="block", reads=2, written=False)
    found = {family: memory_resources(table, FABRICS[family]).bram for family in FABRICS}
    single = {"ice40", "ice40up"}  # one read port
    assert found == {family: 2 if family in single else 1 for family in FABRICS}


#  family, words, LUTs for each column: a LUT4 holds 16 words, Gowin joins LUTs by multiplexers of
#  their own, a LUT6 holds 64 (a counter's logic may push some out); without either, 64 words take
#  at least four LUT4 and two that choose
@pytest.mark.parametrize(
    ("family", "words", "least", "most"),
    [("ecp5", 16, 1, 1), ("gowin", 32, 2, 2), ("gowin", 33, 4, 4), ("gowin", 64, 4, 4),
     ("xc7", 32, 1, 1), ("xc7", 64, 1, 4), ("ice40", 64, 6, 10), ("ecp5", 32, 3, 5)],
)  # fmt: skip
def test_a_table_in_luts_takes_what_its_depth_asks(family, words, least, most):
    table = Memory(width=24, depth=words, style="logic", written=False)
    found = memory_resources(table, fabric_of(family))
    assert least * 24 <= found.lut <= most * 24
    assert found.ff == 24


def test_a_short_adder_becomes_gates_where_the_family_says_so():
    lanes = [
        ArrayParams(
            kernel="adder", x=IntType(bits, signed=False), w=IntType(bits, signed=False),
            acc=IntType(16, signed=True), simd=1, pe=1, beats=9, folds=1,
        ) for bits in (3, 4)
    ]  # fmt: skip
    chains = {f: [counted(p, f).logic.carry for p in lanes] for f in ("ecp5", "gowin")}
    assert chains["ecp5"][1] - chains["ecp5"][0] == 3, "five bits in pairs; four are gates"
    assert chains["gowin"][1] - chains["gowin"][0] == 1


@pytest.mark.parametrize(("family", "bits", "used", "multipliers"), PRODUCTS)
def test_a_product_takes_the_multipliers_it_must(family, bits, used, multipliers):
    product = Product(of_bits(bits[0]), of_bits(bits[1]), used)
    found = product_resources(product, fabric_of(family))
    assert found.dsp == multipliers
    assert multipliers or found.lut > 0


def test_products_of_four_bits_are_too_short_for_a_multiplier_of_xilinx():
    """Eight bits; Yosys' synth_xilinx takes those of nine or more."""
    lanes = [
        ArrayParams(
            kernel="multiply", x=IntType(bits, signed=False), w=IntType(bits, signed=True),
            acc=IntType(20, signed=True), simd=4, pe=2, beats=9, folds=4, lut_inputs=6,
        ) for bits in (4, 5)
    ]  # fmt: skip
    assert [block_resources(array, "xcup").dsp for array in lanes] == [0, 8]


@pytest.mark.parametrize("family", FABRICS)
@pytest.mark.parametrize("kernel", ["adder", "multiply"])
def test_a_wider_array_has_no_fewer_cells(family, kernel):
    cells = [
        block_resources(array(pe, simd, kernel), family) for pe, simd in ((1, 1), (2, 1), (2, 4))
    ]
    for name in ("lut", "ff", "bram", "dsp", "carry"):
        values = [getattr(each, name) for each in cells]
        assert values == sorted(values), name
    assert cells[0].lut < cells[-1].lut


def test_an_unknown_family_is_refused():
    with pytest.raises(InputError, match=r"^Cells are predicted for ecp5, .*, not 'ep1c'; choose"):
        block_resources(array(1, 1), "ep1c")


class TestDevice:
    TIGHT = Target(device="tight", lut=600, ff=100_000, carry=100_000, bram=200, dsp=200)

    def test_refusal_names_the_smallest_larger_device_that_fits(self):
        larger = tuple(
            replace(self.TIGHT, device=name, lut=lut)
            for name, lut in (("small", 700), ("middle", 50_000), ("large", 90_000))
        )
        with pytest.raises(InputError) as refused:
            schedule(padded_classifier().graph(), replace(self.TIGHT, larger=larger))
        assert re.search(
            r"needs \d+ LUT where 510 can be used .*or choose middle\.$", str(refused.value)
        )

    def test_block_rams_are_counted_in_the_size_of_the_family(self):
        graph = padded_classifier().graph()
        wide = schedule(graph, Target(cycles=500)).total.bram
        narrow = schedule(graph, Target(cycles=500, family="ice40up")).total.bram
        assert narrow > wide

    def test_flip_flops_without_a_lut_take_sites_of_an_ice40(self):
        graph = padded_classifier().graph()
        free = schedule(graph, Target(cycles=500, family="ice40up")).total
        target = Target(cycles=500, device="full", family="ice40up", lut=round(free.lut / 0.85) + 9)
        with pytest.raises(InputError, match="LUT where"):
            schedule(graph, target)


class TestClock:
    def test_names_the_block_that_limits_it(self):
        plan = schedule(padded_classifier().graph(), Target(cycles=500))
        clock = predict_clock(plan)
        assert clock
        assert clock.unit in {unit.name for unit in plan.units}
        assert clock.limit.startswith(f"{clock.unit}, {clock.path.block}: ")

    def test_families_that_were_not_routed_have_none(self):
        plan = schedule(padded_classifier().graph(), Target(cycles=500, family="xc7"))
        assert predict_clock(plan) is None

    @pytest.mark.parametrize("family", SPEEDS)
    def test_unrolling_does_not_raise_it_much(self, family):
        graph = padded_classifier().graph()
        slow, fast = (
            predict_clock(schedule(graph, Target(cycles=cycles, family=family)))
            for cycles in (20_000, 200)
        )
        assert slow
        assert fast
        assert fast.mhz < 1.1 * slow.mhz

    @pytest.mark.parametrize(
        ("family", "sentence"),
        [
            (
                "ecp5",
                r"^An image every [\d,]+ cycles: [\d,]+ images .* MHz, predicted; a long path: ",
            ),
            (
                "xc7",
                r"^An image every [\d,]+ cycles; the clock is not predicted for this family\.$",
            ),
        ],
    )
    def test_the_plan_file_holds_it(self, family, sentence, tmp_path):
        plan = schedule(padded_classifier().graph(), Target(cycles=500, family=family))
        Build(tmp_path).plan.write_text(json.dumps(plan_document(plan)))
        assert re.match(sentence, clock_line(Build(tmp_path)))
