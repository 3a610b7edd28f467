"""Energy: figures worked out by hand from the published tables, laws, and refusals."""

import re
from importlib import resources
from itertools import pairwise

import pytest

from hwgen.errors import InputError
from hwgen_sim.energy import Action, Energy, estimate_energy, load_profile, profile_names
from hwgen_sim.energy.catalogue import read_profile
from hwgen_sim.energy.scaling import scaled

HOROWITZ = load_profile("horowitz-45nm")
KB = 8 * 1024


def _action(kind, bits, count=1, component="lanes", **other):
    return Action(component=component, kind=kind, bits=bits, count=count, **other)


@pytest.mark.parametrize(
    ("kind", "bits", "expected"),
    [
        ("add", 8, 0.03),
        ("add", 16, 0.05),
        ("add", 32, 0.1),
        ("multiply", 8, 0.2),
        ("multiply", 32, 3.1),
        ("dram_read", 64, 1300.0),
    ],
)
def test_rows_of_the_table_are_published(kind, bits, expected):
    price = HOROWITZ.operation_pj(kind, bits)
    assert price.energy.nominal == pytest.approx(expected)
    assert not price.interpolated


@pytest.mark.parametrize(
    ("kind", "bits", "other_bits", "expected"),
    [
        ("add", 4, None, 0.015),  # half of 8 bits
        ("add", 12, None, 0.04),  # middle of 8 and 16
        ("add", 64, None, 0.2),  # twice 32 bits
        ("subtract", 12, None, 0.04),  # an addition
        ("compare", 12, None, 0.04),  # a subtraction
        ("abs_difference", 8, None, 0.06),  # two additions
        ("multiply", 4, None, 0.05),  # a quarter of 8x8
        ("multiply", 16, None, 0.78),  # 0.2 + 2.9 * (256 - 64) / (1024 - 64)
        ("multiply", 32, 8, 0.78),  # the same product of widths
        ("dram_write", 32, None, 650.0),
    ],
)
def test_widths_between_rows_follow_the_named_rule(kind, bits, other_bits, expected):
    price = HOROWITZ.operation_pj(kind, bits, other_bits)
    assert price.energy.nominal == pytest.approx(expected)
    assert price.interpolated


@pytest.mark.parametrize(
    ("bits", "capacity_kb", "expected"),
    [
        (64, 8, 10.0),
        (64, 32, 20.0),
        (64, 1024, 100.0),
        (8, 8, 1.25),  # an eighth of the access
        (64, 16, 200**0.5),  # geometric mean of 10 and 20, at that of 8 and 32
        (64, 2, 5.0),  # below the table: square root of capacity
        (64, 4096, 200.0),  # above it too
    ],
)
@pytest.mark.parametrize("kind", ["sram_read", "sram_write"])
def test_on_chip_memory_follows_capacity_and_width(kind, bits, capacity_kb, expected):
    price = HOROWITZ.memory_pj(kind, bits, capacity_kb * KB)
    assert price.energy.nominal == pytest.approx(expected)


RANGED = """
[[row]]
kind = "abs_difference"
bits = 8
low = 0.2
value = 0.3
high = 0.4
"""


def test_a_row_may_carry_a_range(tmp_path):
    text = _shipped_text()
    common = re.search(r"unit = .*?year = \d+\n", text, flags=re.DOTALL)
    assert common
    path = tmp_path / "ranged.toml"
    path.write_text(text + RANGED + common[0])
    price = load_profile(str(path)).operation_pj("abs_difference", 8)
    assert price.energy == Energy(low=0.2, nominal=0.3, high=0.4)
    assert not price.interpolated


KINDS_WITH_WIDTHS = ("add", "compare", "abs_difference", "multiply", "shift", "float_add")


@pytest.mark.parametrize("name", profile_names())
def test_more_bits_never_cost_less(name):
    profile = load_profile(name)
    for kind in filter(profile.prices, KINDS_WITH_WIDTHS):
        prices = [profile.operation_pj(kind, bits).energy for bits in range(2, 65)]
        for smaller, larger in pairwise(prices):
            assert 0 < smaller.low <= smaller.nominal <= smaller.high
            assert smaller.low < larger.low
            assert smaller.nominal < larger.nominal


