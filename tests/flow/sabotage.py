# amaranth: UnusedElaboratable=no
"""Blocks with one bug each: Params whose ``create`` builds hardware that is not what they say."""

from dataclasses import dataclass, fields, replace
from functools import reduce
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hwgen_rtl.argmax import ArgmaxParams
from hwgen_rtl.array import ArrayParams, JobSum
from hwgen_rtl.finish import FinishParams
from hwgen_rtl.numerics import IntType
from hwgen_rtl.requantize import RequantizeParams
from hwgen_rtl.tree import shape_of
from hwgen_rtl.window import WindowParams

__all__ = [
    "DriftingArgmax",
    "ForgetfulSum",
    "LateWindow",
    "LosingArgmax",
    "NarrowArray",
    "RepeatingArgmax",
    "SwappedArray",
    "SwappedFinish",
    "UnclampedRequantize",
    "UnroundedRequantize",
    "recast",
    "recast_datapath",
]


def recast(kind: type, params: Any, **changes: Any) -> Any:
    """``params`` as an instance of ``kind``, a type with the same fields and ``changes``."""
    names = [field.name for field in fields(kind) if field.name not in changes]
    return kind(**{name: getattr(params, name) for name in names}, **changes)


def recast_datapath(kind: type, params: Any, **changes: Any) -> Any:
    """Windowed Params whose datapath is recast."""
    return replace(params, datapath=recast(kind, params.datapath, **changes))


class _Around(wiring.Component):
    """Has the ports of ``inner`` and passes them all through, but for what a subclass changes."""

    def __init__(self, inner: wiring.Component, **ports: wiring.Member):
        self.inner = inner
        super().__init__(dict(inner.signature.members) | ports)

    def wire(self, m: Module, *kept: str) -> None:
        """Connect every port whose path is not in ``kept``."""
        for path, member, port in self.signature.flatten(self):
            if ".".join(path) in kept:
                continue
            inside = reduce(getattr, path, self.inner)
            ends = (inside, port) if member.flow is In else (port, inside)
            m.d.comb += Value.cast(ends[0]).eq(Value.cast(ends[1]))


# -- arrays ------------------------------------------------------------------------------------


class _Narrow(_Around):
    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = self.inner
        self.wire(m, "o")
        for mine, narrow in zip(self.o.sums, self.inner.o.sums, strict=True):
            m.d.comb += mine.eq(narrow.as_signed())
        return m


@dataclass(frozen=True, kw_only=True)
class NarrowArray(ArrayParams):
    """A dropped guard bit: sums wrap at ``bits`` bits."""

    bits: int = 0

    def create(self, weights: NDArray) -> wiring.Component:
        narrow = recast(ArrayParams, self, acc=IntType(self.bits, signed=True))
        return _Narrow(narrow.create(weights), o=Out(self.sums))


class ForgetfulSum(JobSum):
    """A stale accumulator: a job begins with what the one before it left."""

    def elaborate(self, platform):
        m = Module()
        m.submodules.tree = tree = self._params.lanes.tree(self._params.simd, self._kind)
        m.d.sync += tree.i.eq(self.i)
        before = Signal(len(self.o))
        with m.If(self.valid):
            m.d.sync += [before.eq(before + tree.o), self.o.eq(before + tree.o)]
        return m


def _swapped(rows: NDArray, pair: tuple[int, int]) -> NDArray:
    order = list(range(len(rows)))
    a, b = pair
    order[a], order[b] = b, a
    return rows[order]


@dataclass(frozen=True, kw_only=True)
class SwappedArray(ArrayParams):
    """Two output channels have each other's weights."""

    pair: tuple[int, int] = (0, 0)

    def create(self, weights: NDArray) -> wiring.Component:
        return super().create(_swapped(weights, self.pair))


@dataclass(frozen=True, kw_only=True)
class SwappedFinish(FinishParams):
    """Two output channels have each other's constants."""

    pair: tuple[int, int] = (0, 0)

    def create(self, weights: NDArray, bias: NDArray) -> wiring.Component:
        return super().create(_swapped(weights, self.pair), _swapped(bias, self.pair))


# -- windows -----------------------------------------------------------------------------------


class _Late(_Around):
    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = self.inner
        self.wire(m, "i.valid")
        started = Signal()
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += started.eq(1)
        m.d.comb += self.inner.i.valid.eq(self.i.valid & started)
        return m


class LateWindow(WindowParams):
    """Off by one: every window starts one pixel (of one word) late."""

    def create(self) -> wiring.Component:
        assert self.words == 1
        return _Late(super().create())


# -- requantize --------------------------------------------------------------------------------


class UnroundedRequantize(RequantizeParams):
    """The rounding constant is missing."""

    def create(self, multiplier: NDArray, bias: NDArray) -> wiring.Component:
        wider = IntType(self.bias.bits + 2, signed=True)
        half = (1 << self.shift) >> 1
        return recast(RequantizeParams, self, bias=wider).create(multiplier, bias - half)


class UnclampedRequantize(RequantizeParams):
    """The clamp is missing: upper bits are cut off."""

    def create(self, multiplier: NDArray, bias: NDArray) -> wiring.Component:
        wide = recast(RequantizeParams, self, out=IntType(48, signed=True))
        payload = data.ArrayLayout(shape_of(self.out), self.lanes)
        return _Cut(wide.create(multiplier, bias), o=Out(stream.Signature(payload)))


class _Cut(_Around):
    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = self.inner
        self.wire(m, "o.payload")
        for lane in range(self.o.payload.shape().length):
            m.d.comb += self.o.payload[lane].eq(self.inner.o.payload[lane])
        return m


# -- handshakes --------------------------------------------------------------------------------


class _Losing(_Around):
    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = self.inner
        self.wire(m, "o.ready")
        m.d.comb += self.inner.o.ready.eq(1)
        return m


class LosingArgmax(ArgmaxParams):
    """A beat that is not taken at once is gone."""

    def create(self) -> wiring.Component:
        return _Losing(super().create())


class _Repeating(_Around):
    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = self.inner
        self.wire(m, "o.ready")
        waited = Signal()
        m.d.sync += waited.eq(self.o.valid & ~self.o.ready)
        m.d.comb += self.inner.o.ready.eq(self.o.ready & ~waited)
        return m


class RepeatingArgmax(ArgmaxParams):
    """A beat that had to wait stays valid after it was taken."""

    def create(self) -> wiring.Component:
        return _Repeating(super().create())


class _Drifting(_Around):
    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = self.inner
        self.wire(m, "o.payload")
        waited = Signal()
        m.d.sync += waited.eq(self.o.valid & ~self.o.ready)
        index = self.inner.o.payload[0]
        m.d.comb += self.o.payload[0].eq(Mux(waited, index + 1, index))
        return m


class DriftingArgmax(ArgmaxParams):
    """The payload does not stand still while its beat waits."""

    def create(self) -> wiring.Component:
        return _Drifting(super().create())
