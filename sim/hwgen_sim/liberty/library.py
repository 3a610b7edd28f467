"""A cell library: area, leakage, capacitance, function and energy of every standard cell."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import fmean

from hwgen.errors import InputError
from hwgen_sim.liberty.function import MAX_INPUTS, truth_table
from hwgen_sim.liberty.syntax import Group, parse
from hwgen_sim.liberty.tables import PowerTable, Units, read_table

__all__ = ["Cell", "FlipFlop", "Library", "Output", "load_library"]

_SKIPPED = ("timing", "ccsn_first_stage", "ccsn_last_stage", "receiver_capacitance")
_OLDER_VOLTAGE = 1.4


@dataclass(frozen=True, kw_only=True)
class Output:
    """One output: its table over the cell's inputs, and its energy per toggle.

    Tables are those of rise and fall for every input and condition; their mean is what a toggle
    costs, without the load's own energy. ``function`` of a flip-flop's output is that of (IQ,).
    """

    function: int
    power: tuple[PowerTable, ...]

    def toggle_fj(self, slew_ps: float, load_ff: float) -> float:
        """Mean energy of one toggle."""
        return _mean_energy(self.power, slew_ps, load_ff)


@dataclass(frozen=True, kw_only=True)
class FlipFlop:
    """A register: its clock pin, and the table over (*inputs, state) of its next state."""

    clock: str
    next_state: int


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell.

    Parameters:
        area        : um2
        leakage_nw  : mean over its states
        inputs      : logic inputs in order, without the clock; functions are over these
        capacitance : input -> fF, the clock's too
        hidden      : input -> tables of energy per toggle that no output's table holds
        outputs     : name -> output
    """

    name: str
    area: float
    leakage_nw: float
    inputs: tuple[str, ...]
    capacitance: Mapping[str, float]
    hidden: Mapping[str, tuple[PowerTable, ...]]
    outputs: Mapping[str, Output]
    flip_flop: FlipFlop | None = None

    def hidden_fj(self, pin: str, slew_ps: float) -> float:
        """Mean energy of one toggle of an input, without its capacitance."""
        return _mean_energy(self.hidden.get(pin, ()), slew_ps, 0.0)


@dataclass(frozen=True, kw_only=True)
class Library:
    """The cells of a Liberty file that netlists may hold.

    Parameters:
        name      : as the file gives it
        digest    : of the file's text
        text      : the file
        voltage   : supply, V
        slew_ps   : transition time of every signal, which the file does not say
        wire_ff   : capacitance of the wire to one input, which it does not say either
        cells     : name -> cell; cells without a function are left out
    """

    name: str
    digest: str
    text: str
    voltage: float
    slew_ps: float
    wire_ff: float
    cells: Mapping[str, Cell]

    @property
    def flip_flop(self) -> Cell:
        """The smallest register that only stores its data."""
        plain = [cell for cell in self.cells.values() if cell.flip_flop and len(cell.inputs) == 1]
        if not plain:
            raise InputError(
                f"The Liberty library {self.name} has no D flip-flop; use one that has."
            )
        return min(plain, key=lambda cell: (cell.area, cell.name))


