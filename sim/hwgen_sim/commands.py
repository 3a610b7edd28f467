"""The commands that simulate, predict and measure, and the one that talks to a board.

Heavy modules load when one of them runs.
"""

from pathlib import Path
from typing import Any

import click

from hwgen.cli import build_argument, inputs_option, json_option, print_json, print_table, progress
from hwgen_sim.estimate_command import estimate

__all__ = ["compare", "estimate", "host", "report", "run", "simulate_board", "verify"]

VERIFY_FIELDS = (
    "status",
    "samples",
    "nodes_checked",
    "values_compared",
    "mismatches",
    "cycles_predicted",
    "cycles_measured",
    "simulator",
    "seed",
)


@click.command()
@build_argument
@inputs_option
@click.option("--count", type=click.IntRange(min=1), help="Images to check (default: all).")
@click.option(
    "--simulator",
    type=click.Choice(["verilator", "icarus", "amaranth"]),
    default="verilator",
    show_default=True,
)
@click.option("--stalls", type=int, metavar="SEED", help="Stall both sides at random.")
@click.option(
    "--waves",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.vcd",
    help="Write the cycles around the first mismatch.",
)
@click.option(
    "--netlist",
    metavar="DEVICE",
    help="Synthesize for a device and simulate the netlist: its cells and memory contents.",
)
@json_option
def verify(
    build: Path,
    inputs: Path,
    count: int | None,
    simulator: str,
    stalls: int | None,
    waves: Path | None,
    netlist: str | None,
    as_json: bool,
) -> int:
    """Simulate the Verilog, or a netlist, and compare every node with the golden model."""
    from hwgen_sim.verify import verify_build

    with progress() as report:
        result = verify_build(
            build,
            inputs,
            count=count,
            simulator=simulator,
            stalls=stalls,
            waves=waves,
            netlist=netlist,
            progress=report,
        )
    document = result.to_json()
    if as_json:
        print_json(document)
    else:
        _print_verdict(document)
    return 0 if document["status"] == "passed" else 1


def _print_verdict(document: dict[str, Any]) -> None:
    rows = [{"field": name.replace("_", " "), "value": document[name]} for name in VERIFY_FIELDS]
    print_table(rows, ("field", "value"))
    if document["first_mismatch"]:
        click.echo("First mismatch:")
        for name, value in document["first_mismatch"].items():
            click.echo(f"  {name}: {value}")


@click.command()
@build_argument
@inputs_option
@click.option(
    "--engine",
    required=True,
    type=click.Choice(["torch", "golden", "fast", "rtl"]),
    help="The integers: torch with its operators; golden, the specification; fast, the same"
    " compiled; rtl, the simulated Verilog.",
)
@click.option("-o", "--output", required=True, metavar="Y.npz", type=click.Path(path_type=Path))
@click.option(
    "--nodes",
    type=click.Choice(["output", "all"]),
    default="output",
    show_default=True,
    help="all: also the integers of every node, under its name.",
)
def run(build: Path, inputs: Path, engine: str, output: Path, nodes: str) -> None:
    """Compute the outputs of the network with one of four engines."""
    from hwgen_sim.run import run_build

    run_build(build, inputs, engine, output, nodes)
    click.echo(str(output))


@click.command()
@build_argument
@inputs_option
@click.option("--port", required=True, metavar="P", help="Serial port, as /dev/ttyUSB1.")
@click.option(
    "--baud", type=click.IntRange(min=1), default=115_200, show_default=True, help="Bits a second."
)
@click.option("--count", type=click.IntRange(min=1), help="Images to send (default: all).")
@click.option(
    "-o", "--output", metavar="Y.npz", type=click.Path(path_type=Path), help="Write the integers."
)
@click.option(
    "--check/--no-check", default=True, help="Compare with the golden model (done by default)."
)
@json_option
def host(
    build: Path,
    inputs: Path,
    port: str,
    baud: int,
    count: int | None,
    output: Path | None,
    check: bool,
    as_json: bool,
) -> int:
    """Run images through the network on a board.

    The board must hold this very build; 'hwgen simulate-board' is one without hardware.
    """
    from hwgen_sim.board.host import host_build

    with progress() as report:
        report(f"talk to the board at {port}", 0.0)
        result = host_build(
            build, inputs, port, baudrate=baud, count=count, output=output, check=check
        )
    if as_json:
        print_json(result.to_json())
    else:
        _print_host_run(result.to_json())
        if output:
            click.echo(str(output))
    return 1 if result.status == "failed" else 0


