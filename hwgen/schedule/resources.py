"""Predicted cells of every block, in terms of a 4-input-LUT FPGA with carry chains.

`docs/estimates.md` shows their error on designs that no rule has seen.
"""

from dataclasses import replace

from hwgen.schedule.calibration import CALIBRATION
from hwgen.schedule.memory import memory_resources, rom_resources
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
from hwgen_rtl.lut import LutParams
from hwgen_rtl.numerics import IntType, ceil_log2
from hwgen_rtl.pad import PadParams
from hwgen_rtl.pool import PoolParams
from hwgen_rtl.popcount import PopcountParams
from hwgen_rtl.requantize import RequantizeParams
from hwgen_rtl.shift import ShiftParams
from hwgen_rtl.slice import SliceParams
from hwgen_rtl.storage import rom_in_block
from hwgen_rtl.ternary import TernarySumParams
from hwgen_rtl.threshold import ThresholdParams
from hwgen_rtl.widen import WidenParams
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_rtl.winograd_array import WinogradArrayParams
from hwgen_rtl.winograd_input import InputTransformParams

__all__ = ["block_resources", "counted", "parts", "unit_resources"]


def unit_resources(unit: Unit) -> Resources:
    """Sum over the blocks of a unit."""
    return sum((block_resources(stage.params) for stage in unit.blocks), Resources())


def block_resources(params) -> Resources:
    """Cells of one block from its Params alone: counted by a rule, and calibrated."""
    return sum((_calibrated(part) for part in parts(params)), Resources())


def parts(params) -> tuple:
    """A window buffer and its datapath are synthesized as one block and counted one by one."""
    if isinstance(params, WindowedParams):
        return params.window, params.datapath
    return (params,)


def counted(params) -> Resources:
    """Cells that the rule of a block counts, before calibration."""
    return _RULES[type(params)](params)


def _calibrated(params) -> Resources:
    cells = counted(params)
    (scale, offset), (carry_scale, carry_offset) = CALIBRATION.get(
        type(params).__name__, ((1, 0), (1, 0))
    )
    lut, carry = scale * cells.lut + offset, carry_scale * cells.carry + carry_offset
    return replace(cells, lut=max(0.0, lut), carry=max(0.0, carry) if cells.carry else 0)


def _adder(bits: float) -> Resources:
    return Resources(lut=bits, carry=bits / 2, ff=bits)


def _array(p: ArrayParams) -> Resources:
    element = _element(p)
    shared = Resources(ff=p.fetch * p.simd * p.x.bits + 4 * p.latency)
    if p.lanes.shared is not None:
        total = _ternary_sum(p.shared_sum) if p.ternary else _sum(p, p.lanes.shared, p.acc.bits)
        shared += total + Resources(ff=p.simd * p.lanes.shared.bits)
    shared += rom_resources(p.pe * p.simd * p.weight_bits, p.folds * p.beats)
    return shared + _scaled(element, p.pe)


def _element(p: ArrayParams) -> Resources:
    if not p.ternary:
        return _scaled(_LANES[p.kernel](p), p.simd) + _sum(p, p.lane, p.sum_bits)
    lanes = _scaled(_LANES[p.kernel](p), p.simd)
    if p.kernel == "xnor":  # two bits of each count
        counts = 2 * p.lanes.sums(p.simd)[0]
        lanes = Resources(lut=counts, ff=counts)
    if isinstance(p.lanes, MinimumLanes):
        lanes = _minima(p.simd, p.lane.bits)
    return lanes + _ternary_sum(p.element_sum)


