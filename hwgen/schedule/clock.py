"""The clock that a design is expected to reach, from the longest paths of its blocks.

A path is what a signal passes between two registers: LUTs, carry chains, a multiplier or block RAM,
and a routed net in front of each. The longest path of all blocks sets the clock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log, sqrt
from typing import Any

from hwgen.schedule.plan import Plan, Resources, Unit
from hwgen.schedule.resources import block_resources
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.depthwise import DepthwiseParams
from hwgen_rtl.line_buffer import LineBufferParams
from hwgen_rtl.numerics import ceil_log2
from hwgen_rtl.pad import PadParams
from hwgen_rtl.pool import PoolParams
from hwgen_rtl.requantize import RequantizeParams
from hwgen_rtl.storage import ram_in_block
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams

__all__ = ["SPEEDS", "Clock", "Speed", "TimingPath", "period_of", "predict_clock"]
__all__ += ["slowest_path", "unit_paths"]


@dataclass(frozen=True, kw_only=True)
class TimingPath:
    """What lies between two registers of ``block``.

    Parameters:
        role     : what the path is for, in words
        luts     : LUTs in a row
        chains   : bits of each carry chain in a row
        products : multipliers of the block, of which the path takes one
        memories : block RAMs that the path starts at
        fan_out  : flip-flops that its last net enables
    """

    block: str
    role: str
    luts: int = 0
    chains: tuple[int, ...] = ()
    products: int = 0
    memories: int = 0
    fan_out: float = 0


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Delays of a family in nanoseconds, and how they grow.

    The delays of cells are those that nextpnr reports; those of nets are fitted.

    Parameters:
        register, lut, product, memory : of a flip-flop, LUT, multiplier and block RAM
        chain, bit     : of a carry chain, and of each bit of it
        net            : of a net in a design of 1,000 LUTs
        growth         : of all nets, for each factor of e in LUTs
        product_net    : of the nets before and behind a multiplier
        spread         : of those, for the square root of the block's multipliers, in a design of
                         1,000 LUTs; it grows with the LUTs to the power of 2/3, since multipliers
                         sit in rows that a large design is far from
        enable         : of a net that enables flip-flops, for the square root of their number
    """

    register: float
    lut: float
    product: float
    memory: float
    chain: float
    bit: float
    net: float
    growth: float
    product_net: float
    spread: float
    enable: float


SPEEDS: Mapping[str, Speed] = {
    "ecp5": Speed(
        register=0.53,
        lut=0.24,
        product=3.93,
        memory=5.7,
        chain=0.89,
        bit=0.035,
        net=0.71,
        growth=0.09,
        product_net=1.17,
        spread=0.177,
        enable=0.12,
    ),
}
"""Family to its speed: ECP5 of speed grade 6, the slowest one."""


@dataclass(frozen=True)
class Clock:
    """The predicted clock and the block that limits it."""

    mhz: float
    unit: str
    path: TimingPath

    @property
    def limit(self) -> str:
        """The limiting path in words."""
        return f"{self.unit}, {self.path.block}: {self.path.role}"


def predict_clock(plan: Plan) -> Clock | None:
    """The clock of a plan; None for families of which no design was routed for this."""
    return slowest_path(plan.units, plan.total, plan.target.family)


def slowest_path(units: Sequence[Unit], total: Resources, family: str) -> Clock | None:
    """The clock of units that take ``total`` cells."""
    speed = SPEEDS.get(family)
    if speed is None:
        return None
    slowest = max(
        (period_of(path, total, speed), unit.name, n, path)
        for unit in units
        for n, path in enumerate(unit_paths([stage.params for stage in unit.blocks]))
    )
    period, unit, _, path = slowest
    return Clock(1000 / period, unit, path)


def period_of(path: TimingPath, design: Resources, speed: Speed) -> float:
    """Nanoseconds from register to register, in a design of so many cells."""
    size = 1 + speed.growth * log(max(design.lut, 100) / 1000)
    nets = len(path.chains) + path.luts + (1 if path.memories else 0)
    distance = sqrt(path.products) * (design.lut / 1000) ** (2 / 3)
    product_net = speed.product_net + speed.spread * distance
    product = speed.product + 2 * product_net if path.products else 0
    return (
        (speed.memory if path.memories else speed.register)
        + path.luts * speed.lut
        + len(path.chains) * speed.chain
        + sum(path.chains) * speed.bit
        + product
        + nets * speed.net * size
        + speed.enable * sqrt(path.fan_out)
    )


def unit_paths(blocks: Sequence[Any]) -> Iterator[TimingPath]:
    """Long paths of the blocks of a unit, which are given in stream order."""
    padded = 0
    for params in blocks:
        if isinstance(params, PadParams):
            padded = ceil_log2(params.padded[1] * params.words)
        elif isinstance(params, LineBufferParams):
            padded = 0
        elif isinstance(params, WindowedParams):
            yield from _windowed(params, padded)
        elif isinstance(params, RequantizeParams):
            yield _requantize(params)


def _windowed(params: WindowedParams, padded: int) -> Iterator[TimingPath]:
    window, datapath = params.window, params.datapath
    yield _walk(window)
    yield _level(window, padded)
    cells = block_resources(params)
    yield TimingPath(block="window", role="stall", luts=2, fan_out=cells.ff)
    if isinstance(datapath, PoolParams) and ram_in_block(
        window.lanes * window.kind.bits, window.depth
    ):
        kind = datapath.result.bits
        yield TimingPath(block="pool", role="element", luts=2, chains=(kind,), memories=1)
    if isinstance(datapath, DepthwiseParams) or (
        isinstance(datapath, ArrayParams) and datapath.kernel == "multiply"
    ):
        products = block_resources(params).dsp
        yield TimingPath(block="array", role="product", products=products)


def _walk(window: WindowParams) -> TimingPath:
    """The next address: which loops end, what to add, the sum, and whether it wraps."""
    address = ceil_log2(window.depth)
    counters = sum(ceil_log2(loop.count) for loop in window.loops())
    ends = ceil(log(max(counters, 4), 4))
    if window.depth & (window.depth - 1) == 0:
        return TimingPath(block="window", role="address", luts=ends + 3, chains=(address,))
    return TimingPath(block="window", role="address", luts=ends + 4, chains=(address, address))


def _level(window: WindowParams, padded: int) -> TimingPath:
    """Whether a word comes, of which the padding is counted; how full that makes the buffer."""
    level = window.depth.bit_length() + 2
    chains = (padded, level, level) if padded else (level, level)
    return TimingPath(block="window", role="level", luts=3 if padded else 2, chains=chains)


def _requantize(params: RequantizeParams) -> TimingPath:
    """The product, and the sum of its parts."""
    beyond = max(params.acc.bits, params.multiplier.bits) - 18
    bits = params.acc.bits + params.multiplier.bits - 18
    chains = (bits,) if beyond > 0 else ()
    products = block_resources(params).dsp
    return TimingPath(block="affine", role="product", products=products, chains=chains)