SHOWN = 10


def _print_host_run(document: dict[str, Any]) -> None:
    outputs, labels = document["outputs"], document["labels"]
    rows = [
        {"image": k, "output": _short(outputs[k]), "label": labels[k] if labels else None}
        for k in range(min(SHOWN, len(outputs)))
    ]
    print_table(rows, ("image", "output", *(("label",) if labels else ())))
    if len(outputs) > SHOWN:
        click.echo(f"... {len(outputs) - SHOWN} more")
    counters = document["counters"].items()
    print_table(
        [{"counter": n.replace("_", " "), "value": v} for n, v in counters], ("counter", "value")
    )
    verdict = {
        "passed": "Every integer is the golden model's.",
        "failed": f"{document['mismatches']} integers are not the golden model's. The first one: "
        f"{document['first_mismatch']}",
        "unchecked": "Not compared with the golden model.",
    }
    click.echo(f"Board with build {document['build']}. {verdict[document['status']]}")


def _short(values: Any) -> str:
    """One image's integers on a line."""
    import numpy as np

    flat = np.ravel(values)
    return " ".join(map(str, flat[:SHOWN])) + (" ..." if flat.size > SHOWN else "")


@click.command("simulate-board")
@build_argument
@click.option(
    "--noise",
    type=click.FloatRange(0, 0.1),
    default=0.0,
    metavar="SHARE",
    help="Share of bytes that the line loses, and as many that it changes.",
)
def simulate_board(build: Path, noise: float) -> None:
    """Simulate a board with this build behind a serial port, until Ctrl-C.

    Prints the name of the port, for 'hwgen host' in another terminal.
    """
    from hwgen_sim.board.serve import serve_build

    def announce(port: str, name: str) -> None:
        click.echo(f"Simulated board with build {name} at {port}; Ctrl-C ends it.")

    with progress() as report:
        report("build the simulation", 0.0)
        serve_build(build, noise, announce)


@click.command()
@build_argument
@click.option("--node", metavar="NAME", help="One layer alone (default: all but first and last).")
@click.option("--energy-profile", "profile", metavar="P", help="Table of energies per action.")
@click.option(
    "--picture",
    metavar="FILE.png",
    type=click.Path(path_type=Path),
    help="Also draw LUTs and energy of every row.",
)
@json_option
def compare(
    build: Path, node: str | None, profile: str | None, picture: Path | None, as_json: bool
) -> None:
    """Predict the same network with other kernels at equal parallelism."""
    from hwgen_sim.compare_kernels.comparison import COLUMNS, compare_build
    from hwgen_sim.compare_kernels.picture import check_picture, save_picture

    if picture:
        check_picture(picture)
    with progress() as report:
        report("schedule and compare", 0.0)
        document = compare_build(build, node, profile).to_json()
    if picture:
        save_picture(document, picture)
    if as_json:
        print_json(document)
        return
    _print_kernels(document, COLUMNS)


def _print_kernels(document: dict[str, Any], columns: tuple[str, ...]) -> None:
    rows = document["rows"]
    print_table(
        [row | {"energy_without": ", ".join(row["energy_without"] or ()) or None} for row in rows],
        columns,
    )
    click.echo(
        "Cycles, cells and energies are predicted (the tests hold the cells' errors against"
        f" synthesis); energies with profile {document['profile']}; LUT per lane is that of the"
        " compared layers."
    )
    for sentence in document["notes"]:
        click.echo(sentence)
    click.echo("Not modelled:")
    for line in document["not_modelled"]:
        click.echo(f"  {line}")
    for sentence in document["summary"]:
        click.echo(sentence)


@click.command()
@build_argument
@json_option
def report(build: Path, as_json: bool) -> None:
    """Show one table per layer from all that earlier commands found out."""
    from hwgen_sim.report import LAYER_COLUMNS, report_build

    document = report_build(build).to_json()
    if as_json:
        print_json(document)
        return
    print_table(document["layers"], LAYER_COLUMNS)
    for sentence in document["summary"]:
        click.echo(sentence)
