"""Published counts and energies beside those of the estimates: the table of docs/energy.md.

Run: python benchmarks/energy_literature.py

Sources are named in docs/energy.md. What is synthesized or simulated was recorded, since it takes
minutes and hours: the commands are beside the figures, benchmarks/activity.py for toggles.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from hwgen.ir.graph import Graph
from hwgen_sim.energy import Action, estimate_energy, load_profile
from hwgen_sim.graph_energy import Numbers, graph_actions
from hwgen_sim.outlines import outline
from hwgen_sim.outlines.builder import Sketch

KERNEL = ("lanes", "accumulate", "input transform", "output transform")
"""What the literature counts: not batch norm, ReLU, pooling and residual sums."""
FP32 = Numbers.parse("fp32")
SUMS = ("add", "subtract", "float_add")
TOGGLES_NJ = {"whole": (8653.0, 13447.9), "adder layers": (3306.3, 7565.7)}
"""LeNet-5 with adders, and with multipliers: by python -m benchmarks.activity kernels, xc7."""
ZEROS = 82.9
"""Percent, by python -m benchmarks.activity zeros."""
ENDS = "the paper counts the first and last layer as adders, too"
AREA = {"multiply": 376.9, "textbook distance": 77.7, "lane": 46.0}
"""um2 of 8-bit operators in Nangate45: python benchmarks/standard_cells.py --tables operators"""
LUT = {"multiply": 31_687, "textbook adder": 8_307, "adder": 3_461}
"""Arrays of 16x16 lanes of 8 bits, multipliers without DSP blocks:
python benchmarks/area.py --full --family xcup --kernel adder "multiply in LUTs" """
WINOGRAD_SAVED = 45.7
"""% of the energy of an adder array: python benchmarks/standard_cells.py --tables winograd"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One published figure beside ours."""

    what: str
    unit: str
    ours: float
    theirs: float
    reason: str = ""

    @property
    def ratio(self) -> float:
        """Ours over theirs."""
        return self.ours / self.theirs


def counted(graph: Graph, numbers: Numbers, *kinds: str) -> int:
    """Events of some kinds in the layers' kernels."""
    return sum(
        action.count
        for actions in graph_actions(graph, numbers).values()
        for action in actions
        if action.kind in kinds and action.component in KERNEL
    )


def kernel_pj(graph: Graph, numbers: Numbers, profile: str) -> float:
    """Energy of the layers' kernels, picojoules per image."""
    found = {
        name: [action for action in actions if action.component in KERNEL]
        for name, actions in graph_actions(graph, numbers).items()
    }
    return estimate_energy(found, load_profile(profile)).total.nominal


def rows() -> Iterator[Row]:
    """All published figures that are compared."""
    yield from _formula()
    yield from _counts()
    yield from _networks()
    yield from _kernels()
    yield from _winograd()
    yield from _others()
    yield from _synthesized()
    yield from _toggles()


def _formula() -> Iterator[Row]:
    for name, products, sums, theirs in (
        ("FCOS", 214.7, 214.7, 987.7),
        ("Adder-FCOS", 112.9, 316.5, 702.7),
    ):
        # 10^8 operations are the last digit that the paper prints
        counts = {"float_multiply": round(products * 10), "float_add": round(sums * 10)}
        actions = [
            Action(component="lanes", kind=kind, bits=32, count=10**8 * count)
            for kind, count in counts.items()
        ]
        energy = estimate_energy({name: actions}, load_profile("addernet-fp32")).total.nominal
        reason = "counts are printed with one decimal"
        yield Row(
            what=f"{name}, {products} G products, {sums} G sums", unit="mJ", ours=energy / 1e9,
            theirs=theirs, reason=reason,
        )  # fmt: skip


def _counts() -> Iterator[Row]:
    """Tables 1 and 2 of AdderNet, arXiv 1912.13200."""
    small = "the paper does not list the layers; six 3x3 layers and one classifier are counted"
    odd = "the paper's ResNet-32 row less 12 equal layers gives 40.81 M, as here"
    for name, products, sums, reason in (
        ("resnet20", 41.17e6, 82.34e6, odd),
        ("resnet32", 69.12e6, 138.24e6, ""),
        ("vgg_small", 0.65e9, 1.30e9, small),
        ("resnet18", 1.8e9, 3.6e9, "printed with one decimal"),
        ("resnet50_v1", 3.9e9, 7.7e9, "printed with one decimal"),
    ):
        ours = counted(outline(name), FP32, "float_multiply")
        yield Row(what=f"{name}: products", unit="", ours=ours, theirs=products, reason=reason)
        ours = counted(outline(f"{name}-adder"), FP32, *SUMS)
        reason = f"{reason}; {ENDS}".removeprefix("; ")
        yield Row(what=f"{name}-adder: additions", unit="", ours=ours, theirs=sums, reason=reason)
    ghost = counted(outline("ghostnet"), FP32, "float_multiply")
    reason = "without squeeze-and-excite, which no node expresses"
    yield Row(what="ghostnet: products", unit="", ours=ghost, theirs=142e6, reason=reason)


def _networks() -> Iterator[Row]:
    plain, adder = (
        kernel_pj(outline(name), FP32, "addernet-fp32") for name in ("edsr_x2", "edsr_x2-adder")
    )
    reason = 'the paper says "about 2x"; the layers around the blocks multiply'
    yield Row(
        what="EDSR x2: energy of convolution / of adder layers", unit="", ours=plain / adder,
        theirs=2.0, reason=reason,
    )  # fmt: skip
    plain, ghost = (
        counted(outline(name), FP32, "float_multiply") for name in ("edsr_x2", "edsr_ghost_x2")
    )
    yield Row(
        what="GhostSR, EDSR x2: operations saved", unit="%", ours=100 * (1 - ghost / plain),
        theirs=46.0, reason="printed without decimals",
    )  # fmt: skip


