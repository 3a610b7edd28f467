"""Per-channel affine, shift and clamp: batch norm, bias and scale of one layer in integers."""

from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data
from numpy.typing import NDArray

from hwgen_rtl.cycles import Timing, pipelining
from hwgen_rtl.numerics import IntType, requantize
from hwgen_rtl.rom import CyclicRom, pack
from hwgen_rtl.shapes import layout_of, shape_of
from hwgen_rtl.storage import rom_in_block
from hwgen_rtl.stream import StreamComponent

__all__ = ["Requantize", "RequantizeParams"]


@dataclass(frozen=True, kw_only=True)
class RequantizeParams:
    """Widths of one requantize block.

    Parameters:
        acc, out   : types before and after
        multiplier : type of m
        bias       : type of b + 2**(shift-1)
        total      : type of acc*m + b + 2**(shift-1)
        shift      : bits dropped
        lanes      : channels per beat
        channels   : channels of the tensor; beats take them in turn
    """

    acc: IntType
    out: IntType
    multiplier: IntType
    bias: IntType
    total: IntType
    shift: int
    lanes: int
    channels: int

    def __post_init__(self):
        if self.channels % self.lanes:
            raise ValueError(f"lanes must divide the {self.channels} channels, not {self.lanes!r}")

    @property
    def fetch(self) -> int:
        """Cycles to read multiplier and bias; block RAM is slow and gets a register behind it."""
        return 2 if rom_in_block(self.channels // self.lanes) else 1

    @property
    def latency(self) -> int:
        """Cycles from a beat to its result: fetch, multiply, add, shift and clamp."""
        return self.fetch + 3

    def compute(self, acc: NDArray, multiplier: NDArray, bias: NDArray) -> NDArray:
        """q (P, channels) from acc (P, channels)."""
        return requantize(acc, multiplier, bias, self.shift, self.out)

    def create(self, multiplier: NDArray, bias: NDArray) -> "Requantize":
        """The hardware; multiplier and bias (channels,)."""
        return Requantize(self, multiplier, bias)

    def timing(self) -> Timing:
        """Cycle model."""
        return pipelining(self.latency)


class Requantize(StreamComponent):
    """q = clamp((acc*m[c] + b[c] + 2**(shift-1)) >> shift), ``lanes`` channels per beat.

    One beat per cycle, ``params.latency`` cycles later.

    Members:
        i : In(stream of ArrayLayout(acc, lanes))
        o : Out(stream of ArrayLayout(out, lanes))
    """

    def __init__(self, params: RequantizeParams, multiplier: NDArray, bias: NDArray):
        self._params = params
        self._multiplier, self._bias = multiplier, bias + ((1 << params.shift) >> 1)
        for name, kind, values in (
            ("multiplier", params.multiplier, self._multiplier),
            ("bias", params.bias, self._bias),
        ):
            if not kind.holds(values):
                raise ValueError(f"{name} must fit {kind}, not {values.min()}..{values.max()}")
        super().__init__(layout_of(params.acc, params.lanes), layout_of(params.out, params.lanes))

    def elaborate(self, platform):
        m = Module()
        params = self._params
        valid = [Signal(name=f"valid{n}") for n in range(params.latency)]
        enable = ~valid[-1] | self.o.ready
        multiplier = self._bank(m, "multipliers", self._multiplier, params.multiplier, enable)
        bias = self._bank(m, "biases", self._bias, params.bias, enable)
        m.d.comb += [self.i.ready.eq(enable), self.o.valid.eq(valid[-1])]
        with m.If(enable):
            m.d.sync += [
                now.eq(before)
                for now, before in zip(valid, [self.i.valid, *valid[:-1]], strict=True)
            ]
            for lane in range(params.lanes):
                self._lane(m, lane, multiplier[lane], bias[lane])
        return m

    def _bank(self, m: Module, name: str, values: NDArray, kind: IntType, enable):
        params = self._params
        rows = values.reshape(-1, params.lanes)
        m.submodules[name] = bank = CyclicRom(params.lanes * kind.bits, pack(rows, kind.bits))
        m.d.comb += bank.step.eq(self.i.valid & enable)
        word = bank.data
        if params.fetch == 2:
            word = Signal(len(bank.data), name=f"held_{name}")
            with m.If(enable):
                m.d.sync += word.eq(bank.data)
        return data.View(layout_of(kind, params.lanes), word)

    def _lane(self, m: Module, lane: int, multiplier, bias):
        params = self._params
        acc = self.i.payload[lane]
        for n in range(params.fetch):
            acc, before = Signal(shape_of(params.acc), name=f"acc{lane}_{n}"), acc
            m.d.sync += acc.eq(before)
        product = Signal((acc * multiplier).shape(), name=f"product{lane}")
        offset = Signal(shape_of(params.bias), name=f"offset{lane}")
        total = Signal(signed(params.total.bits + (not params.total.signed)), name=f"total{lane}")
        shifted = total >> params.shift
        low, high = params.out.low, params.out.high
        m.d.sync += [
            product.eq(acc * multiplier),
            offset.eq(bias),
            total.eq(product + offset),
            self.o.payload[lane].eq(Mux(shifted < low, low, Mux(shifted > high, high, shifted))),
        ]
