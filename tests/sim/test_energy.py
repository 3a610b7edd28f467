"""Energy: figures worked out by hand from the published tables, laws, and refusals."""

import re
from importlib import resources
from itertools import pairwise

import pytest

from hwgen.errors import InputError
from hwgen_sim.energy import Action, Energy, estimate_energy, load_profile, profile_names
from hwgen_sim.energy.catalogue import read_profile

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


@pytest.mark.parametrize("name", profile_names())
@pytest.mark.parametrize("kind", ["add", "compare", "abs_difference", "multiply"])
def test_more_bits_never_cost_less(name, kind):
    profile = load_profile(name)
    prices = [profile.operation_pj(kind, bits).energy for bits in range(1, 65)]
    for smaller, larger in pairwise(prices):
        assert 0 < smaller.low <= smaller.nominal <= smaller.high
        assert smaller.low < larger.low
        assert smaller.nominal < larger.nominal


@pytest.mark.parametrize("name", profile_names())
def test_larger_memories_never_cost_less(name):
    profile = load_profile(name)
    prices = [profile.memory_pj("sram_read", 8, 2**exponent) for exponent in range(6, 28)]
    for smaller, larger in pairwise(prices):
        assert smaller.energy.nominal < larger.energy.nominal


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
    actions = {"conv1": [_action("shift", 8), _action("xnor", 64)]}
    with pytest.raises(InputError, match=r"'shift' \(.*lanes of conv1\), 'xnor'"):
        estimate_energy(actions, HOROWITZ)


def test_caller_may_leave_a_kind_out_by_giving_a_reason():
    actions = {"conv1": [_action("shift", 8)]}
    report = estimate_energy(actions, HOROWITZ, not_modelled={"shift": "no shifter is published"})
    assert "shift: no shifter is published" in report.not_modelled
    assert report.total == Energy()


def test_a_priced_kind_is_never_left_out():
    report = estimate_energy({"n": [_action("add", 8)]}, HOROWITZ, not_modelled={"add": "no"})
    assert report.total.nominal == pytest.approx(0.03)
    assert not any(sentence.startswith("add") for sentence in report.not_modelled)


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
        ("zzz", r"the profiles are horowitz-45nm\.$"),
        ("absent.toml", r"^The energy profile absent\.toml does not exist\.$"),
    ],
)
def test_unknown_profiles_are_refused(name, sentence):
    with pytest.raises(InputError, match=sentence):
        load_profile(name)
