"""Toggles and energies of small netlists: by hand, and against a simulator that queues events."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen_sim.liberty.library import load_library
from hwgen_sim.liberty.netlist import read_netlist
from hwgen_sim.liberty.power import cycle_energy
from hwgen_sim.liberty.toggles import simulate

LIBRARY = load_library(Path(__file__).with_name("tiny.lib"))
FUNCTIONS = {"INV": lambda a: 1 - a, "XOR": lambda a, b: a ^ b}


def _netlist(ports: dict[str, tuple[str, list]], cells: list[tuple[str, dict]]):
    """From ports name -> (direction, bits) and cells (type, pin -> bit), as Yosys writes them."""
    module = {
        "ports": {n: {"direction": way, "bits": bits} for n, (way, bits) in ports.items()},
        "cells": {
            str(n): {"type": kind, "connections": {pin: [bit] for pin, bit in pins.items()}}
            for n, (kind, pins) in enumerate(cells)
        },
    }
    return read_netlist({"modules": {"top": module}}, LIBRARY)


def _column(*values: int):
    return np.array(values)[:, None]


class TestByHand:
    glitch = _netlist(
        {"a": ("input", [2]), "y": ("output", [4])},
        [("XOR", {"A": 2, "B": 3, "Y": 4}), ("INV", {"A": 2, "Y": 3})],
    )
    register = _netlist(
        {"clk": ("input", [2]), "rst": ("input", [5]), "d": ("input", [3]), "q": ("output", [4])},
        [("DFF", {"CK": 2, "D": 3, "Q": 4})],
    )

    def test_counts_a_glitch_with_delays_only(self):
        """a ^ ~a is 1, but it falls for one unit of time after each change of a."""
        toggles = simulate(self.glitch, {"a": _column(0, 1, 0, 1)})
        assert sorted(toggles.zero.tolist())[-3:] == [0, 3, 3]
        assert sorted(toggles.unit.tolist())[-3:] == [3, 3, 6]
        assert toggles.cycles == 3
        assert toggles.outputs["y"].ravel().tolist() == [1, 1, 1, 1]

    def test_energy_of_the_glitch(self):
        """Per toggle: a 5 fF, 2.5 fJ; ~a 3 fF, (1 + 3) + 1.5; output 1 fF, 3 + 0.5."""
        toggles = simulate(self.glitch, {"a": _column(0, 1, 0, 1)})
        energy = cycle_energy(self.glitch, toggles, LIBRARY)
        assert energy.low == pytest.approx(2.5 + 5.5)
        assert energy.high == pytest.approx(2.5 + 5.5 + 2 * 3.5)
        assert energy.clock == 0
        assert (self.glitch.area, self.glitch.leakage_nw) == (4.5, 7.0)

    def test_energy_of_a_register(self):
        """d: 2 fF, 1 + 0.25; q: 1 fF, 2 + 0.5; clock: two edges of 0.5, and 2 fF once."""
        toggles = simulate(self.register, {"d": _column(0, 1, 0, 1)}, warm_up=2)
        energy = cycle_energy(self.register, toggles, LIBRARY)
        assert energy.low == energy.high == pytest.approx(1.25 + 2.5)
        assert energy.clock == pytest.approx(2 * 0.5 + 2)
        assert toggles.outputs["q"].ravel().tolist() == [0, 0, 1, 0]

    def test_steady_inputs_take_no_energy(self):
        toggles = simulate(self.glitch, {"a": _column(1, 1, 1)})
        assert cycle_energy(self.glitch, toggles, LIBRARY).high == 0

    def test_a_toggle_flip_flop_divides_by_two(self):
        divider = _netlist(
            {"clk": ("input", [2]), "e": ("input", [3]), "q": ("output", [4])},
            [("DFF", {"CK": 2, "D": 5, "Q": 4}), ("XOR", {"A": 3, "B": 4, "Y": 5})],
        )
        toggles = simulate(divider, {"e": _column(1, 1, 1, 0, 1)})
        assert toggles.outputs["q"].ravel().tolist() == [0, 1, 0, 1, 1]

    def test_inverted_output_of_a_register(self):
        inverted = _netlist(
            {"clk": ("input", [2]), "d": ("input", [3]), "q": ("output", [4])},
            [("DFF", {"CK": 2, "D": 3, "QN": 4})],
        )
        toggles = simulate(inverted, {"d": _column(1, 0, 1, 1)})
        assert toggles.outputs["q"].ravel().tolist()[1:] == [0, 1, 0]


class TestAgainstEvents:
    @pytest.mark.parametrize("seed", range(6))
    def test_random_gates(self, seed):
        """Counts of every net equal those of a queue of events, one unit of time a gate."""
        rng = np.random.default_rng(seed)
        inputs, gates = 5, 40
        cells = []
        for n in range(gates):
            kind = ("INV", "XOR")[int(rng.integers(2))]
            pins = dict(zip("AB", rng.integers(2, 2 + inputs + n, 2).tolist(), strict=True))
            pins = pins if kind == "XOR" else {"A": pins["A"]}
            cells.append((kind, pins | {"Y": 2 + inputs + n}))
        everything = list(range(2, 2 + inputs + gates))
        netlist = _netlist(
            {"i": ("input", everything[:inputs]), "o": ("output", everything)}, cells
        )
        values = rng.integers(0, 1 << inputs, (12, 70))  # more streams than a word has bits
        toggles = simulate(netlist, {"i": values})
        nets = np.array(netlist.ports["o"].nets)
        zero, unit = _events(cells, inputs, values)
        assert toggles.zero[nets].tolist() == [zero[bit] for bit in everything]
        assert toggles.unit[nets].tolist() == [unit[bit] for bit in everything]


def _events(cells, inputs: int, values) -> tuple[dict[int, int], dict[int, int]]:
    zero = {bit: 0 for bit in range(2, 2 + inputs + len(cells))}
    unit = dict(zero)
    for stream in values.T:
        state = dict.fromkeys(zero, 0)
        for t, value in enumerate(stream.tolist()):
            before = dict(state)
            changed = {2 + k: value >> k & 1 for k in range(inputs)}
            while changed := {bit: new for bit, new in changed.items() if state[bit] != new}:
                state |= changed
                for bit in changed:
                    unit[bit] += t > 0
                readers = [(k, p) for k, p in cells if changed.keys() & {p["A"], p.get("B")}]
                changed = {
                    p["Y"]: FUNCTIONS[k](*(state[p[pin]] for pin in "AB" if pin in p))
                    for k, p in readers
                }
            if t == 0:  # gates that no input has reached yet
                for k, p in cells:
                    state[p["Y"]] = FUNCTIONS[k](*(state[p[pin]] for pin in "AB" if pin in p))
            else:
                for bit in zero:
                    zero[bit] += before[bit] != state[bit]
    return zero, unit


class TestRefusals:
    def test_refuses_an_unknown_cell(self):
        with pytest.raises(InputError, match=r"holds the cell LATCH, whose function .* tiny does"):
            _netlist({}, [("LATCH", {"D": 2})])

    def test_refuses_a_loop(self):
        with pytest.raises(InputError, match="has a loop of gates; only registers may close one"):
            _netlist({}, [("INV", {"A": 2, "Y": 3}), ("INV", {"A": 3, "Y": 2})])

    def test_refuses_operands_of_other_names(self):
        with pytest.raises(InputError, match=r"must be given for a, all of one shape, not for b"):
            simulate(TestByHand.glitch, {"b": _column(1)})
