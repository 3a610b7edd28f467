"""Toggles of every net of a netlist, for given values at its inputs.

Each bit of a word is a stream of its own; all streams are simulated at once. Two counts bound what
happens in silicon: without delays a net toggles at most once a cycle; where every gate takes one
unit of time, it also toggles for each glitch that reaches it, and none is swallowed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hwgen.errors import InputError
from hwgen_sim.liberty.netlist import Netlist

__all__ = ["Toggles", "simulate"]

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Toggles:
    """What a simulation counted.

    Parameters:
        zero, unit : (nets,) toggles of all streams and cycles, without delays and with unit ones
        cycles     : cycles counted, times streams
        outputs    : name -> (T, streams), values at the end of each cycle
    """

    zero: NDArray[np.int64]
    unit: NDArray[np.int64]
    cycles: int
    outputs: Mapping[str, NDArray[np.int64]]


def simulate(netlist: Netlist, inputs: Mapping[str, NDArray], warm_up: int = 1) -> Toggles:
    """Apply inputs (T, streams), one row a cycle; toggles count from cycle ``warm_up`` on.

    A value's lowest bits are used; the elements of an array may be given apart, (T, streams,
    elements). Registers are 0 before the first cycle.
    """
    wanted = {name for name, port in netlist.ports.items() if port.is_input}
    shapes = {values.shape[:2] for values in inputs.values()}
    if inputs.keys() != wanted or len(shapes) != 1:
        raise InputError(
            f"Values must be given for {', '.join(sorted(wanted))}, all of one shape, not for"
            f" {', '.join(sorted(inputs))} of {', '.join(map(str, shapes))}."
        )
    cycles, streams = shapes.pop()
    rows = [_packed(values, len(netlist.ports[name].nets)) for name, values in inputs.items()]
    sources = np.concatenate(rows, axis=1) if rows else np.zeros((cycles, 0, 1), np.uint64)
    nets = [net for name in inputs for net in netlist.ports[name].nets]
    outs = [port.nets for port in netlist.ports.values() if not port.is_input]
    watched = np.array([net for group in outs for net in group], dtype=np.int64)
    gates, registers = netlist.gates, netlist.registers
    zero, unit, seen = _run(
        netlist.nets, np.array(nets, dtype=np.int64), sources, watched, warm_up,
        (gates.tables, gates.inputs, gates.counts, gates.outs, gates.window),
        (registers.outs, registers.nexts, registers.inverted),
    )  # fmt: skip
    values = _values(netlist, seen, streams)
    return Toggles(zero, unit, (cycles - warm_up) * streams, values)


def _packed(values: NDArray, bits: int) -> Words:
    """(T, streams) or (T, streams, elements) integers to (T, bits, words)."""
    cycles, streams = values.shape[:2]
    elements = values.reshape(cycles, streams, -1)
    each = np.arange(bits // elements.shape[2])
    planes = (elements[..., None] >> each & 1).reshape(cycles, streams, bits)
    room = np.zeros((cycles, bits, -(-streams // 64) * 64), dtype=np.uint8)
    room[:, :, :streams] = planes.swapaxes(1, 2)
    return np.packbits(room, axis=-1, bitorder="little").view(np.uint64)


def _values(netlist: Netlist, seen: Words, streams: int) -> dict[str, NDArray[np.int64]]:
    """Inverse of `_packed` for each output port."""
    planes = np.unpackbits(seen.view(np.uint8), axis=-1, bitorder="little")[:, :, :streams]
    found, at = {}, 0
    for name, port in netlist.ports.items():
        if not port.is_input:
            weights = 1 << np.arange(len(port.nets), dtype=np.int64)
            part = planes[:, at : at + len(port.nets)].astype(np.int64)
            found[name] = np.einsum("tbs,b->ts", part, weights)
            at += len(port.nets)
    return found


@njit(cache=True)
def _ones(word):
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    low = np.uint64(0x3333333333333333)
    word = (word & low) + ((word >> np.uint64(2)) & low)
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True)
def _gate(g, w, state, gates, room):
    """Word ``w`` of a gate's output: its table halved by one input after the other."""
    tables, inputs, counts, _, _ = gates
    n = counts[g]
    for i in range(1 << n):
        room[i] = -((tables[g] >> np.uint64(i)) & np.uint64(1))
    for k in range(n):
        x = state[inputs[g, k], w]
        for i in range(1 << (n - k - 1)):
            room[i] = (room[2 * i] & ~x) | (room[2 * i + 1] & x)
    return room[0]


@njit(cache=True)
def _drive(state, toggles, net, w, value, counted):
    if counted:
        toggles[net] += _ones(state[net, w] ^ value)
    state[net, w] = value


@njit(cache=True)
def _ripple(w, state, unit, counted, fresh, gates, room):
    """Let every gate take a unit of time, until word ``w`` of all nets is at rest."""
    outs, window = gates[3], gates[4]
    depth = window[:, 1].max() if len(outs) else 0
    for step in range(1, depth + 1):
        for g in range(len(outs)):
            if window[g, 0] <= step <= window[g, 1]:
                fresh[g] = _gate(g, w, state, gates, room)
        for g in range(len(outs)):
            if window[g, 0] <= step <= window[g, 1]:
                _drive(state, unit, outs[g], w, fresh[g], counted)


@njit(cache=True)
def _run(nets, source_nets, sources, watched, warm_up, gates, registers):
    """``steady`` has no delays, ``state`` unit ones; at the end of a cycle they are equal."""
    cycles, _, words = sources.shape
    outs, (register_outs, nexts, inverted) = gates[3], registers
    ones = ~np.uint64(0)
    state = np.zeros((nets, words), np.uint64)
    state[1] = ones
    steady = state.copy()
    zero, unit = np.zeros(nets, np.int64), np.zeros(nets, np.int64)
    seen = np.zeros((cycles, len(watched), words), np.uint64)
    held = np.zeros(len(register_outs), np.uint64)
    fresh, room = np.zeros(len(outs), np.uint64), np.zeros(64, np.uint64)
    for t in range(cycles):
        counted = t >= warm_up
        for w in range(words):
            for r in range(len(register_outs)):
                flip = ones if inverted[r] and t else np.uint64(0)
                held[r] = state[nexts[r], w] ^ flip if t else np.uint64(0)
            for r in range(len(register_outs)):
                _drive(steady, zero, register_outs[r], w, held[r], counted)
                _drive(state, unit, register_outs[r], w, held[r], counted)
            for s in range(len(source_nets)):
                _drive(steady, zero, source_nets[s], w, sources[t, s, w], counted)
                _drive(state, unit, source_nets[s], w, sources[t, s, w], counted)
            for g in range(len(outs)):
                _drive(steady, zero, outs[g], w, _gate(g, w, steady, gates, room), counted)
            _ripple(w, state, unit, counted, fresh, gates, room)
            for k in range(len(watched)):
                seen[t, k, w] = state[watched[k], w]
    return zero, unit, seen
