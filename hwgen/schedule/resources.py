"""Predicted cells of every block on every FPGA family.

A rule says what a block asks of any FPGA; memory.py and multipliers.py say which cells of a family
its memories and products take; what synthesis makes of the rest is calibrated in calibration.py.

`docs/estimates.md` shows their error on designs that no rule has seen.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, reduce
from math import ceil
from operator import or_
from typing import Any, TypeVar

from hwgen.schedule.calibration import CALIBRATION, CELLS
from hwgen.schedule.demand import (
    Demand,
    Memory,
    Product,
    distinct_columns,
    queue_demand,
    ram_demand,
    rom_demand,
    table_demand,
)
from hwgen.schedule.fabric import Fabric, fabric_of
from hwgen.schedule.memory import memory_resources
from hwgen.schedule.multipliers import product_resources
from hwgen.schedule.plan import Resources, Unit
from hwgen_rtl.add import AddParams
from hwgen_rtl.argmax import ArgmaxParams
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.band import BandParams
from hwgen_rtl.concat import ConcatParams
from hwgen_rtl.convert import MergeParams, SplitParams
from hwgen_rtl.depthwise import DepthwiseParams
from hwgen_rtl.drain import DrainParams
from hwgen_rtl.fifo import QueueParams
from hwgen_rtl.finish import FinishParams
from hwgen_rtl.fork import ForkParams
from hwgen_rtl.hold import HoldParams
from hwgen_rtl.lanes import AdderLanes, DistanceLanes, MinimumLanes
from hwgen_rtl.line_buffer import LineBufferParams
from hwgen_rtl.loops import address_steps
from hwgen_rtl.lut import LutParams
from hwgen_rtl.numerics import IntType, ceil_log2
from hwgen_rtl.pad import PadParams
from hwgen_rtl.pool import PoolParams
from hwgen_rtl.popcount import PopcountParams
from hwgen_rtl.requantize import RequantizeParams
from hwgen_rtl.shift import ShiftParams
from hwgen_rtl.slice import SliceParams
from hwgen_rtl.ternary import TernarySumParams
from hwgen_rtl.threshold import ThresholdParams
from hwgen_rtl.widen import WidenParams
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_rtl.winograd_array import WinogradArrayParams
from hwgen_rtl.winograd_input import InputTransformParams

__all__ = ["DEFAULT_FAMILY", "Count", "block_resources", "counted", "parts", "unit_resources"]


_T = TypeVar("_T", Memory, Product)
DEFAULT_FAMILY = "ecp5"


@dataclass(frozen=True)
class Count:
    """What the rule of a block counts: logic, which is calibrated, and memory cells, which are not.

    Multipliers count as memory cells do, the adders of their parts as logic.
    """

    logic: Resources
    fixed: Resources


def unit_resources(unit: Unit, family: str = DEFAULT_FAMILY) -> Resources:
    """Sum over the blocks of a unit."""
    return sum((block_resources(stage.params, family) for stage in unit.blocks), Resources())


@lru_cache(maxsize=1 << 16)
def block_resources(params: Any, family: str = DEFAULT_FAMILY) -> Resources:
    """Cells of one block from its Params alone: counted by a rule, and calibrated."""
    return sum((_calibrated(part, family) for part in parts(params)), Resources())


def parts(params: Any) -> tuple[Any, ...]:
    """A window buffer and its datapath are synthesized as one block and counted one by one."""
    if isinstance(params, WindowedParams):
        return params.window, params.datapath
    return (params,)


def counted(params: Any, family: str = DEFAULT_FAMILY) -> Count:
    """Cells that the rule of a block counts, before calibration."""
    fabric, demand = fabric_of(family), _RULES[type(params)](params)
    pairs = 2 / fabric.carry if fabric.carry else 0  # of bits for each carry cell
    lut = demand.lut + (demand.chain if fabric.chains_take_luts else 0)
    logic = Resources(lut=lut, carry=demand.carry * pairs, ff=demand.ff)
    logic += _chains(demand, fabric)
    fixed = Resources()
    for memory, cells in _counts(demand.memories, memory_resources, fabric):
        if memory.style == "logic":
            logic += cells
        else:
            fixed += cells
    for _, cells in _counts(demand.products, product_resources, fabric):
        around = Resources(lut=cells.lut, carry=cells.carry * pairs)
        fixed += Resources(dsp=cells.dsp)
        if cells.dsp:
            logic += around
        else:  # a product in LUTs is as large as two operands ask, however LUTs pack the rest
            fixed += around
    return Count(logic, fixed)


def _chains(demand: Demand, fabric: Fabric) -> Resources:
    """Carry chains bit by bit; short ones become gates."""
    chains = [bits for bits in demand.sums + demand.tests if bits >= fabric.least_chain]
    cells = sum(ceil(bits / fabric.carry) for bits in chains) if fabric.carry else 0
    tests = (bits for bits in demand.tests if fabric.chains_take_luts or bits < fabric.least_chain)
    return Resources(lut=sum(demand.sums) + sum(tests), carry=cells)


def _counts(
    things: Iterable[_T], cells: Callable[[_T, Fabric], Resources], fabric: Fabric
) -> Iterator[tuple[_T, Resources]]:
    """Each kind of thing once, with the cells of all of its kind."""
    for thing, number in Counter(things).items():
        yield thing, cells(thing, fabric).times(number)


def _calibrated(params: Any, family: str) -> Resources:
    count = counted(params, family)
    table = CALIBRATION[family]
    lines = table.get(type(params).__name__, table[""])
    values = [
        max(0.0, scale * getattr(count.logic, cell) + offset) if getattr(count.logic, cell) else 0.0
        for cell, (scale, offset) in zip(CELLS, lines, strict=True)
    ]
    return count.fixed + Resources(**dict(zip(CELLS, values, strict=True)))


def _adder(bits: int) -> Demand:
    return Demand(sums=(bits,), ff=bits)


def _array(p: ArrayParams) -> Demand:
    element = _element(p)
    shared = Demand(ff=p.fetch * p.simd * p.x.bits + 4 * p.latency)
    if p.lanes.shared is not None:
        total = _ternary_sum(p.shared_sum) if p.ternary else _sum(p, p.lanes.shared, p.acc.bits)
        shared += total + Demand(ff=p.simd * p.lanes.shared.bits)
    shared += rom_demand(p.pe * p.simd * p.weight_bits, p.folds * p.beats)
    return shared + _scaled(element, p.pe)


def _element(p: ArrayParams) -> Demand:
    if not p.ternary:
        return _scaled(_LANES[p.kernel](p), p.simd) + _sum(p, p.lane, p.sum_bits)
    lanes = _scaled(_LANES[p.kernel](p), p.simd)
    if p.kernel == "xnor":  # two bits of each count
        counts = 2 * p.lanes.sums(p.simd)[0]
        lanes = Demand(lut=counts, ff=counts)
    if isinstance(p.lanes, MinimumLanes):
        lanes = _minima(p.simd, p.lane.bits)
    return lanes + _ternary_sum(p.element_sum)


def _minima(simd: int, bits: int) -> Demand:
    """A pair: two comparisons of two bits a LUT, a gate, an adder; a single one chooses instead."""
    compared = -(-bits // 2)
    pair = Demand(lut=2 * compared + 1 + bits, carry=compared + bits / 2, ff=4 * bits + 2)
    single = Demand(lut=2 * compared, carry=compared / 2, ff=2 * bits + 1)
    return _scaled(pair, simd // 2) + _scaled(single, simd % 2)


def _ternary_sum(p: TernarySumParams) -> Demand:
    """A LUT a bit."""
    return Demand(lut=p.adder_bits, carry=p.adder_bits / 2, ff=p.adder_bits + p.bits)


def _sum(p: ArrayParams, kind: IntType, bits: int) -> Demand:
    """A tree, the accumulator behind it, unless jobs have one beat, and the sum."""
    tree = _popcount(PopcountParams(p.simd))
    if p.kernel != "xnor":
        tree = _tree(p.simd, kind)
    accumulator = _adder(bits) + Demand(lut=1) if p.beats > 1 else Demand()
    return tree + accumulator + Demand(ff=bits)


def _drain(p: DrainParams) -> Demand:
    """Sums move up by a choice for each bit, unless all leave at once."""
    bits, share = p.array.pe * p.array.sum_bits, p.array.acc.bits
    shared = Demand(ff=share) if p.array.lanes.shared is not None else Demand()
    moved = bits if p.ratio > 1 else 0
    if p.chosen:
        moved = (bits - p.lanes * p.array.sum_bits) / 3
    return shared + Demand(lut=moved + 3, ff=bits + p.ratio.bit_length())


def _finish(p: FinishParams) -> Demand:
    array = p.array
    shared = Demand()
    if array.lanes.shared is not None:
        shared = _scaled(_adder(array.acc.bits), p.lanes) + Demand(ff=array.acc.bits * p.fetch)
    delays = Demand(ff=p.lanes * array.sum_bits * (p.latency - 1) + p.latency)
    rom = rom_demand(p.lanes * array.acc.bits, p.depth)
    return shared + delays + rom + _scaled(_adder(array.acc.bits), p.lanes)


def _popcount(p: PopcountParams) -> Demand:
    """Two LUTs a full adder; the last sum is short and mostly carries into single bits."""
    return Demand(lut=2 * p.full_adders + p.carry_bits, ff=p.registers)


def _tree(terms: int, kind: IntType) -> Demand:
    """Adders, each with a register."""
    adders = (_adder(kind.bits + n + 1).times(terms >> n + 1) for n in range(ceil_log2(terms)))
    return sum(adders, Demand())


def _multiply_lane(p: ArrayParams) -> Demand:
    return Demand(products=(_product(p.x, p.w, p.sum_bits),), ff=p.lane.bits)


def _product(x: IntType, w: IntType, bits: int) -> Product:
    """Of the sum's ``bits`` no more than both operands have: some families decide by that."""
    return Product(x, w, min(bits, x.bits + w.bits))


