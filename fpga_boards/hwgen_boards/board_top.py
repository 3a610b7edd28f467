"""What surrounds a design on a board: clock, reset, serial port and host link."""

from typing import Any

from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    Instance,
    Module,
    ResetSignal,
    Signal,
)
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer

from hwgen.emit.identity import identity_of
from hwgen.emit.manifest import Manifest
from hwgen_boards.boards import SerialBoard
from hwgen_boards.pll import PLLS, Settings
from hwgen_rtl.axi_link import AxiLink
from hwgen_rtl.link import HostLink, HostLinkParams
from hwgen_rtl.uart import UartParams

__all__ = ["DESIGN", "BoardTop", "ClockAndReset", "design_instance", "link_params"]

DESIGN = "design"
"""Instance of the generated Verilog below the board's top module."""

SETTLE_BITS = 12
"""Of the counter that holds the reset: 4,096 cycles are 15 us at up to 270 MHz."""


def link_params(manifest: Manifest) -> HostLinkParams:
    """The host link of a build, which says what the host expects."""
    return HostLinkParams.of(identity_of(manifest))


class ClockAndReset(wiring.Component):
    """Drives the domain ``sync`` from the board's oscillator, in reset until the clock is good.

    The reset lasts 4,096 cycles longer: block RAM of an iCE40 reads as 0 for the first 3 us, which
    amaranth waits for five times over.
    """

    def __init__(self, board: SerialBoard, settings: Settings | None):
        self._board = board
        self._settings = settings
        super().__init__({})

    def elaborate(self, platform: Any):
        m = Module()
        m.domains.por = ClockDomain(reset_less=True, local=True)
        clock, locked = Signal(), Signal(init=1)
        self._drive(m, platform, clock, locked)
        m.d.comb += [ClockSignal("sync").eq(clock), ClockSignal("por").eq(clock)]
        self._hold_reset(m, locked)
        return m

    def _drive(self, m: Module, platform: Any, clock: Signal, locked: Signal) -> None:
        pad = platform.request(platform.default_clk, dir="-")
        pll = PLLS[self._board.device.family]
        if self._settings and pll.from_pad:
            m.submodules.pll = pll.create(self._settings, pad.io, clock, locked)
            return
        m.submodules.buffer = buffer = io.Buffer(io.Direction.Input, pad)
        if self._settings is None:
            m.d.comb += [clock.eq(buffer.i), locked.eq(1)]
        else:
            options = {"device": platform.family} if self._board.device.family == "gowin" else {}
            m.submodules.pll = pll.create(self._settings, buffer.i, clock, locked, **options)

    def _hold_reset(self, m: Module, locked: Signal) -> None:
        steady = Signal()
        m.submodules.synchronizer = FFSynchronizer(locked, steady, o_domain="por")
        left = Signal(SETTLE_BITS, init=-1)
        waiting = Signal(init=1)
        m.d.por += waiting.eq(left != 0)
        with m.If(~steady):
            m.d.por += left.eq(left.init)
        with m.Elif(left != 0):
            m.d.por += left.eq(left - 1)
        m.d.comb += ResetSignal("sync").eq(waiting)


class BoardTop(wiring.Component):
    """The whole of a board: the generated module ``top`` behind host link and serial port."""

    def __init__(
        self, board: SerialBoard, settings: Settings | None, uart: UartParams, link: HostLinkParams
    ):
        self._clock = ClockAndReset(board, settings)
        self._uart = uart
        self._link = link
        super().__init__({})

    def elaborate(self, platform: Any):
        m = Module()
        m.domains.sync = ClockDomain()
        m.submodules.clock = self._clock
        m.submodules.uart = uart = self._uart.create()
        m.submodules.link = link = self._link.create()
        wiring.connect(m, uart.rx, link.rx)
        wiring.connect(m, link.tx, uart.tx)
        # some ports have handshake pins besides, which stay as they are
        names = [pin.name for pin in platform.lookup("uart", 0).ios]
        pins = platform.request("uart", 0, dir=dict.fromkeys(names, "-"))
        m.submodules.rx = rx = io.Buffer(io.Direction.Input, pins.rx)
        m.submodules.tx = tx = io.Buffer(io.Direction.Output, pins.tx)
        m.d.comb += [uart.rx_pin.eq(rx.i), tx.o.eq(uart.tx_pin)]
        m.submodules[DESIGN] = design_instance(link)
        return m


def design_instance(link: HostLink | AxiLink) -> Instance:
    """The generated module ``top`` behind a link."""
    return Instance(
        "top",
        i_clk=ClockSignal(),
        i_rst=ResetSignal() | link.reset,
        i_i__payload=link.to_design.payload,
        i_i__valid=link.to_design.valid,
        o_i__ready=link.to_design.ready,
        o_o__payload=link.from_design.payload,
        o_o__valid=link.from_design.valid,
        i_o__ready=link.from_design.ready,
    )
