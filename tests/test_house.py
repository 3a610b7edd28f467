"""Rules that keep the house in order."""

import ast
import importlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from function_lengths import FOLDERS, lengths
from wheel_names import foreign_names

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "hwgen": "hwgen",
    "hwgen_rtl": "rtl_templates/hwgen_rtl",
    "hwgen_sim": "sim/hwgen_sim",
    "hwgen_boards": "fpga_boards/hwgen_boards",
}
LONGEST = 100
HEAVY = {"torch", "amaranth", "numba", "cocotb", "pyosys", "scipy"}
COMMANDS = ("bitstream", "boards", "compare", "compile", "doctor", "estimate", "host", "report")
COMMANDS += ("run", "simulate-board", "synth", "verify")
SHOW_MODULES = "import sys; print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr)"
HELP = f"""
import atexit
from hwgen.cli import main
atexit.register(lambda: exec({SHOW_MODULES!r}))
main(["--help"])
"""


def modules() -> list[str]:
    """All public modules of the four packages that say what they export."""
    names = []
    for package, folder in PACKAGES.items():
        for file in sorted((ROOT / folder).rglob("*.py")):
            relative = file.relative_to(ROOT / folder).with_suffix("")
            parts = [part for part in relative.parts if part != "__init__"]
            if "__all__" in file.read_text(encoding="utf-8"):
                names.append(".".join([package, *parts]))
    return names


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


class TestLightness:
    def test_import_loads_nothing_heavy(self):
        loaded = run("import hwgen;" + SHOW_MODULES).stderr.split()
        assert not (HEAVY | {"numpy", "click", "pydantic", "rich"}) & set(loaded)

    def test_help_loads_nothing_heavy_and_lists_all_commands(self):
        result = run(HELP)
        assert not (HEAVY | {"numpy", "pydantic", "rich"}) & set(result.stderr.split())
        listed = result.stdout.partition("Commands:")[2].splitlines()
        assert tuple(line.split()[0] for line in listed if line) == COMMANDS
        assert result.returncode == 0


class TestWheel:
    @pytest.mark.parametrize(
        ("files", "foreign"),
        [
            (["hwgen/cli.py", "hwgen_sim/run.py", "hwgen-0.1.0.dist-info/METADATA"], []),
            (["hwgen/cli.py", "tests/test_cli.py", "sim/run.py"], ["sim", "tests"]),
        ],
    )
    def test_foreign_names_are_found(self, tmp_path: Path, files: list[str], foreign: list[str]):
        wheel = tmp_path / "hwgen.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name in files:
                archive.writestr(name, "")
        assert foreign_names(wheel) == foreign


class TestExports:
    def test_some_modules_export(self):
        assert {"hwgen.build", "hwgen.cli", "hwgen.errors", "hwgen_rtl.numerics"} <= {*modules()}

    @pytest.mark.parametrize("name", modules())
    def test_exported_names_exist(self, name: str):
        module = importlib.import_module(name)
        assert [x for x in module.__all__ if not hasattr(module, x)] == []
        assert len({*module.__all__}) == len(module.__all__)


class TestSource:
    @pytest.mark.parametrize("folder", FOLDERS)
    def test_no_function_is_long(self, folder: str):
        assert [x for x in lengths(folder) if x.lines > LONGEST] == []

    def test_the_integer_arithmetic_imports_numpy_only(self):
        tree = ast.parse((ROOT / PACKAGES["hwgen_rtl"] / "numerics.py").read_text())
        imported = {x.module for x in ast.walk(tree) if isinstance(x, ast.ImportFrom)}
        imported |= {a.name for x in ast.walk(tree) if isinstance(x, ast.Import) for a in x.names}
        roots = {str(name).split(".")[0] for name in imported}
        assert roots - set(sys.stdlib_module_names) == {"numpy"}
