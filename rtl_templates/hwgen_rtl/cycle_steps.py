"""The cycle model's machine code: how each kind of block in `hwgen_rtl.cycles` spends a cycle.

A cycle has two passes. Valid runs forward through the blocks that hand it on without a register;
all other valids are registers and already stand. Ready runs backward through all blocks, and each
takes its step as soon as the readies of its outputs are known. A block sleeps until a link of its
own changes or one of its counters runs out, and then makes up for the cycles it slept through.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

KINDS = (
    *("offering", "passing", "copying", "pipelining"),
    *("holding", "queueing", "buffering", "spacing"),
)
"""Functions of `hwgen_rtl.cycles` that make a block's timing and say how it moves."""
OFFERING, PASSING, COPYING, PIPELINING, HOLDING, QUEUEING, BUFFERING, SPACING = range(len(KINDS))
THROUGH = OFFERING, PASSING, COPYING, SPACING
"""Kinds whose valid is no register."""
GIVE, TAKE = 1, 2
"""Bits of `hwgen_rtl.cycles.Pass`."""

COLUMNS = 21
# columns of a block's row: what it is,
KIND, INPUTS, INPUTS_AT, OUTPUTS, OUTPUTS_AT, PATTERN, RELEASES, PERIOD = range(8)
LATENCY, ROOM, BEATS, JOBS, FLOWS = range(8, 13)
# and how it stands
SEEN, PLACE, LEVEL, LEFT, JOB, PIPE, PEAK, WAITED = range(13, COLUMNS)

MARKS = 4
CYCLE, LOGGED, START, EARLY = range(MARKS)

NEVER = 1 << 60
"""A cycle that does not come."""


class Network(NamedTuple):
    """Blocks in the order of their streams, and the links between them.

    Parameters:
        rows    : (blocks, COLUMNS)
        pool    : patterns and lists of links; rows hold where each begins
        through : blocks whose valid is no register
        gates   : blocks that wait until nothing moves, in the order in which they open
        wake    : cycle of each block's next step; a last entry for links that no block reads
        valid   : of each link, in the present cycle
        ready   : of each link, in the present cycle
        writer  : block of each link
        reader  : block of each link
        kept    : whether a link's transfers are logged
        taken   : transfers of each link
        log     : (transfers, 2), link and cycle
        marks   : next cycle, entries in the log, first cycle of input, last transfer before it
    """

    rows: NDArray[np.int64]
    pool: NDArray[np.int64]
    through: NDArray[np.int64]
    gates: NDArray[np.int64]
    wake: NDArray[np.int64]
    valid: NDArray[np.bool_]
    ready: NDArray[np.bool_]
    writer: NDArray[np.int64]
    reader: NDArray[np.int64]
    kept: NDArray[np.bool_]
    taken: NDArray[np.int64]
    log: NDArray[np.int64]
    marks: NDArray[np.int64]


# no reference counts, which took nine tenths of the time: nothing here allocates
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
_kernel = numba.njit(**_OPTIONS)


def _kept_kernel(function):
    """Machine code of this function, and of those it calls, stays on disk."""
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # no folder to keep it in
        return _kernel(function)


@_kernel
def _set_valid(net, link, value, cycle):
    """Wakes the reader where valid changes in ``cycle``."""
    if net.valid[link] != value:
        net.valid[link] = value
        net.wake[net.reader[link]] = min(net.wake[net.reader[link]], cycle)


@_kernel
def _set_ready(net, link, value, cycle):
    """Wakes the writer where ready changes in ``cycle``."""
    if net.ready[link] != value:
        net.ready[link] = value
        net.wake[net.writer[link]] = min(net.wake[net.writer[link]], cycle)


@_kernel
def _fire(net, link, cycle):
    """Note the transfer if there is one; its writer calls this, and says so."""
    if not (net.valid[link] and net.ready[link]):
        return False
    net.taken[link] += 1
    if cycle < net.marks[START]:
        net.marks[EARLY] = cycle
    if net.kept[link]:
        place = net.marks[LOGGED]
        net.log[place, 0], net.log[place, 1] = link, cycle
        net.marks[LOGGED] = place + 1
    return True


@_kernel
def _advance(row):
    """The next place of a block's pattern, which repeats."""
    place = row[PLACE] + 1
    row[PLACE] = 0 if place == row[PERIOD] else place


@_kernel
def _lowest(bits):
    """Number of the lowest bit that is 1."""
    place = 0
    while not (bits >> place) & 1:
        place += 1
    return place


@_kernel
def _offer(net, row, cycle):
    """Valid of the blocks that have no register for it."""
    o = net.pool[row[OUTPUTS_AT]]
    if row[KIND] == OFFERING:
        place = row[PLACE]
        offers = place < row[PERIOD] and net.pool[row[PATTERN] + place] <= cycle
        _set_valid(net, o, offers, cycle)
        return
    valid = net.valid[net.pool[row[INPUTS_AT]]]
    if row[KIND] == PASSING:
        code = net.pool[row[PATTERN] + row[PLACE]]
        _set_valid(net, o, bool(code & GIVE) and (valid or not code & TAKE), cycle)
        return
    if row[KIND] == SPACING:
        _set_valid(net, o, valid and row[LEFT] > 0, cycle)
        return
    for n in range(row[OUTPUTS]):
        served = (row[PIPE] >> n) & 1
        _set_valid(net, net.pool[row[OUTPUTS_AT] + n], valid and not served, cycle)


