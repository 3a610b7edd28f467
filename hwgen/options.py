"""What ``hwgen compile`` may be told, on the command line or in a file."""

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hwgen.errors import InputError

__all__ = ["CompileOptions", "load_options"]


class CompileOptions(BaseModel):
    """What ``hwgen compile`` may be told, on the command line or in ``build.toml``.

    Parameters:
        weights       : state dict (.pt), .npz or .safetensors that replaces the model's own
        bits          : width of activations and weights inside the network
        target_cycles : cycles per image that the folding must not exceed
        device        : device that the folding must fit; alone, it is filled
        calibration   : how an activation's range is chosen from the samples
        mean, std     : per channel, turn pixel/255 into the values the model was trained on
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Path | None = None
    bits: int = Field(default=8, ge=2, le=16)
    target_cycles: int | None = Field(default=None, ge=1)
    device: str | None = None
    calibration: Literal["output", "mse", "percentile"] = "output"
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    @model_validator(mode="after")
    def _agree(self) -> "CompileOptions":
        if self.std is not None and min(self.std, default=0) <= 0:
            raise ValueError(f"std must be positive numbers, not {self.std}")
        return self


def load_options(config: Path | None, **given: Any) -> CompileOptions:
    """Options from a ``build.toml``, with those ``given`` (not None) in their place."""
    values = _read_toml(config) if config else {}
    for key in values:
        if key not in CompileOptions.model_fields:
            raise InputError(f"{config}: unknown key {key!r}; did you mean {_nearest(key)!r}?")
    if config and "weights" in values:
        values["weights"] = config.parent / str(values["weights"])
    values |= {key: value for key, value in given.items() if value is not None}
    try:
        return CompileOptions.model_validate(values)
    except ValidationError as error:
        raise InputError(_sentence(config, error)) from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"{path} is not a TOML file: {error}.") from error


def _nearest(key: str) -> str:
    names = list(CompileOptions.model_fields)
    return get_close_matches(key.replace("-", "_"), names, n=1, cutoff=0)[0]


def _sentence(config: Path | None, error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    reason = first["msg"].removeprefix("Value error, ")
    subject = f"{place} = {first['input']!r}: {reason}" if place else reason
    return f"{config or 'Options'}: {subject}."
