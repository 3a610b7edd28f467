"""The command line: what all commands share, ``doctor`` and ``compile``.

Other packages register commands under the entry point group ``hwgen.commands``; their modules
import nothing heavy until a command runs, so that ``hwgen --help`` is quick. Exit codes:

    0  success                      70  a bug in hwgen
    1  the check failed            130  interrupted
    2  bad input
"""

import json
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, NoReturn

import click

from hwgen import __version__
from hwgen.errors import HwgenError, ToolMissing

__all__ = [
    "Progress",
    "build_argument",
    "command",
    "inputs_option",
    "json_option",
    "main",
    "print_json",
    "print_table",
    "progress",
]

GROUP = "hwgen.commands"
BUG, INTERRUPTED, TERMINATED = 70, 130, 143

Progress = Callable[[str, float], None]
"""Called as ``progress("quantize", 0.4)``: a stage and the fraction of it that is done."""

OVERVIEW_COLUMNS = ("node", "operator", "type", "lowest", "highest", "pe", "simd", "cycles")
OVERVIEW_COLUMNS += ("lut", "ff", "bram", "dsp")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, not a table.")
build_argument = click.argument("build", type=click.Path(path_type=Path))
inputs_option = click.option(
    "--inputs",
    required=True,
    metavar="X.npz",
    type=click.Path(path_type=Path),
    help="Array 'images' (N,C,H,W), uint8 or float32, and optionally 'labels'.",
)


class _LazyGroup(click.Group):
    """A group that also holds the commands of installed packages, imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_plugins()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        plugin = _plugins().get(cmd_name)
        return own if own or not plugin else _load(plugin)


def _plugins() -> dict[str, EntryPoint]:
    return {plugin.name: plugin for plugin in entry_points(group=GROUP)}


def _load(plugin: EntryPoint) -> click.Command:
    try:
        return plugin.load()
    except (ImportError, AttributeError) as error:
        return _unusable(plugin, error)


def _unusable(plugin: EntryPoint, error: Exception) -> click.Command:
    """Stand-in for a command whose package is damaged, so that all others still work."""

    def refuse(**_: Any) -> NoReturn:
        raise ToolMissing(
            f"'hwgen {plugin.name}' cannot be loaded from {plugin.value} ({error}); "
            "install hwgen again."
        )

    settings = {"ignore_unknown_options": True, "help_option_names": []}
    rest = click.Argument(["rest"], nargs=-1, type=click.UNPROCESSED)
    text = "Not usable: its package cannot be loaded."
    return click.Command(plugin.name, settings, refuse, [rest], short_help=text)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hwgen")
def command() -> None:
    """From a PyTorch network without multiplications to proven Verilog."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit; the only place where errors become sentences and codes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        return command.main(arguments, prog_name="hwgen", standalone_mode=False) or 0
    except HwgenError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except ModuleNotFoundError as error:
        return _absent(error)
    except click.ClickException as error:
        error.show()
        return HwgenError.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except Exception:
        return _bug()


def _absent(error: ModuleNotFoundError) -> int:
    """A package of an extra that is not installed is no bug; a module of hwgen itself is one."""
    package = (error.name or "hwgen").partition(".")[0]
    if package.startswith("hwgen"):
        return _bug()
    sentence = f"error: {package} is not installed; 'hwgen doctor' shows the command that does it."
    click.echo(sentence, err=True)
    return ToolMissing.exit_code


def _bug() -> int:
    traceback.print_exc()
    click.echo("error: This is a bug in hwgen; please report the lines above.", err=True)
    return BUG


@command.command("doctor")
@json_option
def _doctor(as_json: bool) -> int:
    """Show what is installed, what is missing, and the command that fixes it."""
    from hwgen.doctor import examine, healthy

    findings = examine()
    good = healthy(findings)
    rows = [finding.to_json() for finding in findings]
    if as_json:
        print_json({"healthy": good, "findings": rows})
    else:
        columns = ("name", "used", "found", "wanted", "state")
        marks = {True: "", False: " (optional)"}
        print_table([row | {"state": row["state"] + marks[row["needed"]]} for row in rows], columns)
        _print_fixes(rows)
    return 0 if good else 1


