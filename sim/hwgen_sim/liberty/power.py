"""Energy of a netlist from its toggles and the library's power tables."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen_sim.liberty.library import Library
from hwgen_sim.liberty.netlist import Netlist
from hwgen_sim.liberty.toggles import Toggles

__all__ = ["CycleEnergy", "cycle_energy"]


@dataclass(frozen=True, kw_only=True)
class CycleEnergy:
    """Mean energy per cycle of one copy of a netlist, fJ, between two bounds.

    Parameters:
        low, high : with zero-delay and unit-delay toggles, without clock
        clock     : of the flip-flops' clock pins, for a cycle of two edges
    """

    low: float
    high: float
    clock: float

    @property
    def mean(self) -> float:
        """Midway between the bounds, with the clock."""
        return (self.low + self.high) / 2 + self.clock

    def times(self, factor: float) -> "CycleEnergy":
        """Energy of ``factor`` copies or cycles."""
        return CycleEnergy(
            low=self.low * factor, high=self.high * factor, clock=self.clock * factor
        )

    def __add__(self, other: "CycleEnergy") -> "CycleEnergy":
        return CycleEnergy(
            low=self.low + other.low,
            high=self.high + other.high,
            clock=self.clock + other.clock,
        )


def cycle_energy(netlist: Netlist, toggles: Toggles, library: Library) -> CycleEnergy:
    """Sum over nets of toggles * (internal energy + C V**2 / 2), per cycle.

    Internal energy is that of the driver, at its load, and what its readers' tables hold for an
    input alone. The load is the pins that read the net, and ``library.wire_ff`` for each of them
    and for an output of the netlist. What drives its inputs is not counted, their load is.
    """
    per_toggle = _toggle_energies(netlist, library)
    return CycleEnergy(
        low=float(toggles.zero @ per_toggle) / toggles.cycles,
        high=float(toggles.unit @ per_toggle) / toggles.cycles,
        clock=_clock_energy(netlist, library),
    )


def _toggle_energies(netlist: Netlist, library: Library) -> NDArray:
    """Energy of one toggle of each net, fJ; the nets of clocks are never simulated."""
    load, internal = np.zeros(netlist.nets), np.zeros(netlist.nets)
    for instance in netlist.instances:
        for pin in instance.cell.inputs:
            load[instance.pins[pin]] += instance.cell.capacitance[pin] + library.wire_ff
            internal[instance.pins[pin]] += instance.cell.hidden_fj(pin, library.slew_ps)
    for port in netlist.ports.values():
        if not port.is_input:
            np.add.at(load, list(port.nets), library.wire_ff)
    for instance in netlist.instances:
        for pin, output in instance.cell.outputs.items():
            if (net := instance.pins.get(pin)) is not None:
                internal[net] += output.toggle_fj(library.slew_ps, load[net])
    return internal + load * library.voltage**2 / 2


def _clock_energy(netlist: Netlist, library: Library) -> float:
    """Two edges a cycle at every clock pin."""
    total = 0.0
    for instance in netlist.instances:
        cell = instance.cell
        if cell.flip_flop is not None:
            pin = cell.flip_flop.clock
            load = cell.capacitance[pin] + library.wire_ff
            total += 2 * cell.hidden_fj(pin, library.slew_ps) + load * library.voltage**2
    return total
