"""The command ``estimate``; heavy modules load when it runs."""

from pathlib import Path
from typing import Any

import click

from hwgen.cli import json_option, print_json, print_table, progress
from hwgen.errors import InputError

__all__ = ["estimate"]

BUILD_COLUMNS = ("name", "kind", "bits", "pe", "simd", "cycles", "operations")
BUILD_COLUMNS += ("lut", "ff", "carry", "bram", "dsp", "energy_nj")
GRAPH_COLUMNS = ("name", "kind", "bits", "operations", "off_chip_kB", "energy_nj")


def _shape(_: click.Context, option: click.Parameter, text: str | None) -> Any:
    sizes = text.split(",") if text else []
    if text and not (len(sizes) == 3 and all(part.isdecimal() and int(part) for part in sizes)):
        raise click.BadParameter(f"{text!r} is not C,H,W, such as 3,224,224", None, option)
    return tuple(map(int, sizes)) or None


def _clock(_: click.Context, __: click.Parameter, megahertz: float | None) -> float | None:
    if megahertz is not None and not megahertz > 0:
        raise InputError(f"--clock must be above 0 MHz, not {megahertz:g}.")
    return megahertz


@click.command()
@click.argument("subject")
@click.argument("other", required=False)
@click.option("--device", metavar="D", help="Of a build: device whose synthesized cells are shown.")
@click.option(
    "--clock",
    type=float,
    metavar="MHZ",
    callback=_clock,
    help="Of a build: clock, for its leakage.",
)
@click.option("--energy-profile", "profile", metavar="P", help="Table of energies per action.")
@click.option("--memory-profile", "memories", metavar="P", help="Another one for on-chip memories.")
@click.option("--scale", metavar="RULE", help="Move both to another node: stillmaker-baas:45->7.")
@click.option("--bits", metavar="N", help="Of a graph: 1 to 16 (default 8), fp16 or fp32.")
@click.option("--input", "shape", metavar="C,H,W", callback=_shape, help="Of a graph: its image.")
@click.option(
    "--memory",
    "hierarchy",
    metavar="FILE.toml",
    type=click.Path(path_type=Path),
    help="Of a graph: its memory hierarchy.",
)
@click.option(
    "--picture",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Also draw the energy of every layer, by component (PNG or SVG).",
)
@click.option(
    "--roofline",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Also draw operations against traffic (PNG or SVG).",
)
@click.option(
    "--liberty",
    is_flag=False,
    flag_value="nangate45",
    metavar="FILE.lib",
    help="Of a build: its arrays in standard cells, of a Liberty file or, if installed, of"
    " nangate45 (if nothing is named) or sky130.",
)
@click.option(
    "--activity",
    is_flag=True,
    help="Of a build: simulate it on --inputs, count the toggles of every net, and price them by an"
    " FPGA's profile. With --device, its netlist instead of the Verilog.",
)
@click.option(
    "--inputs",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="X.npz",
    help="With --activity: images to simulate. With --liberty: images whose taps the arrays see"
    " (default: uniform taps).",
)
@click.option(
    "--images",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --activity: how many of --inputs (default 4), and as many random ones.",
)
@json_option
def estimate(
    subject: str,
    other: str | None,
    picture: Path | None,
    roofline: Path | None,
    liberty: str | None,
    activity: bool,
    inputs: Path | None,
    images: int | None,
    as_json: bool,
    **request: Any,
) -> None:
    """Predict energy, and for a build cycles and resources, of every node.

    SUBJECT is a build folder, or a graph: a network by name (resnet18, resnet18-adder), the
    1-graph.json of a build, file.py:factory or a .pt2. SUBJECT@4 chooses the bits of a graph. With
    OTHER, both are shown side by side.
    """
    beside = request | {"other": other, "picture": picture, "roofline": roofline}
    if activity:
        mine = {"profile": beside.pop("profile"), "device": beside.pop("device")}
        _refuse_beside("--activity", beside | {"liberty": liberty})
        _print_activity(Path(subject), inputs, images, mine, as_json)
        return
    if images:
        raise InputError(f"--images must come with --activity, not alone with {images}; add it.")
    if liberty:
        clock = beside.pop("clock")
        _refuse_beside("--liberty", beside)
        _print_cells(Path(subject), liberty, inputs, clock, as_json)
        return
    if inputs:
        raise InputError(
            f"--inputs must come with --liberty or --activity, not alone with {inputs}; add one."
        )
    from hwgen_sim.energy_charts import check_chart, save_energy, save_roofline
    from hwgen_sim.side_by_side import side_by_side
    from hwgen_sim.subjects import Request, estimate_subject

    for path in filter(None, (picture, roofline)):
        check_chart(path)
    asked = Request(**request)
    documents = [estimate_subject(name, asked) for name in (subject, other) if name]
    if picture:
        save_energy(documents, picture)
    if roofline:
        save_roofline(documents, roofline)
    if as_json:
        print_json(documents[0] if len(documents) == 1 else side_by_side(*documents))
    elif len(documents) == 1:
        _print_one(documents[0])
    else:
        _print_both(side_by_side(*documents))


