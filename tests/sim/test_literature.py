"""Published figures against ours: those that a table can answer, each within a stated distance."""

import pytest

from benchmarks.energy_literature import rows

ROWS = {row.what: row for row in rows()}

#  figure, ours by hand, and how far it may be from the published one
FIGURES = [
    ("FCOS, 214.7 G products, 214.7 G sums", 3.7 * 214.7 + 0.9 * 214.7, 0.0002),
    ("Adder-FCOS, 112.9 G products, 316.5 G sums", 3.7 * 112.9 + 0.9 * 316.5, 0.0002),
    ("resnet20: products", 40_813_184, 0.009),
    ("resnet20-adder: additions", 2 * 40_813_184 - 442_368 - 640, 0.015),
    ("resnet32: products", 69_124_736, 0.0001),
    ("resnet32-adder: additions", 2 * 69_124_736 - 442_368 - 640, 0.004),
    ("resnet18: products", 1_814_073_344, 0.01),
    ("resnet18-adder: additions", 2 * 1_814_073_344 - 118_013_952 - 512_000, 0.03),
    ("resnet50_v1: products", 3_857_973_248, 0.02),
    ("vgg_small: products", 607_600_640, 0.07),
    ("ghostnet: products", 139_651_568, 0.02),
    # 64 layers in blocks, and six times as much of others: 4.6 pJ a product, 1.8 pJ a distance
    (
        "EDSR x2: energy of convolution / of adder layers",
        4.6 * 40_732_416 / (1.8 * 37_748_736 + 4.6 * 2_983_680),
        0.15,
    ),
    ("GhostSR, EDSR x2: operations saved", 100 * 32 * 589_824 / 40_732_416, 0.01),
    ("adder kernel against multiplier kernel, 4 bits: saved", 40.0, 0.51),
    ("adder kernel against multiplier kernel, 8 bits: saved", 70.0, 0.14),
    ("adder kernel against multiplier kernel, 16 bits: saved", 100 * (1 - 0.1 / 0.78), 0.08),
    ("adder kernel against multiplier kernel, 32 bits: saved", 100 * (1 - 0.2 / 3.1), 0.16),
    ("Winograd adder / adder layer, 16 channels: additions", (32 + 32 / 16 + 24 / 16) / 72, 0.001),
    ("Winograd adder / adder layer, 64 channels: additions", (32 + 56 / 64) / 72, 0.001),
    ("Winograd adder / adder layer, 256 channels: additions", (32 + 56 / 256) / 72, 0.002),
    ("shift against product, 8 bits: energy saved", 88.0, 0.11),
    ("adder kernel, area saved at 8 bits: textbook distance", 100 * (1 - 77.7 / 376.9), 0.03),
    ("adder array of 16x16, LUTs saved at 8 bits: textbook form", 100 * (1 - 8307 / 31687), 0.13),
    # measured once, see docs/energy.md
    ("accelerator power saved, least", 100 * (13447.9 - 8653.0) / 13447.9, 0.26),
    ("accelerator power saved, most", 100 * (7565.7 - 3306.3) / 7565.7, 0.28),
    ("zeros behind BN and ReLU of AdderNet-50", 82.9, 0.1),
]


@pytest.mark.parametrize(("what", "ours", "gap"), FIGURES, ids=[figure[0] for figure in FIGURES])
def test_published_figures(what, ours, gap):
    row = ROWS[what]
    assert row.ours == pytest.approx(ours)
    assert row.ratio == pytest.approx(1, abs=gap)


def test_winograd_saves_about_half_of_the_energy():
    # 52.4 % is published for a whole FPGA design; additions alone, two bits wider, save 50 %
    row = ROWS["Winograd adder against adder layer, 28x28x16: energy saved"]
    assert row.theirs == 52.4
    assert row.ours == pytest.approx(52.4, abs=2.5)


def test_what_a_table_cannot_answer_is_left_to_the_finer_levels():
    for row in ROWS.values():
        assert (row.ours is None) == row.reason.startswith("level ")