@pytest.mark.parametrize("name", profile_names())
def test_larger_memories_never_cost_less(name):
    profile = load_profile(name)
    for kind in filter(profile.prices, ("sram_read", "sram_write")):
        prices = [profile.memory_pj(kind, 8, 2**exponent) for exponent in range(6, 28)]
        for smaller, larger in pairwise(prices):
            assert smaller.energy.nominal < larger.energy.nominal


#  profile          kind, bits, and picojoules as published (low, nominal and high for FPGAs)
PUBLISHED = {
    "horowitz-45nm": [("float_add", 16, 0.4), ("float_multiply", 32, 3.7)],
    "jouppi-7nm": [("add", 8, 0.007), ("multiply", 8, 0.07), ("float_multiply", 16, 0.34)],
    "shiftadd-45nm": [("shift", 8, 0.024), ("shift", 16, 0.057), ("float_add", 32, 1.1)],
    "addernet-fp32": [("float_add", 32, 0.9), ("float_multiply", 32, 3.7)],
    "ice40up": [("clock", 1, 52.0), ("multiply", 8, 24.1)],
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_profile_holds_its_own_table(name):
    profile = load_profile(name)
    for kind, bits, expected in PUBLISHED[name]:
        price = profile.operation_pj(kind, bits)
        assert price.energy.nominal == pytest.approx(expected)
        assert price.rule == "published"


@pytest.mark.parametrize(
    ("node", "kilobytes", "read", "write"),
    [(45, 1, 1.67, 3.49), (45, 1024, 93.5, 76.2), (32, 64, 12.9, 10.8), (22, 8, 1.59, 1.77)],
)
def test_memories_by_size_are_those_of_cacti(node, kilobytes, read, write):
    profile = load_profile(f"cacti-{node}nm")
    found = [profile.memory_pj(f"sram_{way}", 64, kilobytes * KB) for way in ("read", "write")]
    assert [price.energy.nominal for price in found] == pytest.approx([read, write])


@pytest.mark.parametrize(
    ("kind", "bits", "luts"),
    [
        ("add", 8, 8),
        ("abs_difference", 8, 16),
        ("xnor", 1, 1),
        ("multiply", 4, 16),
        ("shift", 8, 24),
        ("mux", 5, 5),
        ("compare", 3, 3),
    ],
)
def test_an_operation_on_an_fpga_costs_its_lut_bits(kind, bits, luts):
    energy = load_profile("ecp5").operation_pj(kind, bits).energy
    # 0.230 pJ for a bit that always changes: one of eight, half, all; at most the other device's
    assert energy.low == pytest.approx(luts * 0.230 / 8, rel=0.01)
    assert energy.nominal == pytest.approx(luts * 0.230 / 2)
    assert energy.high == pytest.approx(luts * 0.251)


def test_leakage_is_power_times_time():
    report = estimate_energy({"n": [_action("leakage", 1, count=1000)]}, load_profile("ice40up"))
    assert report.total.nominal == pytest.approx(104.3)  # 104.3 uW for a microsecond


def _weights(count=1):
    return _action("sram_read", 64, count, component="weights", capacity_bits=KB)


def test_memories_may_come_from_a_named_table_of_the_same_node():
    actions = {"n": [_action("shift", 8), _weights()]}
    report = estimate_energy(actions, load_profile("shiftadd-45nm"), load_profile("cacti-45nm"))
    assert report.total.nominal == pytest.approx(0.024 + 1.67)
    assert [entry.profile for entry in report.actions] == ["shiftadd-45nm", "cacti-45nm"]
    assert report.profile == "shiftadd-45nm, memories cacti-45nm"
    assert "ShiftAddLLM" in report.source
    assert "CACTI" in report.source


def test_a_profile_without_memories_is_told_how_to_get_them():
    with pytest.raises(InputError, match=r"weights of n\); give .* --memory-profile cacti-45nm\.$"):
        estimate_energy({"n": [_weights()]}, load_profile("shiftadd-45nm"))


def test_memories_of_another_node_are_refused():
    with pytest.raises(
        InputError, match=r"^Memories and arithmetic must be of one node: cacti-22nm is of 22 nm,"
    ):
        estimate_energy({"n": [_weights()]}, HOROWITZ, load_profile("cacti-22nm"))


class TestScaling:
    # a*V^2 + b*V + c at 0.9 V and 0.7 V, from the published coefficients
    AT_45 = 1.103 * 0.81 - 0.362 * 0.9 + 0.2767
    AT_7 = 0.1776 * 0.81 - 0.09097 * 0.9 + 0.02447
    AT_7_LOW = 0.1776 * 0.49 - 0.09097 * 0.7 + 0.02447

    @pytest.mark.parametrize(
        ("rule", "after"),
        [("stillmaker-baas:45->7", AT_7), ("stillmaker-baas:45->7@0.7", AT_7_LOW)],
    )
    def test_rows_follow_the_named_polynomials(self, rule, after):
        price = scaled(HOROWITZ, rule).operation_pj("multiply", 8)
        assert price.energy.nominal == pytest.approx(0.2 * after / self.AT_45)
        assert price.rule == f"published, scaled {rule}"

    def test_the_report_says_that_it_is_scaled(self):
        profile = scaled(HOROWITZ, "stillmaker-baas:45->7")
        report = estimate_energy({"n": [_action("compare", 8)]}, profile)
        assert report.profile == "horowitz-45nm, scaled stillmaker-baas:45->7"
        assert report.actions[0].price.rule.count("scaled") == 1

    def test_external_memory_is_another_chip(self):
        profile = scaled(HOROWITZ, "stillmaker-baas:45->7")
        price = profile.operation_pj("dram_read", 64)
        assert price.energy.nominal == 1300
        assert price.rule == "published"

    @pytest.mark.parametrize(
        ("name", "rule", "sentence"),
        [
            ("horowitz-45nm", "45->7", r"^A scaling rule is stillmaker-baas:FROM->TO\[@VOLT\],"),
            ("horowitz-45nm", "moore:45->7", r"not 'moore:45->7'\.$"),
            ("horowitz-45nm", "stillmaker-baas:45->5", r"has no node of 5 nm; its nodes are 130,"),
            ("horowitz-45nm", "stillmaker-baas:32->7", r"is of 45 nm; write 45->, not 32->\.$"),
            ("shiftadd-45nm", "stillmaker-baas:45->7", r"states no voltage"),
        ],
    )
    def test_unusable_rules_are_refused(self, name, rule, sentence):
        with pytest.raises(InputError, match=sentence):
            scaled(load_profile(name), rule)


def test_report_adds_up_by_node_and_by_component():
    report = estimate_energy(
        {
            "conv1": [
                _action("abs_difference", 8, count=1000),
                _action("add", 16, count=1000),
                _action("sram_read", 64, count=10, component="weights", capacity_bits=8 * KB),
            ],
            "fc": [_action("multiply", 8, count=100)],
            "flatten": [],
        },
        HOROWITZ,
    )
    assert report.nodes["conv1"]["lanes"].nominal == pytest.approx(60 + 50)
    assert report.nodes["conv1"]["weights"].nominal == pytest.approx(100)
    assert report.nodes["flatten"] == {}
    assert report.node_totals["conv1"].nominal == pytest.approx(210)
    assert report.components["lanes"].nominal == pytest.approx(110 + 20)
    assert report.total.nominal == pytest.approx(230)
    assert report.level == "predicted"
    assert report.source.startswith("Computing's Energy")
    rules = [entry.price.rule for entry in report.actions]
    assert rules[0] == "abs_difference counted as 2 add, published"


def test_external_memory_keeps_its_range():
    report = estimate_energy({"in": [_action("dram_read", 64, count=2)]}, HOROWITZ)
    assert report.total == Energy(low=2600, nominal=2600, high=5200)


def test_zero_events_cost_zero():
    report = estimate_energy({"conv1": [_action("multiply", 8, count=0)]}, HOROWITZ)
    assert report.total == Energy()


def test_kinds_that_a_profile_leaves_out_are_said_not_zeroed():
    actions = {"conv1": [_action("register", 8, count=5), _action("add", 8)]}
    report = estimate_energy(actions, HOROWITZ)
    assert "register: the table has no entry for flip-flops" in report.not_modelled
    assert len(report.actions) == 1


def test_kind_without_entry_fails_and_is_named():
    actions = {"conv1": [_action("shift", 8), _action("float_add", 32)]}
    with pytest.raises(InputError, match=r"no entry for 'shift' \(.*lanes of conv1\), 'float_add'"):
        estimate_energy(actions, load_profile("cacti-45nm"))


def test_operations_that_a_profile_leaves_out_are_said_only_where_they_occur():
    gates = estimate_energy({"conv1": [_action("xnor", 8)]}, HOROWITZ)
    assert "xnor: the table has no entry for XNOR gates" in gates.not_modelled
    sums = estimate_energy({"conv1": [_action("add", 8)]}, HOROWITZ)
    assert not any(line.startswith(("xnor", "shift")) for line in sums.not_modelled)


def test_a_table_of_memories_left_out_leaves_out_reads_and_writes():
    report = estimate_energy({"n": [_weights(), _action("add", 8)]}, load_profile("ecp5"))
    assert "sram_read: the source measures no memories" in report.not_modelled
    assert len(report.actions) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"kind": "ad", "bits": 8}, r"^There is no kind of action 'ad'; did you mean 'add'\?$"),
        ({"kind": "add", "bits": 8, "count": -1}, r"count must not be negative, not -1\.$"),
        ({"kind": "add", "bits": 0}, r"bits must be positive, not 0\.$"),
        ({"kind": "sram_read", "bits": 8}, r"capacity_bits must be given\.$"),
    ],
)
def test_unusable_actions_are_refused(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        _action(**arguments)


def _shipped_text():
    folder = resources.files("hwgen_sim.energy") / "profiles"
    return (folder / "horowitz-45nm.toml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("value = 0.03", "value = -0.03", r"row\.0\.value: Input should be greater than 0"),
        ("value = 0.03", "value = 0.0", r"row\.0\.value: Input should be greater than 0"),
        ("value = 0.03\n", "", r"row\.0\.value: Field required"),
        ("value = 0.03", "valeu = 0.03", r"valeu is no known key; did you mean 'value'\?"),
        ("voltage = 0.9", "volts = 0.9", r"did you mean 'voltage'\?"),
        ('kind = "add"\nbits = 16', 'kind = "ad"\nbits = 16', r"row\.1\.kind: Input should be"),
        ("low = 1300.0", "low = 1400.0", r"value must lie between low and high"),
        ("capacity_bytes = 8192\n", "", r"capacity_bytes belongs to the sram rows"),
        ("value = 0.1", "value = 0.01", r"a larger 'add' must not cost less than a smaller one"),
        ("bits = 16", "bits = 8", r"two rows 'add' have the same size"),
        ('kind = "xnor"', 'kind = "add"', r"'add' has rows, so it must not be under not_modelled"),
        ('kind = "xnor"', 'kind = "xnorr"', r"not_modelled\.5\.kind: Input should be"),
        ('unit = "pJ"', 'unit = "uW"', r"the unit uW belongs to the leakage row"),
        ('unit = "pJ"', 'unit = "mJ"', r"row\.0\.unit: Input should be 'fJ', 'pJ', 'nJ' or 'uW'"),
        ("voltage = 0.9", "voltage = 1.0", r"rows of two tables must not be mixed"),
    ],
)
def test_unusable_profiles_are_refused(old, new, sentence):
    text = _shipped_text()
    assert old in text
    with pytest.raises(InputError, match=sentence):
        read_profile(text.replace(old, new, 1), "mine.toml")


def test_rows_of_two_tables_are_refused():
    before, last = _shipped_text().rsplit("node_nm = 45", 1)
    with pytest.raises(InputError, match=r"rows of two tables must not be mixed"):
        read_profile(f"{before}node_nm = 7{last}", "mixed.toml")


def test_profile_that_is_not_toml_is_refused():
    with pytest.raises(InputError, match=r"^The energy profile mine\.toml is not TOML: "):
        read_profile("name = ", "mine.toml")


def test_profile_of_ones_own_is_read_from_its_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(_shipped_text().replace("value = 0.03", "value = 0.04"))
    assert load_profile(str(path)).operation_pj("add", 8).energy.nominal == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("horowitz", r"did you mean 'horowitz-45nm'\?$"),
        ("zzz", r"the profiles are addernet-fp32, cacti-22nm, .*xcup\.$"),
        ("absent.toml", r"^The energy profile absent\.toml does not exist\.$"),
    ],
)
def test_unknown_profiles_are_refused(name, sentence):
    with pytest.raises(InputError, match=sentence):
        load_profile(name)