def load_library(path: Path) -> Library:
    """Read a .lib or .lib.gz file; raises InputError that says what is wrong with it.

    Edges and wires follow the supply, which tells generations apart: 20 ps and 1 fF to an input
    (11 um of metal 3 in Nangate45) below 1.4 V, else 100 ps and 3 fF (22 um of metal 2 in sky130).
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace")
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or "it is not a whole gzip file"
        raise InputError(f"The Liberty file {path} cannot be read: {reason}.") from None
    return _library(text)


@lru_cache(maxsize=4)
def _library(text: str) -> Library:
    group = parse(text, _SKIPPED)
    name = ", ".join(group.names)
    units = Units.of(group)
    templates = {t.names[0]: t for t in group.all("power_lut_template") if t.names}
    made = (_cell(cell, templates, units) for cell in group.all("cell"))
    cells = {cell.name: cell for cell in made if cell}
    if not cells:
        raise InputError(
            f"The Liberty library {name} has no cell with a function; use another one."
        )
    voltage = _number(group, "nom_voltage", f"The Liberty library {name}")
    small = voltage < _OLDER_VOLTAGE
    return Library(
        name=name,
        digest=hashlib.sha256(text.encode()).hexdigest()[:16],
        text=text,
        voltage=voltage,
        slew_ps=20 if small else 100,
        wire_ff=1 if small else 3,
        cells=cells,
    )


def _cell(group: Group, templates: Mapping[str, Group], units: Units) -> Cell | None:
    """The cell, or None where netlists cannot use it: no function, or a state but no register."""
    pins = {pin.names[0]: pin for pin in group.all("pin") if pin.names}
    registers = list(group.all("ff"))
    if not _usable(group, pins, registers):
        return None
    name = group.names[0]
    clock = registers[0].get("clocked_on") if registers else None
    ins = [pin for pin, found in pins.items() if found.get("direction") == "input"]
    inputs = tuple(pin for pin in ins if pin != clock)
    states = registers[0].names if registers else ()
    return Cell(
        name=name,
        area=_number(group, "area", f"The Liberty cell {name}"),
        leakage_nw=_leakage(group) * units.leakage_nw,
        inputs=inputs,
        capacitance={
            pin: _number(pins[pin], "capacitance", f"The pin {pin} of the Liberty cell {name}")
            * units.load_ff
            for pin in ins
        },
        hidden={pin: _tables(pins[pin], templates, units) for pin in ins},
        outputs={
            pin: Output(
                function=_function(found.get("function"), inputs, states),
                power=_tables(found, templates, units),
            )
            for pin, found in pins.items()
            if found.get("function")
        },
        flip_flop=_flip_flop(registers[0], inputs, states) if registers else None,
    )


def _usable(group: Group, pins: Mapping[str, Group], registers: list[Group]) -> bool:
    others = next(group.all("latch", "statetable", "ff_bank", "latch_bank", "bus", "bundle"), None)
    unlike = ("clear", "preset", "clocked_on_also")
    plain = all(not register.values.keys() & set(unlike) for register in registers)
    rising = all(register.get("clocked_on") in pins for register in registers)
    logic = any(pin.get("function") for pin in pins.values())
    three_state = any("three_state" in pin.values for pin in pins.values())
    inputs = sum(pin.get("direction") == "input" for pin in pins.values())
    small = len(registers) < inputs <= MAX_INPUTS  # the clock is one, a register's state another
    return others is None and plain and rising and logic and small and not three_state


def _function(text: str, inputs: tuple[str, ...], states: tuple[str, ...]) -> int:
    """Table over the inputs; over the first of ``states`` for an output of a register."""
    if not states:
        return truth_table(text, inputs)
    return 0b01 if text.strip() == states[-1] else truth_table(text, states[:1])


def _flip_flop(group: Group, inputs: tuple[str, ...], states: tuple[str, ...]) -> FlipFlop:
    next_state = truth_table(group.get("next_state"), (*inputs, states[0]))
    return FlipFlop(clock=group.get("clocked_on"), next_state=next_state)


def _leakage(group: Group) -> float:
    states = [float(state.get("value", "0")) for state in group.all("leakage_power")]
    given = group.get("cell_leakage_power")
    if not given and not states:
        raise InputError(f"The Liberty cell {group.names[0]} has no cell_leakage_power; add it.")
    return float(given) if given else fmean(states)


def _tables(pin: Group, templates: Mapping[str, Group], units: Units) -> tuple[PowerTable, ...]:
    return tuple(
        read_table(table, templates, units)
        for power in pin.all("internal_power")
        for table in power.all("rise_power", "fall_power", "power")
    )


def _mean_energy(tables: tuple[PowerTable, ...], slew_ps: float, load_ff: float) -> float:
    return fmean(table.at(slew_ps, load_ff) for table in tables) if tables else 0.0


def _number(group: Group, name: str, owner: str) -> float:
    text = group.get(name)
    try:
        return float(text)
    except ValueError:
        problem = f"must have a number for {name}, not {text!r}" if text else f"has no {name}"
        raise InputError(f"{owner} {problem}; correct the file.") from None
