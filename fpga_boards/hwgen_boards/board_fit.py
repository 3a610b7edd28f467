"""Whether a design fits a board, and which one would hold it."""

from hwgen.errors import InputError
from hwgen_boards.boards import Board, board_names, load_board
from hwgen_boards.devices import Device
from hwgen_boards.fit import overflows
from hwgen_boards.resources import Resources

__all__ = ["require_board_fit"]


def require_board_fit(needs: Resources, board: Board) -> None:
    """Raise InputError that names what overflows, by how much, and a board that would do."""
    found = overflows(needs, board.device)
    if found:
        raise InputError(
            f"The design with its {board.link} does not fit {board.name}: it needs "
            f"{'; '.join(map(str, found))}; {_remedy(needs, board)}."
        )


def _remedy(needs: Resources, board: Board) -> str:
    # one of the same kind, since another one's bitstream comes from other tools
    known = (other for other in map(load_board, board_names()) if type(other) is type(board))
    boards = sorted(known, key=lambda other: other.device.lut)
    larger = [other.name for other in boards if _holds(other.device, needs, board.device)]
    fewer = "fold it further (more target cycles)"
    return f"use {larger[0]} or {fewer}" if larger else f"no board is large enough, so {fewer}"


def _holds(device: Device, needs: Resources, counted_for: Device) -> bool:
    """Whether a device holds what was counted for another; block RAMs are compared in bits."""
    return (
        needs.lut <= device.lut
        and needs.ff <= device.ff
        and needs.dsp <= device.dsp
        and needs.bram * counted_for.bram_bits <= device.bram * device.bram_bits
    )