def _adder_lane(p: ArrayParams) -> Demand:
    if isinstance(p.lanes, DistanceLanes):
        return _gate_lane(p)
    return _difference(AdderLanes(p.x, p.w))


def _difference(lanes: AdderLanes) -> Demand:
    """A carry chain with a bit below it, and the reset of the register behind."""
    bits = lanes.difference.bits
    return Demand(lut=3 - bits % 2, sums=(bits,), ff=lanes.lane.bits)


def _gate_lane(p: ArrayParams) -> Demand:
    """One gate a bit."""
    return Demand(lut=p.lane.bits, ff=p.lane.bits)


def _shift_lane(p: ArrayParams) -> Demand:
    """Gates behind a barrel: a multiplexer a bit and stage, which grows from x to the lane."""
    stages, bits = p.weight_bits - 2, (p.x.bits + p.lane.bits) / 2
    return Demand(lut=p.lane.bits + stages * bits, ff=p.lane.bits)


def _scaled(r: Demand, times: int) -> Demand:
    return r.times(times)


def _window(p: WindowParams) -> Demand:
    """Two a bit of a counter, three a bit of the address in which the steps of loops differ."""
    address, level = max(1, ceil_log2(p.depth)), p.level_bits
    counters = sum(ceil_log2(loop.count) for loop in p.loops())
    steps, wraps = _used_steps(p), p.depth != 1 << address
    differ = sum(len({step >> bit & 1 for step in steps}) > 1 for bit in range(address))
    control = Demand(
        lut=2 * counters + 3 * differ + 1.5 * wraps * address,
        ff=2 * address + counters + level + 5,
        sums=(address - _zeros(*steps), address, level, level - _zeros(*p.strides)),
        # whether there is room and a window, each with and without a release
        tests=2 * (level - _zeros(p.depth), level - _zeros(p.span)),
    )
    if wraps:
        control += Demand(sums=(address + 1 - _zeros(p.depth),))
    return control + ram_demand(p.lanes * p.kind.bits, p.depth)


