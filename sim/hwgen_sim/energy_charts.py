"""Pictures of estimates: energy of every layer by component, and a roofline."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwgen.errors import InputError, ToolMissing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["check_chart", "draw_energy", "draw_roofline", "save_energy", "save_roofline"]

Document = Mapping[str, Any]
FORMATS = (".png", ".svg")
DPI = 150


def check_chart(path: Path) -> None:
    """Refuse what cannot be written before anything is computed."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(
            f"A chart is written as PNG or SVG; give NAME.png or NAME.svg, not {path}."
        )
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path.absolute().parent} is not a folder; make it, or choose another.")
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        raise ToolMissing(
            "A chart needs matplotlib, which is not installed; run: pip install 'hwgen[report]'"
        ) from error


def save_energy(documents: Sequence[Document], path: Path) -> None:
    """Write the stacked bars of one or two estimates."""
    _save(draw_energy(documents), path)


def save_roofline(documents: Sequence[Document], path: Path) -> None:
    """Write the roofline of one or two estimates; InputError where one has no memories."""
    _save(draw_roofline(documents), path)


def draw_energy(documents: Sequence[Document]) -> "Figure":
    """One bar a node and one panel an estimate, on a common scale."""
    from matplotlib.figure import Figure

    longest = max(len(document["nodes"]) for document in documents)
    figure = Figure(
        figsize=(max(7.0, 2 + 0.2 * longest), 4.5 * len(documents)), layout="constrained"
    )
    panels = figure.subplots(len(documents), 1, sharey=True, squeeze=False)[:, 0]
    names = dict.fromkeys(c for document in documents for c in document["total"]["energy_pj"])
    for axes, document in zip(panels, documents, strict=True):
        _stack(axes, document, tuple(names))
    panels[0].set_ylim(0, 1.05 * max(map(_highest, documents)))
    panels[0].legend(fontsize=8, loc="upper right")  # where is best takes long
    return figure


def _highest(document: Document) -> float:
    """Nanojoules of the most expensive node."""
    return max((sum(node["energy_pj"].values()) / 1000 for node in document["nodes"]), default=1.0)


def _stack(axes: "Axes", document: Document, components: tuple[str, ...]) -> None:
    nodes = document["nodes"]
    floor = [0.0] * len(nodes)
    for number, component in enumerate(components):
        heights = [node["energy_pj"].get(component, 0.0) / 1000 for node in nodes]
        axes.bar(
            range(len(nodes)), heights, bottom=floor, label=component, color=f"C{number % 10}",
            hatch="//" if number >= 10 else None,
        )  # fmt: skip
        floor = [low + height for low, height in zip(floor, heights, strict=True)]
    axes.set_xticks(range(len(nodes)), [node["name"] for node in nodes], rotation=90, fontsize=6)
    axes.set_ylabel("nJ per image, predicted")
    axes.set_title(f"{document['network']}, profile {document['profile']}")


def draw_roofline(documents: Sequence[Document]) -> "Figure":
    """Operations per cycle that the arrays and the external memory or the pins allow.

    Of a graph a point for each layer, on the roof; of a build, whose layers work at the same time,
    one for what all of them reach together.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    for number, document in enumerate(documents):
        _roof(axes, document, f"C{number}")
    axes.set(xscale="log", yscale="log", xlabel="operations per byte of external traffic")
    axes.set_ylabel("operations per cycle, predicted")
    axes.legend(fontsize=8, loc="lower right")
    axes.grid(which="both", alpha=0.3)
    return figure


def _roof(axes: "Axes", document: Document, colour: str) -> None:
    lanes, width = _limits(document)
    points = _points(document, lanes, width)
    reuse, reached = [x for x, _ in points], [y for _, y in points]
    axes.plot(reuse, reached, "o", color=colour, label=document["network"])
    corner = lanes / width
    xs = (min([*reuse, corner]) / 2, corner, max([*reuse, corner]) * 2)
    axes.plot(xs, [min(lanes, x * width) for x in xs], "-", color=colour, linewidth=1)


def _points(document: Document, lanes: float, width: float) -> list[tuple[float, float]]:
    """Operations per byte and per cycle."""
    total = document["total"]
    if "cycles" in total:
        return [(8 * total["taps"] / total["off_chip_bits"], total["taps"] / total["cycles"])]
    layers = [node for node in document["nodes"] if node["operations"] and node["off_chip_bits"]]
    reuse = [8 * node["operations"] / node["off_chip_bits"] for node in layers]
    return [(x, min(lanes, x * width)) for x in reuse]


def _limits(document: Document) -> tuple[float, float]:
    """Operations, and external bytes, per cycle."""
    limits = document.get("limits")
    if not limits:
        raise InputError(
            f"A roofline needs the array and the memories of {document['network']}; estimate a"
            " graph with --memory FILE.toml."
        )
    return limits["lanes"], limits["external_bits_per_cycle"] / 8


def _save(figure: "Figure", path: Path) -> None:
    try:
        figure.savefig(path, dpi=DPI)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}).") from error
