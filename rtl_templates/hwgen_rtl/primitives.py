"""Small components for which a family of devices may have a structure of its own.

Each has a portable form, which is what simulators see and what families without such a structure
synthesize. In Verilog it is a module of its own, once for each size: `Primitives` is the platform
that leaves an instance in its place. Synthesis replaces these modules where
`hwgen_boards/primitives` has structures for the device's family, each proven equal by a test.

All take one LUT a bit on devices whose 6-input LUTs give two functions of five inputs.
"""

from abc import abstractmethod
from typing import Any, ClassVar

from amaranth.hdl import ClockSignal, Instance, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Minimum", "MinimumPair", "Primitive", "Primitives", "TernaryAdder"]


class Primitives:
    """Platform that collects the primitives of a design instead of elaborating them.

    Attributes: found : by module name
    """

    def __init__(self):
        self.found: dict[str, Primitive] = {}


class Primitive(wiring.Component):
    """A component whose module is named after its class and its sizes.

    Those with a clock have an input ``enable``; reset changes nothing in them.
    """

    KIND: ClassVar[str]

    @property
    @abstractmethod
    def sizes(self) -> tuple[int, ...]:
        """What distinguishes it from others of its class."""

    @property
    def module_name(self) -> str:
        """Name of the module in Verilog."""
        return "_".join(("hwgen", self.KIND, *map(str, self.sizes)))

    @abstractmethod
    def portable(self) -> Module:
        """The logic, for every family."""

    def elaborate(self, platform):
        if not isinstance(platform, Primitives):
            return self.portable()
        platform.found.setdefault(self.module_name, self)
        clock: list[Any] = []
        if "enable" in self.signature.members:
            clock = [("i", "clk", ClockSignal()), ("i", "rst", ResetSignal())]
        ports = [
            ("i" if member.flow is In else "o", name, getattr(self, name))
            for name, member in self.signature.members.items()
        ]
        return Instance(self.module_name, *clock, *ports)


class TernaryAdder(Primitive):
    """o = a + b + c, modulo 2**bits; combinational.

    Parameters:
        widths : bits of the operands, which have no sign
        bits   : of the result; at most two more than the widest operand has
    Members:
        a, b, c : In(widths[n]); o : Out(bits)
    """

    KIND = "ternary_adder"

    a: Signal
    b: Signal
    c: Signal
    o: Signal

    def __init__(self, widths: tuple[int, int, int], bits: int):
        if not 1 <= bits <= max(widths) + 2:
            raise ValueError(f"bits must be 1 to {max(widths) + 2}, not {bits!r}")
        self._sizes = (*widths, bits)
        super().__init__(
            {name: In(width) for name, width in zip("abc", widths, strict=True)} | {"o": Out(bits)}
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Bits of a, b, c and o."""
        return self._sizes

    def portable(self) -> Module:
        """See the class."""
        m = Module()
        m.d.comb += self.o.eq(self.a + self.b + self.c)
        return m


class _Minima(Primitive):
    """Inputs of ``bits`` bits, and ``enable``; ``o`` is a register of ``o_bits``."""

    enable: Signal
    late: Signal
    o: Signal

    def __init__(self, bits: int, inputs: str, o_bits: int):
        if bits < 1:
            raise ValueError(f"bits must be at least 1, not {bits!r}")
        self._bits = bits
        numbers = {name: In(bits) for name in inputs.split()}
        super().__init__({"enable": In(1), **numbers, "late": In(bits), "o": Out(o_bits)})

    @property
    def sizes(self) -> tuple[int, ...]:
        """Bits of a number."""
        return (self._bits,)

    def _register(self, m: Module, value: Value, name: str) -> Signal:
        register = Signal(len(value), name=name, reset_less=True)
        with m.If(self.enable):
            m.d.sync += register.eq(value)
        return register

    def _least(self, m: Module, x: Signal, w: Signal) -> Value:
        """The smaller one of two numbers of the cycle before."""
        smaller = self._register(m, x >= w, "smaller")
        return Mux(smaller, self._register(m, w, "held"), self.late)


class Minimum(_Minima):
    """o = min(x, w) two cycles later, numbers of ``bits`` bits without sign; fixed rate.

    Members:
        x, w   : In(bits); late : In(bits), x of the cycle before; o : Out(bits)
        enable : In(1), without which nothing moves
    """

    KIND = "minimum"

    x: Signal
    w: Signal

    def __init__(self, bits: int):
        super().__init__(bits, "x w", bits)

    def portable(self) -> Module:
        """See the class."""
        m = Module()
        m.d.comb += self.o.eq(self._register(m, self._least(m, self.x, self.w), "least"))
        return m


class MinimumPair(_Minima):
    """o = min(x0, w0) + min(x1, w1) two cycles later, without sign; fixed rate.

    A comparison of two bits a LUT resets the register of the greater one of x0 and w0, whose
    bitwise or is then their minimum; it and the choice between x1 and w1 are inputs of the adder's
    LUTs, so that no minimum takes any of its own.

    Members:
        x0, w0, x1, w1 : In(bits); late : In(bits), x1 of the cycle before; o : Out(bits + 1)
        enable         : In(1), without which nothing moves
    """

    KIND = "minimum_pair"

    x0: Signal
    w0: Signal
    x1: Signal
    w1: Signal

    def __init__(self, bits: int):
        super().__init__(bits, "x0 w0 x1 w1", bits + 1)

    def portable(self) -> Module:
        """See the class."""
        m = Module()
        reached = self.x0 >= self.w0
        kept_x = self._register(m, Mux(reached, 0, self.x0), "kept_x")
        kept_w = self._register(m, Mux(reached, self.w0, 0), "kept_w")
        total = (kept_x | kept_w) + self._least(m, self.x1, self.w1)
        m.d.comb += self.o.eq(self._register(m, total, "total"))
        return m
