"""Nested loops that walk through a circular memory, one address a step."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["AddressGenerator", "Loop", "address_steps"]


@dataclass(frozen=True)
class Loop:
    """``count`` iterations, ``stride`` words apart."""

    count: int
    stride: int


def address_steps(loops: tuple[Loop, ...], depth: int, advance: int) -> list[int]:
    """What to add to the address when loop l moves on and all inside it start again.

    The first one is that of a new walk, the others are those of ``loops``.
    """
    strides = [advance] + [loop.stride for loop in loops]
    steps, rewind = [], 0
    for level in reversed(range(len(strides))):
        steps.append((strides[level] - rewind) % depth)
        if level:
            rewind += (loops[level - 1].count - 1) * strides[level]
    return steps[::-1]


class AddressGenerator(wiring.Component):
    """Addresses of nested loops in a circular memory.

        address = start + sum_l counter[l] * loops[l].stride    (mod depth)

    ``start`` moves on by ``advance`` words after every complete walk. A new address stands one
    cycle after each ``step``.

    Parameters:
        loops   : outermost first
        depth   : words of the memory
        advance : words between two walks
    Members:
        step    : In(1)
        address : Out(range(depth))
        begins  : Out(len(loops)), bit l: loop l and all inside it are in their first iteration
        ends    : Out(len(loops)), bit l: loop l and all inside it are in their last iteration
    """

    step: Signal
    address: Signal
    begins: Signal
    ends: Signal

    def __init__(self, loops: tuple[Loop, ...], *, depth: int, advance: int):
        self._loops, self._depth, self._advance = loops, depth, advance
        super().__init__(
            {
                "step": In(1),
                "address": Out(range(depth)),
                "begins": Out(len(loops)),
                "ends": Out(len(loops)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        counters = [
            Signal(range(loop.count), name=f"counter{n}") for n, loop in enumerate(self._loops)
        ]
        at_start = [counter == 0 for counter in counters]
        at_end = [
            counter == loop.count - 1 for counter, loop in zip(counters, self._loops, strict=True)
        ]
        for n in range(len(counters)):
            m.d.comb += self.begins[n].eq(Cat(at_start[n:]).all())
            m.d.comb += self.ends[n].eq(Cat(at_end[n:]).all())
        following = self._following(m)
        with m.If(self.step):
            m.d.sync += self.address.eq(following)
            for n, counter in enumerate(counters):
                moves = self.ends[n + 1] if n + 1 < len(counters) else Const(1)
                with m.If(moves):
                    m.d.sync += counter.eq(Mux(at_end[n], 0, counter + 1))
        return m

    def _following(self, m: Module) -> Value:
        """The next address: add the delta of the outermost loop that moves, wrap."""
        deltas = address_steps(self._loops, self._depth, self._advance)
        delta = Signal(range(self._depth))
        m.d.comb += delta.eq(deltas[-1])
        for level in reversed(range(len(self._loops))):
            with m.If(self.ends[level]):
                m.d.comb += delta.eq(deltas[level])
        total = self.address + delta
        if self._depth & (self._depth - 1) == 0:
            return total[: max(1, (self._depth - 1).bit_length())]
        return Mux(total >= self._depth, total - self._depth, total)
