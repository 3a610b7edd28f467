"""The commands ``verify``, ``run``, ``estimate``, ``compare`` and ``report``.

Heavy modules load when one of them runs.
"""

from pathlib import Path
from typing import Any

import click

from hwgen.cli import build_argument, inputs_option, json_option, print_json, print_table, progress
from hwgen.errors import InputError

__all__ = ["compare", "estimate", "report", "run", "verify"]

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
ESTIMATE_COLUMNS = ("name", "kind", "bits", "pe", "simd", "cycles", "operations")
ESTIMATE_COLUMNS += ("lut", "ff", "carry", "bram", "dsp", "energy_pj")


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
@click.option("--device", metavar="D", help="Device whose resources are compared.")
@click.option("--energy-profile", "profile", metavar="P", help="Table of energies per action.")
@click.option(
    "--liberty",
    metavar="FILE.lib",
    help="Arrays in standard cells instead: a Liberty file, or nangate45 or sky130 if installed.",
)
@click.option(
    "--inputs",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="X.npz",
    help="With --liberty: images whose taps the arrays see (default: uniform taps).",
)
@json_option
def estimate(
    build: Path,
    device: str | None,
    profile: str | None,
    liberty: str | None,
    inputs: Path | None,
    as_json: bool,
) -> None:
    """Predict cycles, resources and energy of every node."""
    if liberty:
        _print_cells(build, liberty, inputs, as_json)
        return
    if inputs:
        raise InputError(f"--inputs must come with --liberty, not alone with {inputs}; add it.")
    from hwgen_sim.estimate import estimate_build

    document = estimate_build(build, device, profile).to_json()
    if as_json:
        print_json(document)
        return
    rows = [*document["nodes"], document["total"] | {"name": "total"}]
    print_table(map(_flat, rows), ESTIMATE_COLUMNS)
    sources = document["total"]["source"]
    click.echo(f"Cycles are {sources['cycles']}, cells {sources['cells']}, ", nl=False)
    click.echo(f"energies predicted with profile {document['profile']}.")
    click.echo("Not modelled:")
    for line in document["not_modelled"] or ["nothing"]:
        click.echo(f"  {line}")


def _print_cells(build: Path, liberty: str, inputs: Path | None, as_json: bool) -> None:
    from hwgen_sim.liberty import CELL_COLUMNS, estimate_cells, library_path

    with progress() as report:
        report("map and simulate arrays", 0.0)
        document = estimate_cells(build, library_path(liberty), inputs)
    if as_json:
        print_json(document)
        return
    print_table([*document["nodes"], document["total"] | {"name": "total"}], CELL_COLUMNS)
    click.echo(
        f"Cells of {document['library']} at {document['voltage']} V, synthesized; ", nl=False
    )
    click.echo(f"energies per image on {document['taps']} taps. Not modelled:")
    for line in document["not_modelled"]:
        click.echo(f"  {line}")


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """The same row with the components of its energy added up."""
    energy = row.get("energy_pj")
    return row | {"energy_pj": sum(energy.values())} if isinstance(energy, dict) else row


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
