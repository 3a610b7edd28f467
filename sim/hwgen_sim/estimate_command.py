"""The command ``estimate``; heavy modules load when it runs."""

from pathlib import Path
from typing import Any

import click

from hwgen.cli import json_option, print_json, progress
from hwgen.errors import InputError
from hwgen_sim.estimate_tables import print_activity, print_both, print_cells, print_one

__all__ = ["estimate"]


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
    charts = {"picture": picture, "roofline": roofline}
    beside: dict[str, Any] = request | charts | {"other": other}
    if activity:
        chosen = {name: beside.pop(name) for name in ("profile", "device")}
        _refuse_beside("--activity", beside | {"liberty": liberty})
        _activity(Path(subject), inputs, images, chosen, as_json)
        return
    if images:
        raise InputError(f"--images must come with --activity, not alone with {images}; add it.")
    if liberty:
        clock = beside.pop("clock")
        _refuse_beside("--liberty", beside)
        _cells(Path(subject), liberty, inputs, clock, as_json)
        return
    if inputs:
        raise InputError(
            f"--inputs must come with --liberty or --activity, not alone with {inputs}; add one."
        )
    _actions([subject, other] if other else [subject], request, charts, as_json)


def _actions(
    subjects: list[str], request: dict[str, Any], charts: dict[str, Path | None], as_json: bool
) -> None:
    """Level 1."""
    from hwgen_sim.energy_charts import check_chart, save_energy, save_roofline
    from hwgen_sim.side_by_side import side_by_side
    from hwgen_sim.subjects import Request, estimate_subject

    for path in filter(None, charts.values()):
        check_chart(path)
    documents = [estimate_subject(name, Request(**request)) for name in subjects]
    if charts["picture"]:
        save_energy(documents, charts["picture"])
    if charts["roofline"]:
        save_roofline(documents, charts["roofline"])
    both = side_by_side(*documents) if len(documents) > 1 else None
    if as_json:
        print_json(both or documents[0])
    elif both:
        print_both(both)
    else:
        print_one(documents[0])


def _cells(
    build: Path, liberty: str, inputs: Path | None, clock: float | None, as_json: bool
) -> None:
    """Level 2."""
    from hwgen_sim.liberty import cell_columns, estimate_cells, library_path

    with progress() as report:
        report("map and simulate arrays", 0.0)
        document = estimate_cells(build, library_path(liberty), inputs, clock)
    if as_json:
        print_json(document)
    else:
        print_cells(document, cell_columns(clock), clock)


def _activity(
    build: Path, inputs: Path | None, images: int | None, chosen: dict[str, Any], as_json: bool
) -> None:
    """Level 3."""
    if inputs is None:
        raise InputError("--activity must come with --inputs X.npz, images to simulate; add them.")
    from hwgen_sim.activity import ACTIVITY_COLUMNS, estimate_activity

    with progress() as report:
        document = estimate_activity(build, inputs, images, **chosen, progress=report)
    if as_json:
        print_json(document)
    else:
        print_activity(document, ACTIVITY_COLUMNS)


def _refuse_beside(level: str, given: dict[str, Any]) -> None:
    context = click.get_current_context()
    for parameter in context.command.params:
        value = given.get(str(parameter.name))
        if value:
            name = parameter.opts[0] if isinstance(parameter, click.Option) else "OTHER"
            raise InputError(f"{level} takes no {name}, not {value}; leave one of them out.")
