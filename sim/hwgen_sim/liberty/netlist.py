"""A netlist of standard cells, as arrays that a simulator and a power model read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import InputError
from hwgen_sim.liberty.function import MAX_INPUTS
from hwgen_sim.liberty.library import Cell, Library

__all__ = ["Gates", "Instance", "Netlist", "Port", "Registers", "read_netlist"]

_CONSTANTS = {"0": 0, "1": 1, "x": 0, "z": 0}
"""Nets 0 and 1 are the constants; what is undefined may be either."""


@dataclass(frozen=True)
class Instance:
    """One cell and the net at each of its pins."""

    cell: Cell
    pins: Mapping[str, int]


@dataclass(frozen=True)
class Port:
    """Nets of a port, lowest bit first."""

    nets: tuple[int, ...]
    is_input: bool


@dataclass(frozen=True)
class Gates:
    """Functions of nets in an order in which each follows its inputs; G of them.

    Parameters:
        tables : (G,) uint64, bit i for the inputs' value i
        inputs : (G, MAX_INPUTS) nets, 0 where there are fewer
        counts : (G,) inputs
        outs   : (G,) nets
        window : (G, 2) fewest and most gates on a path from a source; a gate of unit delay can
                 only change so many steps after the sources
    """

    tables: NDArray[np.uint64]
    inputs: NDArray[np.int64]
    counts: NDArray[np.int64]
    outs: NDArray[np.int64]
    window: NDArray[np.int64]


@dataclass(frozen=True)
class Registers:
    """Nets that take, at every clock edge, the value that another net has; inverted where said."""

    outs: NDArray[np.int64]
    nexts: NDArray[np.int64]
    inverted: NDArray[np.int64]


@dataclass(frozen=True)
class Netlist:
    """A netlist.

    Parameters:
        instances : its cells
        ports     : name -> port; without clk and rst
        nets      : number of nets, those included that only stand for a next state
    """

    instances: tuple[Instance, ...]
    ports: Mapping[str, Port]
    nets: int
    gates: Gates
    registers: Registers

    @property
    def area(self) -> float:
        """Area of all cells, um2."""
        return sum(instance.cell.area for instance in self.instances)

    @property
    def leakage_nw(self) -> float:
        """Leakage of all cells, nW."""
        return sum(instance.cell.leakage_nw for instance in self.instances)


def read_netlist(document: Mapping[str, Any], library: Library) -> Netlist:
    """Netlist from the JSON that Yosys writes; raises InputError for a cell that is not known."""
    module = document["modules"]["top"]
    reset = {bit: 0 for bit in module["ports"].get("rst", {"bits": ()})["bits"]}
    numbers: dict[Any, int] = _CONSTANTS | reset  # never reset while energy is counted
    free = count(2)

    def net(bit: Any) -> int:
        if bit not in numbers:
            numbers[bit] = next(free)
        return numbers[bit]

    instances = tuple(
        Instance(
            _known(library, cell["type"]),
            {pin: net(bits[0]) for pin, bits in cell["connections"].items() if bits},
        )
        for cell in module["cells"].values()
        if cell["type"] != "$scopeinfo"
    )
    ports = {
        name: Port(tuple(net(bit) for bit in port["bits"]), port["direction"] == "input")
        for name, port in module["ports"].items()
        if name not in ("clk", "rst")
    }
    functions, registers = [], []
    for instance in instances:
        found, held = _behaviour(instance, free)
        functions += found
        registers += held
    return Netlist(
        instances, ports, next(free), _ordered(functions), Registers(*_columns(registers, 3))
    )


def _known(library: Library, name: str) -> Cell:
    if name not in library.cells:
        raise InputError(
            f"The netlist holds the cell {name}, whose function the Liberty library {library.name}"
            " does not give; use another library."
        )
    return library.cells[name]


_Function = tuple[int, tuple[int, ...], int]
"""Table, input nets and output net."""


def _behaviour(
    instance: Instance, free: Iterator[int]
) -> tuple[list[_Function], list[tuple[int, int, bool]]]:
    """Functions of an instance, and its registers: output, next value, whether inverted."""
    cell, pins = instance.cell, instance.pins
    inputs = tuple(pins[pin] for pin in cell.inputs)
    used = {name: output for name, output in cell.outputs.items() if name in pins}
    if cell.flip_flop is None:
        return [(output.function, inputs, pins[name]) for name, output in used.items()], []
    after = next(free)
    straight = [pins[name] for name, output in used.items() if output.function == 0b10]
    state = straight[0] if straight else next(free)
    held = [(pins[name], after, output.function == 0b01) for name, output in used.items()]
    if not straight:
        held.append((state, after, False))
    return [(cell.flip_flop.next_state, (*inputs, state), after)], held


def _ordered(functions: Sequence[_Function]) -> Gates:
    """Functions after those whose outputs they read; raises InputError for a loop."""
    drivers = {out: k for k, (_, _, out) in enumerate(functions)}
    readers = {
        k: {drivers[n] for n in ins if n in drivers} for k, (_, ins, _) in enumerate(functions)
    }
    try:
        order = list(TopologicalSorter(readers).static_order())
    except CycleError:
        raise InputError("The netlist has a loop of gates; only registers may close one.") from None
    window: dict[int, tuple[int, int]] = {}
    for k in order:
        _, ins, out = functions[k]
        fewest, most = zip(*(window.get(net, (0, 0)) for net in ins), strict=True)
        window[out] = min(fewest) + 1, max(most) + 1
    rows = [functions[k] for k in order]
    padded = [(*ins, *[0] * (MAX_INPUTS - len(ins))) for _, ins, _ in rows]
    return Gates(
        tables=np.array([table for table, _, _ in rows], dtype=np.uint64),
        inputs=np.array(padded, dtype=np.int64).reshape(-1, MAX_INPUTS),
        counts=np.array([len(ins) for _, ins, _ in rows], dtype=np.int64),
        outs=np.array([out for _, _, out in rows], dtype=np.int64),
        window=np.array([window[out] for _, _, out in rows], dtype=np.int64).reshape(-1, 2),
    )


def _columns(rows: Sequence[tuple[int, ...]], width: int) -> NDArray[np.int64]:
    return np.array(rows, dtype=np.int64).reshape(-1, width).T
