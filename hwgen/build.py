"""The build folder: it appears whole or not at all, and is checked whenever it is opened.

A finished build ends with ``build.sha256``, the hash of every file that ``compile`` wrote, in the
format of ``sha256sum``. Files that later commands add (``6-verify.json`` and on) are not in it.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from hwgen.errors import BuildError

__all__ = ["Build", "open_build", "staged", "staged_folder", "write_result"]

SEAL = "build.sha256"


class _File:
    """A file of a build; read from a Build it is the full path, from the class the relative one."""

    def __init__(self, name: str):
        self.name = name

    @overload
    def __get__(self, build: None, owner: type) -> Path: ...
    @overload
    def __get__(self, build: "Build", owner: type) -> Path: ...
    def __get__(self, build: "Build | None", owner: type) -> Path:
        return Path(self.name) if build is None else build.root / self.name


@dataclass(frozen=True)
class Build:
    """The paths of one build folder; `open_build` gives one whose files are whole."""

    root: Path

    graph = _File("1-graph.json")
    tensors = _File("1-tensors.npz")
    quantized = _File("2-quantized.json")
    quantized_tensors = _File("2-tensors.npz")
    plan = _File("3-plan.json")
    verilog = _File("5-rtl/top.v")
    manifest = _File("manifest.json")
    verify = _File("6-verify.json")
    verify_netlist = _File("6-verify-netlist.json")
    estimate = _File("7-estimate.json")
    synth = _File("8-synth.json")
    bitstream = _File("9-bitstream")
    axi_core = _File("9-axi-core")


COMPILED = (
    Build.graph,
    Build.tensors,
    Build.quantized,
    Build.quantized_tensors,
    Build.plan,
    Build.verilog,
    Build.manifest,
)
RESULTS = (Build.verify, Build.verify_netlist, Build.estimate, Build.synth)


@contextmanager
def staged(output: Path) -> Iterator[Build]:
    """Yield an empty build beside ``output`` that takes its place when the block ends well.

    However the block ends otherwise, ``output`` stays as it was. Folders that killed processes
    left behind are removed first.
    """
    output = output.resolve()
    _recover(output)
    _refuse_foreign(output)
    folder = _sibling(output, "partial")
    _make(folder)
    try:
        yield Build(folder)
        _seal(folder)
        _swap(folder, output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def staged_folder(output: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``output`` that takes its place when the block ends well."""
    output = output.resolve()
    _recover(output)
    folder = _sibling(output, "partial")
    folder.mkdir()
    try:
        yield folder
        _swap(folder, output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def open_build(path: Path) -> Build:
    """The build at ``path``; raises BuildError where a file is missing or not what was written."""
    root = path.resolve()
    _recover(root)
    if not root.is_dir():
        raise BuildError(f"{path} is not a folder; make it with 'hwgen compile MODEL -o {path}'.")
    hashes = _read_seal(root, path)
    for name, expected in hashes.items():
        _check_file(path / name, expected)
    return Build(root)


def write_result(build: Build, name: str, document: dict[str, Any]) -> Path:
    """Put ``document`` into the build as the result file ``name``, whole or not at all."""
    if Path(name) not in RESULTS:
        known = ", ".join(str(result) for result in RESULTS)
        raise ValueError(f"result file must be one of {known}, not {name!r}")
    path = build.root / name
    partial = _sibling(path, "partial")
    try:
        partial.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _make(folder: Path) -> None:
    try:
        (folder / Build.verilog).parent.mkdir(parents=True)
    except OSError as error:
        raise BuildError(
            f"{folder.parent} cannot hold a build ({error.strerror}); choose another with -o."
        ) from error


def _refuse_foreign(output: Path) -> None:
    if not output.exists():
        return
    if not output.is_dir():
        raise BuildError(f"{output} is a file; choose a folder for the build with -o.")
    if not (output / SEAL).is_file() and any(output.iterdir()):
        raise BuildError(
            f"{output} holds files and is not a hwgen build; choose another folder with -o."
        )


def _sibling(path: Path, role: str) -> Path:
    return path.parent / f".{path.name}.{role}-{os.getpid()}-{secrets.token_hex(4)}"


def _swap(folder: Path, output: Path) -> None:
    """Rename ``folder`` to ``output``; the build that was there goes only after that."""
    old = _sibling(output, "replaced")
    if output.exists():
        output.rename(old)
    try:
        folder.rename(output)
    finally:
        if old.exists() and not output.exists():
            old.rename(output)
        shutil.rmtree(old, ignore_errors=True)


def _recover(output: Path) -> None:
    """Undo what processes that died while writing ``output`` left beside it."""
    for role in ("replaced", "partial"):
        for folder in _abandoned(output, role):
            if role == "replaced" and not output.exists():
                folder.rename(output)
            else:
                shutil.rmtree(folder, ignore_errors=True)


def _abandoned(output: Path, role: str) -> list[Path]:
    if not output.parent.is_dir():
        return []
    pattern = re.compile(rf"\.{re.escape(output.name)}\.{role}-(\d+)-[0-9a-f]{{8}}")
    found = ((pattern.fullmatch(path.name), path) for path in output.parent.iterdir())
    return [path for match, path in found if match and not _alive(int(match[1]))]


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _seal(folder: Path) -> None:
    absent = [name for name in COMPILED if not (folder / name).is_file()]
    if absent:
        raise RuntimeError(f"compile left out {', '.join(map(str, absent))}")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{_sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / SEAL).write_text("".join(lines))


def _read_seal(root: Path, shown: Path) -> dict[str, str]:
    seal = root / SEAL
    if not seal.is_file():
        raise BuildError(f"{shown} is not a whole build ({SEAL} is missing); {_remedy(shown)}")
    lines = seal.read_text(errors="replace").splitlines()
    matches = [re.fullmatch(r"([0-9a-f]{64})  (.+)", line) for line in lines]
    hashes = {match[2]: match[1] for match in matches if match}
    if None in matches or not {name.as_posix() for name in COMPILED} <= hashes.keys():
        raise BuildError(f"{shown / SEAL} is corrupted; {_remedy(shown)}")
    return hashes


def _check_file(path: Path, expected: str) -> None:
    if not path.is_file():
        raise BuildError(f"{path} is missing; run 'hwgen compile' again.")
    if _sha256(path) != expected:
        raise BuildError(f"{path} was changed after it was compiled; run 'hwgen compile' again.")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _remedy(path: Path) -> str:
    return f"run 'hwgen compile MODEL -o {path}' again."