@_kernel
def _source(net, row, cycle):
    """o.valid = the next offer's cycle has come."""
    if _fire(net, net.pool[row[OUTPUTS_AT]], cycle):
        row[PLACE] += 1
        return cycle + 1
    if row[PLACE] < row[PERIOD]:
        time = net.pool[row[PATTERN] + row[PLACE]]
        return time if time > cycle else NEVER
    return NEVER


@_kernel
def _pass(net, row, cycle):
    """i.ready = TAKE & (o.ready | ~GIVE); the next step of the pattern after each transfer."""
    i, o = net.pool[row[INPUTS_AT]], net.pool[row[OUTPUTS_AT]]
    code = net.pool[row[PATTERN] + row[PLACE]]
    _set_ready(net, i, bool(code & TAKE) and (net.ready[o] or not code & GIVE), cycle)
    if _fire(net, o, cycle) or (code == TAKE and net.valid[i]):
        _advance(row)
        return cycle + 1
    return NEVER


@_kernel
def _space(net, row, cycle):
    """Hands a beat on while LEFT is 1, and none while it is 0."""
    i, o = net.pool[row[INPUTS_AT]], net.pool[row[OUTPUTS_AT]]
    _set_ready(net, i, row[LEFT] > 0 and net.ready[o], cycle)
    if _fire(net, o, cycle):
        row[LEFT] = 0
        return cycle + 1
    return NEVER


@_kernel
def _open(net, cycle):
    """Where nothing moves: open the gates up to the first that keeps a beat; its cycle."""
    for n in range(len(net.gates)):
        row = net.rows[net.gates[n]]
        waits = row[LEFT] == 0 and net.valid[net.pool[row[INPUTS_AT]]]
        if waits:
            for k in range(n + 1):
                net.rows[net.gates[k], LEFT] = 1
                net.wake[net.gates[k]] = cycle
            return cycle
    return NEVER


@_kernel
def _copy(net, row, cycle):
    """i.ready = every output has, or has had, the beat; PIPE has a bit for those that have."""
    i = net.pool[row[INPUTS_AT]]
    before, after, everyone = row[PIPE], row[PIPE], True
    for n in range(row[OUTPUTS]):
        o = net.pool[row[OUTPUTS_AT] + n]
        if _fire(net, o, cycle):
            after |= 1 << n
        everyone &= bool(net.ready[o]) or bool((before >> n) & 1)
    _set_ready(net, i, everyone, cycle)
    ends = everyone and net.valid[i]
    row[PIPE] = 0 if ends else after
    return cycle + 1 if ends or after != before else NEVER


@_kernel
def _take(net, row, free, cycle):
    """Take a beat of each input whose turn it is, if all of them have one; says 2*took + emits."""
    code = net.pool[row[PATTERN] + row[PLACE]]
    turns, all_valid = code >> 1, True
    for n in range(row[INPUTS]):
        if (turns >> n) & 1:
            all_valid &= bool(net.valid[net.pool[row[INPUTS_AT] + n]])
    # where there is one input, its ready needs no valid: it changes less often, and wakes less
    goes = free and (all_valid or row[INPUTS] == 1)
    for n in range(row[INPUTS]):
        turn = bool((turns >> n) & 1)
        _set_ready(net, net.pool[row[INPUTS_AT] + n], goes and turn, cycle)
    if not (free and all_valid):
        return 0
    _advance(row)
    return 2 + (code & 1)


@_kernel
def _move(net, row, o, slept):
    """Make up for ``slept`` cycles of a pipeline, which moved unless a result waited."""
    if net.valid[o]:
        row[WAITED] += slept
    elif row[PIPE]:
        row[PIPE] >>= slept


@_kernel
def _pipeline(net, row, cycle):
    """Enable = ~o.valid | o.ready = i.ready; PIPE has a bit for each stage that holds a result."""
    o = net.pool[row[OUTPUTS_AT]]
    _move(net, row, o, cycle - row[SEEN] - 1)
    row[SEEN] = cycle
    free = not net.valid[o] or net.ready[o]
    _fire(net, o, cycle)
    took = _take(net, row, free, cycle)
    if not free:
        row[WAITED] += 1
        return NEVER
    pipe = (row[PIPE] >> 1) | ((took & 1) << (row[LATENCY] - 1))
    row[PIPE] = pipe
    _set_valid(net, o, bool(pipe & 1), cycle + 1)
    if took or pipe & 1:
        return cycle + 1
    return cycle + _lowest(pipe) if pipe else NEVER


