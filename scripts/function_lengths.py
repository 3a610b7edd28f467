"""Print how long the functions are, package by package."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (
    "hwgen",
    "rtl_templates",
    "sim",
    "fpga_boards",
    "models",
    "scripts",
    "benchmarks",
    "tests",
)


class Length(NamedTuple):
    """Lines of one function, from ``def`` to its last line."""

    lines: int
    place: str


def lengths(folder: str) -> list[Length]:
    """All functions below ``folder``, shortest first."""
    files = (ROOT / folder).rglob("*.py")
    return sorted(length for file in files for length in _functions(file))


def _functions(file: Path) -> Iterator[Length]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            place = f"{file.relative_to(ROOT)}:{node.lineno} {node.name}"
            yield Length(node.end_lineno - node.lineno + 1, place)


def main() -> None:
    print(f"{'folder':15}{'functions':>10}{'p50':>5}{'p90':>5}{'p99':>5}{'max':>5}  longest")
    for folder in FOLDERS:
        if found := lengths(folder):
            p50, p90, p99 = (found[int(len(found) * part)].lines for part in (0.5, 0.9, 0.99))
            longest, place = found[-1]
            print(f"{folder:15}{len(found):10}{p50:5}{p90:5}{p99:5}{longest:5}  {place}")


if __name__ == "__main__":
    main()
