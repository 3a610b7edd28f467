"""How ``hwgen estimate`` prints the documents of its three levels."""

from collections.abc import Sequence
from typing import Any

import click

from hwgen.cli import print_table

__all__ = ["print_activity", "print_both", "print_cells", "print_one"]

BUILD_COLUMNS = ("name", "kind", "bits", "pe", "simd", "cycles", "operations")
BUILD_COLUMNS += ("lut", "ff", "carry", "bram", "dsp", "energy_nj")
GRAPH_COLUMNS = ("name", "kind", "bits", "operations", "off_chip_kB", "energy_nj")


def print_cells(document: dict[str, Any], columns: Sequence[str], clock: float | None) -> None:
    """Arrays in standard cells."""
    print_table([*document["nodes"], document["total"] | {"name": "total"}], columns)
    at = f", {clock} MHz" if clock else ""
    click.echo(
        f"Cells of {document['library']} at {document['voltage']} V{at}, synthesized; ", nl=False
    )
    click.echo(f"energies per image on {document['taps']} taps. Not modelled:")
    for line in document["not_modelled"]:
        click.echo(f"  {line}")


def print_activity(document: dict[str, Any], columns: Sequence[str]) -> None:
    """Toggles on real and on random images."""
    design, total = document["design"], document["total"] | {"name": "total"}
    print_table(map(_activity_row, [*document["nodes"], design, total]), columns)
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


def print_one(document: dict[str, Any]) -> None:
    """A build or a graph, and its energy by component."""
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


def print_both(document: dict[str, Any]) -> None:
    """Two of them side by side."""
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
