"""The command ``synth``; Yosys and nextpnr load when it runs."""

from pathlib import Path
from typing import Any

import click

from hwgen.cli import build_argument, json_option, print_json, print_table, progress

__all__ = ["synth"]

COLUMNS = ("name", "lut", "ff", "carry", "bram", "dsp")


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


def _print_report(document: dict[str, Any]) -> None:
    rows = [document["glue"] | {"name": "(glue)"}, document["total"] | {"name": "total"}]
    print_table([*document["nodes"], *rows], COLUMNS)
    clock = document["clock_mhz"]
    click.echo(f"{document['level']} for {document['device']}: ", nl=False)
    click.echo(f"{clock:.1f} MHz" if clock is not None else "clock not known before --route")
    for overflow in document["overflows"]:
        click.echo(f"Does not fit: {overflow}")