def _print_fixes(rows: list[dict[str, Any]]) -> None:
    fixes = list(dict.fromkeys(row["fix"] for row in rows if row["fix"]))
    if fixes:
        click.echo("\nTo repair:")
    for fix in fixes:
        click.echo(f"  {fix}")


def _numbers(_: click.Context, option: click.Parameter, text: str | None) -> Any:
    try:
        return text and tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is not numbers with commas between", None, option
        ) from error


@command.command("compile")
@click.argument("model")
@click.option(
    "--calib",
    "calibration_file",
    required=True,
    metavar="X.npz",
    type=click.Path(path_type=Path),
    help="Images that the ranges of activations are taken from.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="BUILD",
    type=click.Path(path_type=Path),
    help="Build folder; a build that is there already is replaced as a whole.",
)
@click.option("--config", type=click.Path(path_type=Path), help="These options in a TOML file.")
@click.option("--weights", type=click.Path(path_type=Path), help=".pt, .npz or .safetensors.")
@click.option("--bits", type=int, help="Bits of activations and weights (default 8).")
@click.option("--target-cycles", type=int, metavar="N", help="Cycles per image to reach.")
@click.option("--device", metavar="D", help="Device to fit; without --target-cycles it is filled.")
@click.option("--calibration", metavar="METHOD", help="output (default), mse or percentile.")
@click.option("--mean", metavar="M,M,M", callback=_numbers, help="Per channel, of pixel/255.")
@click.option("--std", metavar="S,S,S", callback=_numbers, help="Per channel, of pixel/255.")
@json_option
def _compile(
    model: str,
    calibration_file: Path,
    output: Path,
    config: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Compile MODEL into a build folder with its Verilog.

    MODEL is file.py:factory, an exported .pt2, or the graph of an earlier build.
    """
    from hwgen.build import Build
    from hwgen.flow import clock_line, compile_model, overview
    from hwgen.options import load_options

    options = load_options(config, **given)
    with progress() as report:
        path = compile_model(model, calibration_file, output, options, report)
    rows = overview(Build(path))
    if as_json:
        print_json({"build": str(path), "nodes": rows})
        return
    print_table(rows, OVERVIEW_COLUMNS)
    click.echo(clock_line(Build(path)))
    click.echo(f"Ranges proven for all inputs; cycles and cells predicted. Build: {path}")


def print_json(document: Any) -> None:
    """Write a result to standard output, for programs."""
    click.echo(json.dumps(document, indent=1, allow_nan=False))


def print_table(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> None:
    """Write a result to standard output, for people; plain text where it is not a terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    rows, columns = list(rows), tuple(columns)
    terminal = sys.stdout.isatty()
    table = Table(box=box.SIMPLE_HEAD if terminal else None, pad_edge=False)
    for column in columns:
        right = any(isinstance(row.get(column), int | float) for row in rows)
        justify = "right" if right else "left"
        table.add_column(column.replace("_", " "), justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    Console(width=None if terminal else 200, markup=False, highlight=False).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


@contextmanager
def progress() -> Iterator[Progress]:
    """Yield a callback that shows stages on standard error: bars in a terminal, else lines."""
    if sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:
        yield _lines()


def _lines() -> Progress:
    seen: set[str] = set()

    def report(stage: str, _: float) -> None:
        if stage not in seen:
            seen.add(stage)
            click.echo(f"{stage} ...", err=True)

    return report


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Bars(*columns, console=Console(stderr=True)) as bars:

        def report(stage: str, fraction: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=1.0)
            bars.update(tasks[stage], completed=fraction)

        yield report
