"""Synthesis inside the process that Yosys may take down: ``python -m hwgen_boards.yosys_job``.

Reads ``job.json`` in the current folder and leaves ``netlist.json``, ``stat.json`` and
``modules.json`` there, or ``refused.txt`` where the job names an instance that does not exist.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["main"]


def main() -> int:
    """Run the job; the exit status is 0, or 3 for a job that cannot be done."""
    yosys = import_module("pyosys.libyosys")

    job = json.loads(Path("job.json").read_text())
    design = yosys.Design()
    _run(yosys, design, job["before"])
    modules = _modules_of(yosys, design, job["instances"])
    absent = sorted(name for name, module in modules.items() if module is None)
    if absent:
        present = sorted(cell.str()[1:] for cell, _ in design.top_module().cells_.items())
        Path("refused.txt").write_text(f"{', '.join(absent)}; it has {', '.join(present)}")
        return 3
    _keep(yosys, design, filter(None, modules.values()))
    _run(yosys, design, job["after"])
    Path("modules.json").write_text(json.dumps(modules))
    return 0


def _run(yosys: Any, design: Any, commands: Sequence[str]) -> None:
    for command in commands:
        yosys.run_pass(command, design)


def _modules_of(yosys: Any, design: Any, instances: Iterable[str]) -> dict[str, str | None]:
    top = design.top_module()
    cells = {name: top.cell(yosys.IdString(f"\\{name}")) for name in instances}
    return {name: cell.type.str() if cell else None for name, cell in cells.items()}


def _keep(yosys: Any, design: Any, modules: Iterable[str]) -> None:
    # through the API, since a module's name may hold characters that a selection would interpret
    for name in modules:
        module = design.module(yosys.IdString(name))
        module.set_bool_attribute(yosys.IdString("\\keep_hierarchy"), True)


if __name__ == "__main__":
    sys.exit(main())
