"""What can stand behind a window buffer: words of a job in, one result per job out."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Protocol

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Datapath", "DatapathParams"]


class Datapath(wiring.Component):
    """One result per job; fixed rate, it stalls with the window buffer as one pipeline.

    Members:
        taps  : In(taps_layout)
        valid : In(1), taps hold a word
        first : In(1), first word of a job
        last  : In(1), last word of a job
        o     : Out(o_layout)
        done  : Out(1), o holds a result
        enable: In(1), whether the pipeline moves: for primitives, which no EnableInserter reaches
    """

    taps: data.View
    valid: Signal
    first: Signal
    last: Signal
    o: data.View
    done: Signal
    enable: Signal

    def __init__(self, taps_layout: data.ArrayLayout, o_layout: data.Layout):
        super().__init__(
            {
                "taps": In(taps_layout),
                "valid": In(1),
                "first": In(1),
                "last": In(1),
                "o": Out(o_layout),
                "done": Out(1),
                "enable": In(1),
            }
        )

    @abstractmethod
    def elaborate(self, platform) -> Module:
        """The logic; every datapath has its own."""


class DatapathParams(Protocol):
    """What a datapath behind a window buffer must say about itself."""

    @property
    def latency(self) -> int:
        """Cycles from the last taps of a job to ``done``."""
        ...

    @property
    def create(self) -> Callable[..., Datapath]:
        """The hardware; takes the constants it needs (weights, bias)."""
        ...
