"""Weights of a file into a module: ``.pt`` state dict, ``.npz`` or ``.safetensors``."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hwgen.errors import InputError, ToolMissing

__all__ = ["load_weights"]


def load_weights(module: nn.Module, path: Path) -> None:
    """Load every parameter and buffer; refuse missing, unexpected, wrong-shape or NaN arrays."""
    state = _without_prefix(_read(path), module)
    own = module.state_dict()
    _check(path, state, own)
    module.load_state_dict({k: v.to(own[k].dtype) for k, v in state.items()}, strict=False)


def _read(path: Path) -> dict[str, Tensor]:
    readers = {".pt": _pt, ".pth": _pt, ".npz": _npz, ".safetensors": _safetensors}
    reader = readers.get(path.suffix)
    if reader is None:
        raise InputError(f"{path} must end in {', '.join(readers)}.")
    if not path.is_file():
        raise InputError(f"{path} does not exist; give the file of the trained weights.")
    try:
        return reader(path)
    except (InputError, ToolMissing):
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path} cannot be read as weights ({reason}).") from error


def _pt(path: Path) -> dict[str, Tensor]:
    loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not all(isinstance(v, Tensor) for v in loaded.values()):
        raise InputError(
            f"{path} holds no state dict; write it with torch.save(m.state_dict(), f)."
        )
    return loaded


def _npz(path: Path) -> dict[str, Tensor]:
    with np.load(path, allow_pickle=False) as file:
        return {name: torch.from_numpy(np.array(file[name])) for name in file.files}


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise ToolMissing("safetensors is not installed; pip install safetensors.") from error
    return load_file(path)


def _without_prefix(state: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """Drop the ``module.`` that nn.DataParallel writes."""
    prefix = "module."
    if not state or not all(key.startswith(prefix) for key in state):
        return state
    if any(key.startswith(prefix) for key in module.state_dict()):
        return state
    return {key.removeprefix(prefix): value for key, value in state.items()}


def _check(path: Path, state: dict[str, Tensor], own: dict[str, Tensor]) -> None:
    missing = [k for k in own if k not in state and not k.endswith("num_batches_tracked")]
    shared = [k for k in state if k in own]
    wrong = [k for k in shared if state[k].shape != own[k].shape]
    problems = [
        _part("missing", missing),
        _part("unexpected", (k for k in state if k not in own)),
        _part("of another shape", (_shapes(k, state, own) for k in wrong)),
        _part("holding NaN or infinity", (k for k in shared if not _finite(state[k]))),
    ]
    if any(problems):
        raise InputError(f"{path} does not fit the model: {'; '.join(filter(None, problems))}.")


def _part(what: str, names: Iterable[str]) -> str:
    names = list(names)
    return f"{what}: {', '.join(names)}" if names else ""


def _shapes(key: str, state: dict[str, Tensor], own: dict[str, Tensor]) -> str:
    return f"{key} {tuple(state[key].shape)} for {tuple(own[key].shape)}"


def _finite(value: Tensor) -> bool:
    return not value.is_floating_point() or bool(torch.isfinite(value).all())
