"""Build the wheel and check that every top-level name in it starts with ``hwgen``."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("hwgen", "rtl_templates", "sim", "fpga_boards")
FILES = ("pyproject.toml", "README.md", "LICENSE")
LEFTOVERS = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")


def top_level_names(wheel: Path) -> set[str]:
    """Names that the wheel puts into site-packages."""
    with zipfile.ZipFile(wheel) as archive:
        return {name.split("/")[0] for name in archive.namelist()}


def foreign_names(wheel: Path) -> list[str]:
    """Those that could collide with another distribution."""
    return sorted(name for name in top_level_names(wheel) if not name.startswith("hwgen"))


def build_wheel(folder: Path) -> Path:
    """Build from a copy: setuptools would pack old files of a ``build`` folder too."""
    copy = folder / "source"
    for name in SOURCES:
        shutil.copytree(ROOT / name, copy / name, ignore=LEFTOVERS)
    for name in FILES:
        shutil.copy(ROOT / name, copy / name)
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), "."]
    run = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"error: The wheel cannot be built:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return next(folder.glob("*.whl"))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_wheel(Path(folder))
        if foreign := foreign_names(wheel):
            sys.exit(f"error: {wheel.name} would install {', '.join(foreign)} at the top level.")
        print(f"{wheel.name}: {', '.join(sorted(top_level_names(wheel)))}")


if __name__ == "__main__":
    main()
