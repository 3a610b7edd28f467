"""The chain of blocks that computes a Winograd adder layer."""

from math import ceil

from hwgen_rtl.band import BandParams
from hwgen_rtl.line_buffer import LineBufferParams
from hwgen_rtl.numerics import IntType
from hwgen_rtl.window import WindowParams
from hwgen_rtl.windowed import WindowedParams
from hwgen_rtl.winograd import TileGrid, tile_grid
from hwgen_rtl.winograd_array import WinogradArrayParams
from hwgen_rtl.winograd_input import InputTransformParams

__all__ = ["winograd_stages"]

Stages = list[tuple[str, LineBufferParams | WindowedParams | BandParams]]


def winograd_stages(
    *,
    channels: int,
    outputs: int,
    size: tuple[int, int],
    padding: tuple[int, int],
    x: IntType,
    w: IntType,
    acc: IntType,
    lanes: int,
    pe: int,
    variant: int = 0,
    slack: float = 1,
) -> Stages:
    """Named blocks from the padded image to the output: lines, transform, array, pixels.

    In front of them belong lane converters to ``lanes`` channels a beat and, unless all are 0,
    PadParams with ``padding`` and ``extra=tile_grid(size, padding).extra``. Weights (O, C, 4, 4)
    go to the array as they are. With f = outputs/pe and c = channels/lanes, a tile of 2x2 pixels
    takes max(4*c, f*c, 4*f) cycles.

    Parameters:
        channels, outputs : of the layer
        size, padding     : of the image, pixels, (rows, columns)
        x, w, acc         : types of pixels, weights and results
        lanes, pe         : input and output channels per cycle
        variant           : index into winograd.OUTPUT_TRANSFORMS
        slack             : scales the room for columns that arrive in bursts
    """
    if lanes < 1 or channels % lanes:
        raise ValueError(f"lanes must divide {channels}, not {lanes!r}")
    if pe < 1 or outputs % pe:
        raise ValueError(f"pe must divide {outputs}, not {pe!r}")
    grid, words, folds = tile_grid(size, padding), channels // lanes, outputs // pe
    lines = _lines(grid, words, lanes, x)
    transform = InputTransformParams(x=x, lanes=lanes)
    array = WinogradArrayParams(
        v=transform.v, w=w, acc=acc, lanes=lanes, pe=pe, beats=words, folds=folds, variant=variant
    )
    columns = _columns(grid, lines, folds, slack)
    return [
        ("lines", lines),
        ("transform", WindowedParams(window=columns, datapath=transform)),
        ("array", WindowedParams(window=_tiles(grid, array), datapath=array)),
        ("pixels", _pixels(grid, array)),
    ]


def _lines(grid: TileGrid, words: int, lanes: int, x: IntType) -> LineBufferParams:
    rows, columns = grid.tiles
    return LineBufferParams(
        height=2 * rows + 2,
        width=2 * columns + 2,
        words=words,
        lanes=lanes,
        kind=x,
        rows=4,
        stride=2,
    )


def _columns(grid: TileGrid, lines: LineBufferParams, folds: int, slack: float) -> WindowParams:
    """Tiles of one row of columns; keeps enough of them to work on while no tile ends in a row."""
    idle = (lines.rows - 1) * lines.width * lines.words * slack
    per_tile = max(4 * lines.words, folds * lines.words, 4 * folds)
    return WindowParams(
        height=grid.tiles[0],
        width=lines.width,
        words=lines.words,
        lanes=4 * lines.lanes,
        kind=lines.kind,
        kernel=(1, 4),
        stride=(1, 2),
        per_word=True,
        ahead=ceil(idle / per_tile) * 2 * lines.words,
    )


def _tiles(grid: TileGrid, array: WinogradArrayParams) -> WindowParams:
    return WindowParams(
        height=grid.tiles[0],
        width=grid.tiles[1],
        words=array.beats,
        lanes=16 * array.lanes,
        kind=array.v,
        kernel=(1, 1),
        repeats=array.folds,
    )


def _pixels(grid: TileGrid, array: WinogradArrayParams) -> BandParams:
    return BandParams(
        height=grid.tiles[0],
        width=grid.tiles[1],
        words=array.folds,
        lanes=array.pe,
        kind=array.acc,
        factor=2,
        shuffle=True,
        crop=grid.extra,
    )