@_kernel
def _hold(net, row, cycle):
    """Valid = LEFT > 0; i.ready = LEFT is 0, or becomes 0 in a block that has a path through."""
    i, o = net.pool[row[INPUTS_AT]], net.pool[row[OUTPUTS_AT]]
    ready = row[LEFT] == 0 or (row[FLOWS] == 1 and row[LEFT] == 1 and net.ready[o])
    _set_ready(net, i, ready, cycle)
    fires, takes = _fire(net, o, cycle), ready and net.valid[i]
    if fires:
        row[LEFT] -= 1
    if takes:
        row[LEFT] = row[BEATS]
    _set_valid(net, o, row[LEFT] > 0, cycle + 1)
    return cycle + 1 if fires or takes else NEVER


@_kernel
def _queue(net, row, cycle):
    """A memory of ROOM beats, LEVEL of which are full, in front of an output register."""
    i, o = net.pool[row[INPUTS_AT]], net.pool[row[OUTPUTS_AT]]
    held = net.valid[o]
    room = row[LEVEL] < row[ROOM]
    _set_ready(net, i, room, cycle)
    takes = room and net.valid[i]
    fires = _fire(net, o, cycle)
    moves = row[LEVEL] > 0 and (fires or not held)
    if takes:
        row[PEAK] = max(row[PEAK], row[LEVEL] + int(held) + 1)
    row[LEVEL] += int(takes) - int(moves)
    _set_valid(net, o, moves or (held and not fires), cycle + 1)
    return cycle + 1 if takes or fires or moves else NEVER


@_kernel
def _read(net, row):
    """Read a word; says 2*(a run begins or ends) + (a result enters the pipeline)."""
    begins = row[LEFT] == 0
    if begins:
        if row[LEVEL] < net.pool[row[PATTERN] + row[PLACE]]:
            return 0
        row[LEFT] = row[BEATS]
    row[LEFT] -= 1
    if row[LEFT] > 0:
        return 2 if begins else 0
    row[JOB] += 1
    if row[JOB] < row[JOBS]:
        row[LEFT] = row[BEATS]
        return 3
    row[JOB] = 0
    row[LEVEL] -= net.pool[row[RELEASES] + row[PLACE]]
    _advance(row)
    return 3


@_kernel
def _buffer(net, row, cycle):
    """LEVEL words from the first that is still needed; LEFT words to read in the present job."""
    i, o = net.pool[row[INPUTS_AT]], net.pool[row[OUTPUTS_AT]]
    slept = cycle - row[SEEN] - 1
    row[SEEN] = cycle
    _move(net, row, o, slept)
    if not net.valid[o] and row[LEFT] > 0:
        row[LEFT] -= slept
    free = not net.valid[o] or net.ready[o]
    _fire(net, o, cycle)
    room = row[LEVEL] < row[ROOM]
    _set_ready(net, i, room, cycle)
    takes = room and net.valid[i]
    read = _read(net, row) if free else 0
    row[LEVEL] += int(takes)
    if not free:
        row[WAITED] += 1
        return cycle + 1 if takes else NEVER
    pipe = (row[PIPE] >> 1) | ((read & 1) << (row[LATENCY] - 1))
    row[PIPE] = pipe
    _set_valid(net, o, bool(pipe & 1), cycle + 1)
    if takes or read or pipe & 1:
        return cycle + 1
    rest = cycle + row[LEFT] if row[LEFT] > 0 else NEVER
    return min(rest, cycle + _lowest(pipe)) if pipe else rest


@_kernel
def _step(net, row, cycle):
    """One block's cycle; the cycle of its next step, if none of its links changes before."""
    kind = row[KIND]
    if kind == BUFFERING:
        return _buffer(net, row, cycle)
    if kind == PIPELINING:
        return _pipeline(net, row, cycle)
    if kind == PASSING:
        return _pass(net, row, cycle)
    if kind == HOLDING:
        return _hold(net, row, cycle)
    if kind == QUEUEING:
        return _queue(net, row, cycle)
    if kind == COPYING:
        return _copy(net, row, cycle)
    if kind == SPACING:
        return _space(net, row, cycle)
    return _source(net, row, cycle)


@_kernel
def _soonest(net):
    """Cycle in which the first block wakes."""
    soonest = NEVER
    for block in range(len(net.rows)):
        soonest = min(soonest, net.wake[block])
    return soonest


@_kept_kernel
def run(net):
    """Go on until nothing can move any more (True) or the log is full (False)."""
    cycle, last = net.marks[CYCLE], len(net.log) - len(net.valid)
    while cycle < NEVER and net.marks[LOGGED] <= last:
        for n in range(len(net.through)):
            block = net.through[n]
            if net.wake[block] <= cycle:
                _offer(net, net.rows[block], cycle)
        awake = False
        for block in range(len(net.rows) - 1, -1, -1):
            if net.wake[block] <= cycle:
                net.wake[block] = _step(net, net.rows[block], cycle)
                awake = True
        if awake:
            cycle += 1
            continue
        soonest = _soonest(net)
        cycle = soonest if soonest < NEVER else _open(net, cycle)
    net.marks[CYCLE] = cycle
    return cycle == NEVER
