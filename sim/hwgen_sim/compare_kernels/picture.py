"""The picture of a kernel comparison: LUTs and energy side by side, one bar a row."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwgen.errors import InputError, ToolMissing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["check_picture", "draw", "save_picture"]

SIZE = (11, 4.5)  # inches
DPI = 150
COLOURS = {"lut": "#2f6f9f", "energy_nj": "#c9772b"}


def check_picture(path: Path) -> None:
    """Refuse what cannot be written before anything is computed."""
    if path.suffix.lower() != ".png":
        raise InputError(f"A picture is written as PNG; give --picture NAME.png, not {path}.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path.absolute().parent} is not a folder; make it, or choose another.")
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        raise ToolMissing(
            "A picture needs matplotlib, which is not installed; run: pip install 'hwgen[report]'"
        ) from error


def save_picture(document: Mapping[str, Any], path: Path) -> None:
    """Write the picture of a comparison's document."""
    try:
        draw(document).savefig(path, format="png", dpi=DPI)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}).") from error


def draw(document: Mapping[str, Any]) -> "Figure":
    """The figure; rows without figures are named as not possible."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    what = document["node"] or f"{len(document['layers'])} inner layers"
    figure.suptitle(f"{document['network']}, {what}: kernels compared (predicted)")
    left.set_xscale("symlog", linthresh=100)  # unrolled rows are hundreds of times larger
    _bars(left, document["rows"], "lut", "4-input LUTs, predicted, logarithmic")
    title = f"nJ per image, predicted, profile {document['profile']}"
    _bars(right, document["rows"], "energy_nj", title)
    left.invert_yaxis()
    return figure


def _bars(axes: "Axes", rows: list[Mapping[str, Any]], figure: str, title: str) -> None:
    places = range(len(rows))
    bars = axes.barh(places, [row[figure] or 0 for row in rows], color=COLOURS[figure])
    axes.set_yticks(places, [row["kernel"] for row in rows])
    axes.bar_label(bars, [_label(row, figure) for row in rows], padding=3, fontsize=8)
    axes.margins(x=0.3)
    axes.set_xlabel(title)
    axes.spines[["top", "right"]].set_visible(False)


def _label(row: Mapping[str, Any], figure: str) -> str:
    if row["lanes"] is None:
        return "not possible"
    if figure == "energy_nj" and row["energy_without"]:
        return f"{row[figure]:,.4g} without {', '.join(row['energy_without'])}"
    return f"{row[figure]:,.0f}" if figure == "lut" else f"{row[figure]:,.4g}"
