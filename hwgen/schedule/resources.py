"""Predicted cells of every block, in terms of a 4-input-LUT FPGA with carry chains."""

from hwgen.schedule.memory import memory_resources, rom_resources
from hwgen.schedule.plan import Resources, Unit
from hwgen_rtl.argmax import ArgmaxParams
from hwgen_rtl.array import ArrayParams
from hwgen_rtl.convert import MergeParams, SplitParams
from hwgen_rtl.fifo import QueueParams
from hwgen_rtl.hold import HoldParams
from hwgen_rtl.line_buffer import LineBufferParams
from hwgen_rtl.numerics import IntType, ceil_log2
from hwgen_rtl.pad import PadParams
from hwgen_rtl.pool import PoolParams
from hwgen_rtl.requantize import RequantizeParams
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams

__all__ = ["block_resources", "unit_resources"]


def unit_resources(unit: Unit) -> Resources:
    """Sum over the blocks of a unit."""
    return sum((block_resources(stage.params) for stage in unit.stages), Resources())


def block_resources(params) -> Resources:
    """Cells of one block from its Params alone."""
    return _RULES[type(params)](params)


def _adder(bits: float) -> Resources:
    return Resources(lut=bits, carry=bits / 2, ff=bits)


def _array(p: ArrayParams) -> Resources:
    lane = _lane(p)
    sums = _adder(_tree_bits(p.simd, p.lane)) + _adder(p.acc.bits)
    element = _scaled(lane, p.simd) + sums
    if p.kernel == "adder":
        element += _adder(p.acc.bits)
    shared = Resources(ff=p.fetch * p.simd * p.x.bits + 4 * p.latency)
    if p.kernel == "adder":
        shared += _adder(_tree_bits(p.simd, p.x)) + _adder(p.acc.bits)
    shared += rom_resources(p.pe * p.simd * p.w.bits, p.folds * p.beats)
    shared += rom_resources(p.pe * p.acc.bits, p.folds)
    return shared + _scaled(element, p.pe)


def _tree_bits(terms: int, kind: IntType) -> int:
    """Result bits of all adders of a tree."""
    return sum((terms >> n + 1) * (kind.bits + n + 1) for n in range(ceil_log2(terms)))


def _lane(p: ArrayParams) -> Resources:
    bits = max(p.x.bits, p.w.bits)
    if p.kernel == "multiply":
        return Resources(dsp=1, ff=p.lane.bits)
    return Resources(lut=2 * bits, carry=bits / 2, ff=bits)


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


def _windowed(p: WindowedParams) -> Resources:
    return _window(p.window) + block_resources(p.datapath)


def _pool(p: PoolParams) -> Resources:
    return _scaled(Resources(lut=2 * p.result.bits, ff=p.result.bits), p.lanes)


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


_RULES = {
    ArrayParams: _array,
    ArgmaxParams: _argmax,
    HoldParams: _hold,
    LineBufferParams: _lines,
    MergeParams: _merge,
    PadParams: _pad,
    PoolParams: _pool,
    QueueParams: _queue,
    RequantizeParams: _requantize,
    SplitParams: _split,
    WindowParams: _window,
    WindowedParams: _windowed,
}
