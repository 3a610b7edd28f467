"""The commands ``synth``, ``boards`` and ``bitstream``; the tools load when one runs."""

from pathlib import Path
from typing import Any

import click

from hwgen.build import Build
from hwgen.cli import build_argument, json_option, print_json, print_table, progress

__all__ = ["bitstream", "boards", "synth"]

COLUMNS = ("name", "lut", "ff", "carry", "bram", "dsp")
BOARD_COLUMNS = ("name", "title", "device", "lut", "clock_mhz", "connection", "tested")


@click.command()
@build_argument
@click.option("--device", required=True, metavar="D", help="Device to synthesize for.")
@click.option("--route", is_flag=True, help="Place and route too; gives the clock frequency.")
@json_option
def synth(build: Path, device: str, route: bool, as_json: bool) -> int:
    """Synthesize the Verilog for a device and count what it takes."""
    from hwgen_boards.synth_build import synth_build

    with progress() as report:
        report("route" if route else "synthesize", 0.0)
        document = synth_build(build, device, route).to_json()
    if as_json:
        print_json(document)
    else:
        _print_report(document)
    return 1 if document["overflows"] else 0


@click.command()
@json_option
def boards(as_json: bool) -> None:
    """List the boards, and how far each was tested."""
    from hwgen_boards.boards import board_names, load_board

    rows = [load_board(name).to_json() for name in board_names()]
    if as_json:
        print_json({"boards": rows})
    else:
        print_table(rows, BOARD_COLUMNS)


@click.command()
@build_argument
@click.option("--board", required=True, metavar="B", help="Board, as 'hwgen boards' names it.")
@click.option("--clock", type=float, metavar="MHZ", help="Clock to run at, and to reach.")
@click.option("--seed", type=click.IntRange(min=0), help="Another one gives another placement.")
@json_option
def bitstream(
    build: Path, board: str, clock: float | None, seed: int | None, as_json: bool
) -> None:
    """Make the bitstream of a build for a board, with open tools only; for Xilinx, an AXI core."""
    from hwgen_boards.bitstream import build_bitstream

    with progress() as report:
        document = build_bitstream(build, board, clock, seed, report)
    if as_json:
        print_json(document)
    else:
        _print_bitstream(build, document)


def _print_bitstream(build: Path, document: dict[str, Any]) -> None:
    rows = [
        {"cell": cell, **use, "percent": round(100 * use["used"] / use["available"])}
        for cell, use in document["utilization"].items()
        if use["available"]
    ]
    print_table(rows, ("cell", "used", "available", "percent"))
    clock = document["clock_mhz"]
    if document["level"] == "core":
        click.echo(
            f"core for {document['board']} ({document['part']}): synthesized by Yosys, not placed "
            f"and routed here; the {clock['asked']:g} MHz asked for are not checked"
        )
        click.echo(str(build / Build.axi_core))
        return
    reached = "no clock" if clock["reached"] is None else f"{clock['reached']:.1f} MHz"
    click.echo(
        f"{document['level']} for {document['board']}: {reached} reached, "
        f"{clock['asked']:g} MHz asked for"
    )
    click.echo(str(build / Build.bitstream / document["bitstream"]))


def _print_report(document: dict[str, Any]) -> None:
    rows = [document["glue"] | {"name": "(glue)"}, document["total"] | {"name": "total"}]
    print_table([*document["nodes"], *rows], COLUMNS)
    clock = document["clock_mhz"]
    click.echo(f"{document['level']} for {document['device']}: ", nl=False)
    click.echo(f"{clock:.1f} MHz" if clock is not None else "clock not known before --route")
    for overflow in document["overflows"]:
        click.echo(f"Does not fit: {overflow}")