def _used_steps(p: WindowParams) -> list[int]:
    """What is added to the address by each loop that has more than one iteration."""
    counts = (2, *(loop.count for loop in p.loops()))
    steps = address_steps(p.loops(), p.depth, p.image)
    return [step for step, count in zip(steps, counts, strict=True) if count > 1]


def _zeros(*values: int) -> int:
    """Lowest bits that are 0 in all values: an adder leaves them out."""
    found = reduce(or_, values)
    return (found & -found).bit_length() - 1


def _pool(p: PoolParams) -> Demand:
    return _scaled(Demand(lut=2 * p.result.bits, ff=p.result.bits), p.lanes)


def _depthwise(p: DepthwiseParams) -> Demand:
    first = Demand(lut=p.acc.bits)  # the sum or the constant
    product = Demand(products=(_product(p.x, p.w, p.acc.bits),), ff=p.lane.bits)
    lane = product + _adder(p.acc.bits) + first
    shared = Demand(ff=p.fetch * p.lanes * p.x.bits + 4 * p.latency)
    shared += rom_demand(p.lanes * p.w.bits, p.words * p.beats)
    shared += rom_demand(p.lanes * p.acc.bits, p.words)
    return shared + _scaled(lane, p.lanes)


def _threshold(p: ThresholdParams) -> Demand:
    compare = Demand(lut=1, chain=p.acc.bits, carry=p.acc.bits / 2, ff=1)
    lane = _scaled(compare, p.thresholds) + _popcount(p.count)
    lane += Demand(ff=p.fetch * p.acc.bits + (p.fetch - 1) * p.thresholds * p.cut_bits)
    rom = rom_demand(p.lanes * p.thresholds * p.cut_bits, p.channels // p.lanes)
    return rom + _scaled(lane, p.lanes) + Demand(lut=2, ff=p.latency)


def _lut(p: LutParams) -> Demand:
    """A port for each lane of a table that all read; of several, each lane has its own."""
    if p.channels == 1:
        tables = rom_demand(p.out.bits, p.depth, p.lanes)
    else:
        tables = _scaled(rom_demand(p.out.bits, p.depth), p.lanes)
    output = Demand(ff=p.lanes * p.out.bits * (p.latency - 1) + p.latency)
    group = Demand(lut=ceil_log2(p.groups), ff=ceil_log2(p.groups))
    return tables + output + group


def _requantize(p: RequantizeParams) -> Demand:
    """Of the total only what is left of the shift is kept; clamping compares that with limits."""
    left, depth = p.total.bits - p.shift, p.channels // p.lanes
    total = Demand(lut=left, carry=p.total.bits / 2, chain=p.shift, ff=left)
    limit = Demand(chain=left, carry=left / 2) if left > p.out.bits else Demand()
    lane = Demand(
        lut=p.out.bits,
        ff=p.acc.bits * p.fetch + p.acc.bits + p.multiplier.bits + p.out.bits,
        products=(Product(p.acc, p.multiplier, p.total.bits),),
    )
    held = distinct_columns(p.lanes * p.bias.bits, depth)
    constants = rom_demand(p.lanes * (p.multiplier.bits + p.bias.bits), depth)
    if p.fetch == 2:
        held += p.lanes * (p.multiplier.bits + p.bias.bits)
    control = Demand(lut=ceil_log2(depth), ff=ceil_log2(depth) + p.latency + held)
    return constants + control + _scaled(lane + total + limit, p.lanes)


def _hold(p: HoldParams) -> Demand:
    return Demand(lut=2, ff=p.lanes * p.kind.bits + 1)


def _split(p: SplitParams) -> Demand:
    bits = p.i_lanes * p.kind.bits
    return Demand(lut=bits, ff=bits)


def _merge(p: MergeParams) -> Demand:
    return Demand(lut=4, ff=p.o_lanes * p.kind.bits)


def _pad(p: PadParams) -> Demand:
    return Demand(lut=p.lanes * p.kind.bits + 40, ff=20)


def _queue(p: QueueParams) -> Demand:
    control = Demand(lut=20, carry=8, ff=12)
    return control + queue_demand(p.lanes * p.kind.bits, p.depth - 1)  # one more waits behind


def _lines(p: LineBufferParams) -> Demand:
    word = p.lanes * p.kind.bits
    control = Demand(lut=40, carry=10, ff=word + 30)
    return control + ram_demand((p.rows - 1) * word, p.width * p.words)


def _argmax(p: ArgmaxParams) -> Demand:
    return Demand(lut=2 * p.kind.bits, carry=p.kind.bits / 2, ff=p.kind.bits + 8)


def _input_transform(p: InputTransformParams) -> Demand:
    """Adders of columns and rows; columns 0 and 3 of V share theirs.

    The type of both sums and differences of unsigned values has a bit that neither needs.
    """
    spare = 0 if p.x.signed else 1
    column, v = p.column.bits - spare, p.v.bits - spare
    lane = _scaled(_adder(column), 4) + _scaled(_adder(v), 12)
    lane += Demand(ff=4 * v + 8 * column)
    return _scaled(lane, p.lanes) + Demand(lut=8, ff=8)


def _winograd_array(p: WinogradArrayParams) -> Demand:
    lane = _difference(p.comparison)
    combine = _scaled(_adder(p.acc.bits), 4)
    element = _scaled(lane, 16 * p.lanes) + _tile_sum(p.lanes, p.lane, p.half) + combine
    shared = Demand(ff=(p.fetch + 1) * 16 * p.lanes * p.v.bits + 4 * p.latency)
    shared += _tile_sum(p.lanes, p.v, p.acc.bits)
    weights = 16 * p.pe * p.lanes * p.w.bits
    shared += rom_demand(weights, p.folds * p.beats) + Demand(ff=(p.fetch - 1) * weights)
    shared += rom_demand(4 * p.pe * (p.half + 1), p.folds) + Demand(ff=12 * p.pe)
    return shared + _scaled(element, p.pe)


def _tile_sum(lanes: int, kind: IntType, bits: int) -> Demand:
    """16 trees and accumulators with a choice of start, then 12 sums of three terms."""
    trees = _scaled(_tree(lanes, kind), 16)
    sums = _scaled(_adder(bits), 16) + Demand(lut=16 * bits)
    return trees + sums + Demand(lut=36 * bits, carry=6 * bits, ff=12 * bits)


def _band(p: BandParams) -> Demand:
    address = ceil_log2(p.depth)
    control = Demand(lut=20 * address, carry=4 * address, ff=6 * address + 5)
    width, square = p.lanes * p.kind.bits, p.factor**2 if p.shuffle else 1
    choice = Demand(lut=width * (square - 1) * 2 / 3)
    return control + choice + ram_demand(p.i_lanes * p.kind.bits, p.depth)


def _fork(p: ForkParams) -> Demand:
    return Demand(lut=3 * p.ways, ff=p.ways)


def _add(p: AddParams) -> Demand:
    return _scaled(_adder(p.result.bits), p.lanes) + Demand(lut=3, ff=1)


def _concat(p: ConcatParams) -> Demand:
    bits, ways = p.lanes * p.kind.bits, len(p.words)
    count = ceil_log2(max(p.words)) + ceil_log2(ways)
    control = Demand(lut=3 * count + 2 * ways, ff=count + 1)
    return control + Demand(lut=bits * (ways - 1), ff=bits)


def _slice(p: SliceParams) -> Demand:
    count = ceil_log2(p.words)
    return Demand(lut=3 * count + 2, ff=count)


def _shift(p: ShiftParams) -> Demand:
    width = p.lanes * p.kind.bits
    address, position = ceil_log2(p.depth), ceil_log2(p.image)
    control = Demand(
        lut=12 * address + 5 * position,
        carry=2 * address + 1.5 * position,
        ff=3 * address + 2 * position + 4,
    )
    return control + table_demand(p.table) + Demand(lut=width) + ram_demand(width, p.depth)


_LANES = {
    "multiply": _multiply_lane,
    "adder": _adder_lane,
    "xnor": _gate_lane,
    "sign": _gate_lane,
    "shift": _shift_lane,
}


def _wires(p: WidenParams) -> Demand:
    return Demand()


_RULES = {
    ArrayParams: _array,
    AddParams: _add,
    ArgmaxParams: _argmax,
    ConcatParams: _concat,
    DepthwiseParams: _depthwise,
    BandParams: _band,
    ForkParams: _fork,
    HoldParams: _hold,
    DrainParams: _drain,
    FinishParams: _finish,
    InputTransformParams: _input_transform,
    LineBufferParams: _lines,
    LutParams: _lut,
    MergeParams: _merge,
    PadParams: _pad,
    PoolParams: _pool,
    QueueParams: _queue,
    RequantizeParams: _requantize,
    ShiftParams: _shift,
    SliceParams: _slice,
    SplitParams: _split,
    ThresholdParams: _threshold,
    WidenParams: _wires,
    WindowParams: _window,
    WinogradArrayParams: _winograd_array,
}
