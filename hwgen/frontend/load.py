"""A model named on the command line: ``file.py:factory`` or an exported ``.pt2``."""

import difflib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram

from hwgen.errors import InputError
from hwgen.frontend.weights import load_weights

__all__ = ["load_model"]


def load_model(spec: str, weights: Path | None = None) -> nn.Module | ExportedProgram:
    """Build the model of ``file.py:factory``, or read ``model.pt2``; then load ``weights``."""
    if spec.endswith(".pt2"):
        return _load_program(Path(spec), weights)
    file, separator, name = spec.rpartition(":")
    if not separator or not file.endswith(".py"):
        raise InputError(f"a model is written file.py:factory or file.pt2, not {spec!r}.")
    module = _call(_factory(_import(Path(file)), name, file), spec)
    if weights is not None:
        load_weights(module, weights)
    return module


def _load_program(path: Path, weights: Path | None) -> ExportedProgram:
    import hwgen.nn  # noqa: F401  registers the operators that the file names

    if not path.is_file():
        raise InputError(f"{path} does not exist; write it with torch.export.save.")
    if weights is not None:
        raise InputError(f"{path} carries its weights; leave out {weights}.")
    try:
        return torch.export.load(path)
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path} is no program that torch.export can load ({reason}).") from error


def _import(path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError(f"{path} does not exist; a model is written file.py:factory.")
    found = importlib.util.spec_from_file_location(f"hwgen_model_{path.stem}", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    try:
        with _beside(path.parent):
            found.loader.exec_module(module)
    except Exception as error:
        raise InputError(f"{path} fails when imported: {type(error).__name__}: {error}.") from error
    return module


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """Let the file import its neighbours."""
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        sys.path.remove(str(folder.resolve()))


def _factory(module: ModuleType, name: str, file: str) -> Any:
    names = [key for key, value in vars(module).items() if callable(value) and key[:1] != "_"]
    found = getattr(module, name, None)
    if callable(found):
        return found
    near = difflib.get_close_matches(name, names, n=3) or sorted(names)[:5]
    raise InputError(f"{file} has no {name!r}; did you mean {' or '.join(near) or 'another file'}?")


def _call(factory: Any, spec: str) -> nn.Module:
    try:
        module = factory()
    except Exception as error:
        raise InputError(
            f"{spec} raised {type(error).__name__}: {error}; it must work without arguments."
        ) from error
    if not isinstance(module, nn.Module):
        raise InputError(f"{spec} gave {type(module).__name__}; it must return an nn.Module.")
    return module
