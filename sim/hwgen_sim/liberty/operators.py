"""Energy and area of one component in standard cells, on given operands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Shape, Signal, Value
from amaranth.lib.wiring import Component, In, Out
from numpy.typing import NDArray

from hwgen_sim.liberty.library import Library
from hwgen_sim.liberty.mapping import map_component
from hwgen_sim.liberty.netlist import Netlist
from hwgen_sim.liberty.power import CycleEnergy, cycle_energy
from hwgen_sim.liberty.toggles import Toggles, simulate

__all__ = ["Expression", "OperatorEnergy", "operator_energies", "operator_energy"]


@dataclass(frozen=True, kw_only=True)
class OperatorEnergy:
    """One component in standard cells, per copy.

    Parameters:
        flow       : key of mapping.FLOWS
        area       : um2
        leakage_nw : nW
        energy     : per cycle, fJ, between two bounds
    """

    flow: str
    area: float
    leakage_nw: float
    energy: CycleEnergy


def operator_energy(
    component: Component,
    library: Library,
    operands: Mapping[str, NDArray],
    warm_up: int = 1,
) -> tuple[OperatorEnergy, Toggles]:
    """The mapping of least energy, and what its simulation gave; see `operator_energies`."""
    found = operator_energies(component, library, operands, warm_up)
    return min(found.values(), key=lambda pair: pair[0].energy.mean)


def operator_energies(
    component: Component,
    library: Library,
    operands: Mapping[str, NDArray],
    warm_up: int = 1,
) -> dict[str, tuple[OperatorEnergy, Toggles]]:
    """One component by each flow, on operands (T, streams): one row a cycle, streams are copies."""
    found = {}
    for flow, netlist in map_component(component, library).items():
        toggles = simulate(netlist, operands, warm_up)
        found[flow] = _energy(flow, netlist, toggles, library), toggles
    return found


def _energy(flow: str, netlist: Netlist, toggles: Toggles, library: Library) -> OperatorEnergy:
    return OperatorEnergy(
        flow=flow,
        area=netlist.area,
        leakage_nw=netlist.leakage_nw,
        energy=cycle_energy(netlist, toggles, library),
    )


class Expression(Component):
    """o = function(*inputs), with a register behind it where ``registered``.

    ``shape`` is that of o, by default the function's. The register takes its value where the input
    ``enable`` is high, if there is one among ``inputs``; the function does not see it.

    Members:
        the names in ``inputs``, In(their shapes); o, Out(shape)
    """

    o: Signal

    def __init__(
        self,
        inputs: Mapping[str, Any],
        function: Callable[..., Value],
        registered: bool = False,
        shape: Any = None,
    ):
        self._names = tuple(name for name in inputs if name != "enable")
        self._function, self.registered = function, registered
        value = function(*(Signal(inputs[name]) for name in self._names))
        members = {name: In(shape) for name, shape in inputs.items()}
        super().__init__(members | {"o": Out(shape or Shape.cast(value.shape()))})

    def elaborate(self, platform):
        m = Module()
        value = self._function(*(getattr(self, name) for name in self._names))
        if not self.registered:
            m.d.comb += self.o.eq(value)
            return m
        with m.If(getattr(self, "enable", 1)):
            m.d.sync += self.o.eq(value)
        return m