def _refuse_beside(level: str, given: dict[str, Any]) -> None:
    context = click.get_current_context()
    for parameter in context.command.params:
        value = given.get(str(parameter.name))
        if value:
            name = parameter.opts[0] if isinstance(parameter, click.Option) else "OTHER"
            raise InputError(f"{level} takes no {name}, not {value}; leave one of them out.")


def _print_cells(
    build: Path, liberty: str, inputs: Path | None, clock: float | None, as_json: bool
) -> None:
    from hwgen_sim.liberty import cell_columns, estimate_cells, library_path

    with progress() as report:
        report("map and simulate arrays", 0.0)
        document = estimate_cells(build, library_path(liberty), inputs, clock)
    if as_json:
        print_json(document)
        return
    print_table([*document["nodes"], document["total"] | {"name": "total"}], cell_columns(clock))
    at = f", {clock} MHz" if clock else ""
    click.echo(
        f"Cells of {document['library']} at {document['voltage']} V{at}, synthesized; ", nl=False
    )
    click.echo(f"energies per image on {document['taps']} taps. Not modelled:")
    for line in document["not_modelled"]:
        click.echo(f"  {line}")


def _print_activity(
    build: Path, inputs: Path | None, images: int | None, chosen: dict[str, Any], as_json: bool
) -> None:
    if inputs is None:
        raise InputError("--activity must come with --inputs X.npz, images to simulate; add them.")
    from hwgen_sim.activity import ACTIVITY_COLUMNS, estimate_activity

    with progress() as report:
        document = estimate_activity(build, inputs, images, **chosen, progress=report)
    if as_json:
        print_json(document)
        return
    design, total = document["design"], document["total"] | {"name": "total"}
    print_table(map(_activity_row, [*document["nodes"], design, total]), ACTIVITY_COLUMNS)
    click.echo(
        f"Toggles and energies per image, measured on {document['images']} images and as many"
        f" random ones in the {document['simulated']}; energies by published figures, profile"
        f" {document['profile']}."
    )
    click.echo(f"Source of energies: {document['profile_source']}")
    click.echo("Not modelled:")
    for line in document["not_modelled"]:
        click.echo(f"  {line}")


def _activity_row(row: dict[str, Any]) -> dict[str, Any]:
    toggles, random = (sum(row[name].values()) for name in ("toggles", "random_toggles"))
    energy = {f"{name}_nj": pj / 1000 for name, pj in row["energy_pj"].items()}
    clock = row["clock_pj"]["nominal"] / 1000
    return (
        row
        | energy
        | {
            "toggles": round(toggles),
            "random_toggles": round(random),
            "ratio": toggles / random if random else None,
            "random_nj": row["random_energy_pj"]["nominal"] / 1000,
            "clock_nj": clock or None,  # a figure that the profile has not
        }
    )


def _print_one(document: dict[str, Any]) -> None:
    rows = [*document["nodes"], document["total"] | {"name": "total"}]
    is_build = "cycles" in document["total"]
    print_table(map(_flat, rows), BUILD_COLUMNS if is_build else GRAPH_COLUMNS)
    click.echo("")
    print_table(_components(document), ("component", "energy_nj", "share"))
    _print_sources(document)


def _components(document: dict[str, Any]) -> list[dict[str, Any]]:
    parts = document["total"]["energy_pj"]
    whole = sum(parts.values()) or 1.0
    rows = sorted(parts.items(), key=lambda part: -part[1])
    return [
        {"component": name, "energy_nj": pj / 1000, "share": f"{100 * pj / whole:.1f} %"}
        for name, pj in rows
    ]


def _print_sources(document: dict[str, Any]) -> None:
    sources, span = document["total"]["source"], document["energy_range_pj"]
    click.echo(
        f"Energy per image {span['nominal'] / 1000:,.4g} nJ (range {span['low'] / 1000:,.4g} to"
        f" {span['high'] / 1000:,.4g}), {sources['energy_pj']}, profile {document['profile']}."
    )
    _print_without(document, "That")
    if "cells" in sources:
        click.echo(f"Cycles are {sources['cycles']}, cells {sources['cells']}.")
    click.echo(f"Source of energies: {document['profile_source']}")
    click.echo("Not modelled:")
    for line in document["not_modelled"] or ["nothing"]:
        click.echo(f"  {line}")


def _print_without(document: dict[str, Any], what: str) -> None:
    if document["energy_without"]:
        kinds = " and ".join(document["energy_without"])
        click.echo(f"{what} is without {kinds}, for which the table has no figure: it is too low.")


def _print_both(document: dict[str, Any]) -> None:
    print_table(document["components"], ("component", "first_nj", "second_nj", "ratio"))
    click.echo("")
    print_table(document["totals"], ("what", "first", "second", "ratio"))
    click.echo(f"First: {document['first']['network']}. Second: {document['second']['network']}.")
    click.echo(f"All figures are predicted, profile {document['first']['profile']}.")
    for name in ("first", "second"):
        _print_without(document[name], f"The {name}")
    click.echo("Not modelled:")
    for line in document["not_modelled"]:
        click.echo(f"  {line}")


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """The same row with the components of its energy added up."""
    more = {"energy_nj": sum(row["energy_pj"].values()) / 1000}
    if "off_chip_bits" in row:
        more["off_chip_kB"] = row["off_chip_bits"] / 8000
    return row | more