def _kernels() -> Iterator[Row]:
    """A product against a distance of two additions; the paper has one figure for 8 and 16 bits."""
    profile = load_profile("horowitz-45nm")
    for bits in (4, 8, 16, 32):
        product = profile.operation_pj("multiply", bits).energy.nominal
        distance = profile.operation_pj("abs_difference", bits).energy.nominal
        yield Row(
            what=f"adder kernel against multiplier kernel, {bits} bits: saved", unit="%",
            ours=100 * (1 - distance / product), theirs=81.0,
            reason="theirs: resources of int8 and int16 kernels; ours: energy, horowitz-45nm",
        )  # fmt: skip


def layer(operator: str, channels: int, size: int = 28) -> Graph:
    """A 3x3 layer of as many outputs as inputs."""
    sketch = Sketch("layer", (channels, size, size), operator)  # type: ignore[arg-type]
    sketch.inner("image", channels, 3)
    return sketch.graph()


def _winograd() -> Iterator[Row]:
    numbers = Numbers()
    for channels, theirs in ((16, 0.493), (64, 0.457), (256, 0.447)):
        transformed, direct = (
            counted(layer(name, channels), numbers, *SUMS) for name in ("winograd", "adder")
        )
        what = f"Winograd adder / adder layer, {channels} channels: additions"
        yield Row(what=what, unit="", ours=transformed / direct, theirs=theirs)
    transformed, direct = (
        kernel_pj(layer(name, 16), numbers, "horowitz-45nm") for name in ("winograd", "adder")
    )
    yield Row(
        what="Winograd adder against adder layer, 28x28x16: energy saved", unit="%",
        ours=100 * (1 - transformed / direct), theirs=52.4,
        reason="theirs: a whole FPGA simulation; ours: additions alone, two bits wider",
    )  # fmt: skip


def _others() -> Iterator[Row]:
    profile = load_profile("shiftadd-45nm")
    shift, product = (profile.operation_pj(k, 8).energy.nominal for k in ("shift", "multiply"))
    yield Row(
        what="shift against product, 8 bits: energy saved", unit="%",
        ours=100 * (1 - shift / product), theirs=80.0,
        reason='theirs: ShiftAddNet, whole networks, "over 80 %"',
    )  # fmt: skip


def _synthesized() -> Iterator[Row]:
    """Standard cells and LUTs."""
    hardware = (
        ("adder kernel, area saved at 8 bits: textbook distance", AREA, "textbook distance", 81.0,
         "theirs: one figure for 8 and 16 bits, in theory; ours: Nangate45, level 2"),
        ("adder kernel, area saved at 8 bits: our lane", AREA, "lane", 81.0,
         "max(x - w, 0) is one carry chain, a distance is two; what remains is shared, level 2"),
        ("adder array of 16x16, LUTs saved at 8 bits: textbook form", LUT, "textbook adder", 65.5,
         "theirs: a vendor's synthesis; Yosys' multipliers take over 100 LUT each"),
        ("adder array of 16x16, LUTs saved at 8 bits: our form", LUT, "adder", 65.5,
         "as above; and pairs of our lanes share LUT6_2s and an adder"),
    )  # fmt: skip
    for what, of, kernel, theirs, reason in hardware:
        saved = 100 * (1 - of[kernel] / of["multiply"])
        yield Row(what=what, unit="%", ours=saved, theirs=theirs, reason=reason)
    yield Row(
        what="Winograd adder against adder array, 16 channels: energy saved", unit="%",
        ours=WINOGRAD_SAVED, theirs=52.4,
        reason="theirs: 28x28x16 on an FPGA; ours: Nangate45 with clock and transforms, level 2",
    )  # fmt: skip


def _toggles() -> Iterator[Row]:
    """Of netlists of LeNet-5, and of a trained AdderNet ResNet-20; see docs/energy.md."""
    for end, part, theirs, reason in (
        (
            "least", "whole", 47.85,
            "ours: toggles of a whole LeNet-5 without glitches, whose multiplying first layer takes"
            " half; theirs: FPGA boards",
        ),
        (
            "most", "adder layers", 77.9,
            "ours: its adder layers alone, 8 bits, few lanes beside their control; theirs: FPGA"
            " boards",
        ),
    ):  # fmt: skip
        adder, multiplier = TOGGLES_NJ[part]
        yield Row(
            what=f"accelerator power saved, {end}", unit="%",
            ours=100 * (1 - adder / multiplier), theirs=theirs, reason=reason,
        )  # fmt: skip
    yield Row(
        what="zeros behind BN and ReLU of AdderNet-50", unit="%", ours=ZEROS, theirs=92.0,
        reason="ours: last layer of ResNet-20 on CIFAR-10; theirs: a deeper network on ImageNet",
    )  # fmt: skip


def main() -> None:
    """Print the table."""
    table = Table(box=None, pad_edge=False)
    for column in ("figure", "ours", "theirs", "ratio", "reason for a gap"):
        table.add_column(column, overflow="fold")
    for row in rows():
        ours, theirs = (f"{figure:,.5g} {row.unit}" for figure in (row.ours, row.theirs))
        table.add_row(row.what, ours, theirs, f"{row.ratio:.3f}", row.reason)
    Console(width=200, markup=False, highlight=False).print(table)


if __name__ == "__main__":
    main()