def _minima(simd: int, bits: int) -> Resources:
    """A pair: two comparisons of two bits a LUT, a gate, an adder; a single one chooses instead."""
    compared = -(-bits // 2)
    pair = Resources(lut=2 * compared + 1 + bits, carry=(compared + bits) / 2, ff=4 * bits + 2)
    single = Resources(lut=2 * compared, carry=compared / 4, ff=2 * bits + 1)
    return _scaled(pair, simd // 2) + _scaled(single, simd % 2)


def _ternary_sum(p: TernarySumParams) -> Resources:
    """A LUT a bit."""
    return Resources(lut=p.adder_bits, carry=p.adder_bits / 4, ff=p.adder_bits + p.bits)


def _sum(p: ArrayParams, kind: IntType, bits: int) -> Resources:
    """A tree, the accumulator behind it, unless jobs have one beat, and the sum."""
    tree = _popcount(PopcountParams(p.simd))
    if p.kernel != "xnor":
        tree = _adder(_tree_bits(p.simd, kind))
    accumulator = _adder(bits) + Resources(lut=1) if p.beats > 1 else Resources()
    return tree + accumulator + Resources(ff=bits)


def _drain(p: DrainParams) -> Resources:
    """Sums move up by a choice for each bit, unless all leave at once."""
    bits, share = p.array.pe * p.array.sum_bits, p.array.acc.bits
    shared = Resources(ff=share) if p.array.lanes.shared is not None else Resources()
    moved = bits if p.ratio > 1 else 0
    if p.chosen:
        moved = (bits - p.lanes * p.array.sum_bits) / 3
    return shared + Resources(lut=moved + 3, ff=bits + p.ratio.bit_length())


def _finish(p: FinishParams) -> Resources:
    array = p.array
    shared = Resources()
    if array.lanes.shared is not None:
        shared = _scaled(_adder(array.acc.bits), p.lanes) + Resources(ff=array.acc.bits * p.fetch)
    delays = Resources(ff=p.lanes * array.sum_bits * (p.latency - 1) + p.latency)
    rom = rom_resources(p.lanes * array.acc.bits, p.depth)
    return shared + delays + rom + _scaled(_adder(array.acc.bits), p.lanes)


def _popcount(p: PopcountParams) -> Resources:
    """Two LUTs a full adder; the last sum is short and mostly carries into single bits."""
    return Resources(lut=2 * p.full_adders + p.carry_bits, ff=p.registers)


def _tree_bits(terms: int, kind: IntType) -> int:
    """Result bits of all adders of a tree."""
    return sum((terms >> n + 1) * (kind.bits + n + 1) for n in range(ceil_log2(terms)))


def _multiply_lane(p: ArrayParams) -> Resources:
    return Resources(dsp=1, ff=p.lane.bits)


def _adder_lane(p: ArrayParams) -> Resources:
    if isinstance(p.lanes, DistanceLanes):
        return _gate_lane(p)
    return _difference(AdderLanes(p.x, p.w))


def _difference(lanes: AdderLanes) -> Resources:
    """A carry chain with a bit below it, and the reset of the register behind."""
    cells = -(-(lanes.difference.bits + 1) // 2)
    return Resources(lut=2 * cells + 1, carry=cells, ff=lanes.lane.bits)


def _gate_lane(p: ArrayParams) -> Resources:
    """One gate a bit."""
    return Resources(lut=p.lane.bits, ff=p.lane.bits)


def _shift_lane(p: ArrayParams) -> Resources:
    """Gates behind a barrel: a multiplexer a bit and stage, which grows from x to the lane."""
    stages, bits = p.weight_bits - 2, (p.x.bits + p.lane.bits) / 2
    return Resources(lut=p.lane.bits + stages * bits, ff=p.lane.bits)


def _scaled(r: Resources, times: int) -> Resources:
    return Resources(
        lut=r.lut * times,
        carry=r.carry * times,
        ff=r.ff * times,
        bram=r.bram * times,
        dsp=r.dsp * times,
    )


def _window(p: WindowParams) -> Resources:
    address = max(4, ceil_log2(p.depth))
    control = Resources(lut=14 * address, carry=4 * address, ff=6 * address)
    return control + memory_resources(p.lanes * p.kind.bits, p.depth)


def _pool(p: PoolParams) -> Resources:
    return _scaled(Resources(lut=2 * p.result.bits, ff=p.result.bits), p.lanes)


def _depthwise(p: DepthwiseParams) -> Resources:
    first = Resources(lut=p.acc.bits)  # the sum or the constant
    lane = Resources(dsp=1, ff=p.lane.bits) + _adder(p.acc.bits) + first
    shared = Resources(ff=p.fetch * p.lanes * p.x.bits + 4 * p.latency)
    shared += rom_resources(p.lanes * p.w.bits, p.words * p.beats)
    shared += rom_resources(p.lanes * p.acc.bits, p.words)
    return shared + _scaled(lane, p.lanes)


def _threshold(p: ThresholdParams) -> Resources:
    compare = Resources(lut=p.acc.bits + 1, carry=p.acc.bits / 2, ff=1)
    lane = _scaled(compare, p.thresholds) + _popcount(p.count)
    lane += Resources(ff=p.fetch * p.acc.bits + (p.fetch - 1) * p.thresholds * p.cut_bits)
    rom = rom_resources(p.lanes * p.thresholds * p.cut_bits, p.channels // p.lanes)
    return rom + _scaled(lane, p.lanes) + Resources(lut=2, ff=p.latency)


def _lut(p: LutParams) -> Resources:
    """A block RAM has two ports: two lanes share one where they read the same table."""
    copies = p.lanes
    if p.channels == 1 and rom_in_block(p.depth):
        copies = -(-p.lanes // 2)
    output = Resources(ff=p.lanes * p.out.bits * (p.latency - 1) + p.latency)
    group = Resources(lut=ceil_log2(p.groups), ff=ceil_log2(p.groups))
    return _scaled(rom_resources(p.out.bits, p.depth), copies) + output + group


def _requantize(p: RequantizeParams) -> Resources:
    width = p.multiplier.bits + p.acc.bits
    lane = Resources(
        lut=p.total.bits + 3 * p.out.bits,
        carry=p.total.bits / 2,
        ff=p.acc.bits + width + p.bias.bits + p.total.bits + p.out.bits,
        dsp=-(-p.acc.bits // 18) * -(-p.multiplier.bits // 18),
    )
    depth = p.channels // p.lanes
    roms = rom_resources(p.lanes * p.multiplier.bits, depth)
    roms += rom_resources(p.lanes * p.bias.bits, depth)
    return roms + _scaled(lane, p.lanes)


def _hold(p: HoldParams) -> Resources:
    return Resources(lut=2, ff=p.lanes * p.kind.bits + 1)


def _split(p: SplitParams) -> Resources:
    bits = p.i_lanes * p.kind.bits
    return Resources(lut=bits, ff=bits)


def _merge(p: MergeParams) -> Resources:
    return Resources(lut=4, ff=p.o_lanes * p.kind.bits)


def _pad(p: PadParams) -> Resources:
    return Resources(lut=p.lanes * p.kind.bits + 40, ff=20)


def _queue(p: QueueParams) -> Resources:
    control = Resources(lut=20, carry=8, ff=12)
    return control + memory_resources(p.lanes * p.kind.bits, p.depth)


def _lines(p: LineBufferParams) -> Resources:
    word = p.lanes * p.kind.bits
    control = Resources(lut=40, carry=10, ff=word + 30)
    return control + memory_resources((p.rows - 1) * word, p.width * p.words)


def _argmax(p: ArgmaxParams) -> Resources:
    return Resources(lut=2 * p.kind.bits, carry=p.kind.bits / 2, ff=p.kind.bits + 8)


def _input_transform(p: InputTransformParams) -> Resources:
    """Adders of columns and rows; columns 0 and 3 of V share theirs."""
    lane = _scaled(_adder(p.column.bits), 4) + _scaled(_adder(p.v.bits), 12)
    lane += Resources(ff=4 * p.v.bits + 8 * p.column.bits)
    return _scaled(lane, p.lanes) + Resources(lut=8, ff=8)


def _winograd_array(p: WinogradArrayParams) -> Resources:
    lane = _difference(p.comparison)
    combine = _scaled(_adder(p.acc.bits), 4)
    element = _scaled(lane, 16 * p.lanes) + _tile_sum(p.lanes, p.lane, p.half) + combine
    shared = Resources(ff=(p.fetch + 1) * 16 * p.lanes * p.v.bits + 4 * p.latency)
    shared += _tile_sum(p.lanes, p.v, p.acc.bits)
    weights = 16 * p.pe * p.lanes * p.w.bits
    shared += rom_resources(weights, p.folds * p.beats) + Resources(ff=(p.fetch - 1) * weights)
    shared += rom_resources(4 * p.pe * (p.half + 1), p.folds) + Resources(ff=12 * p.pe)
    return shared + _scaled(element, p.pe)


def _tile_sum(lanes: int, kind: IntType, bits: int) -> Resources:
    """16 trees and accumulators with a choice of start, then 12 sums of three terms."""
    trees = _scaled(_adder(_tree_bits(lanes, kind)), 16)
    sums = _scaled(_adder(bits), 16) + Resources(lut=16 * bits)
    return trees + sums + Resources(lut=36 * bits, carry=6 * bits, ff=12 * bits)


def _band(p: BandParams) -> Resources:
    address = ceil_log2(p.depth)
    control = Resources(lut=20 * address, carry=4 * address, ff=6 * address + 5)
    width, square = p.lanes * p.kind.bits, p.factor**2 if p.shuffle else 1
    choice = Resources(lut=width * (square - 1) * 2 / 3)
    return control + choice + memory_resources(p.i_lanes * p.kind.bits, p.depth)


def _fork(p: ForkParams) -> Resources:
    return Resources(lut=3 * p.ways, ff=p.ways)


def _add(p: AddParams) -> Resources:
    return _scaled(_adder(p.result.bits), p.lanes) + Resources(lut=3, ff=1)


def _concat(p: ConcatParams) -> Resources:
    bits, ways = p.lanes * p.kind.bits, len(p.words)
    count = ceil_log2(max(p.words)) + ceil_log2(ways)
    control = Resources(lut=3 * count + 2 * ways, ff=count + 1)
    return control + Resources(lut=bits * (ways - 1), ff=bits)


def _slice(p: SliceParams) -> Resources:
    count = ceil_log2(p.words)
    return Resources(lut=3 * count + 2, ff=count)


def _shift(p: ShiftParams) -> Resources:
    width = p.lanes * p.kind.bits
    address, position = ceil_log2(p.depth), ceil_log2(p.image)
    control = Resources(
        lut=12 * address + 5 * position,
        carry=2 * address + 1.5 * position,
        ff=3 * address + 2 * position + 4,
    )
    table = rom_resources(p.entry.size, len(p.offsets))
    return control + table + Resources(lut=width) + memory_resources(width, p.depth)


_LANES = {
    "multiply": _multiply_lane,
    "adder": _adder_lane,
    "xnor": _gate_lane,
    "sign": _gate_lane,
    "shift": _shift_lane,
}


def _wires(p: WidenParams) -> Resources:
    return Resources()


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
