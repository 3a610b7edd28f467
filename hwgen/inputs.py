"""What a person hands over beside the model: images and the recipe; no torch, no Amaranth."""

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from hwgen.errors import InputError

__all__ = ["Images", "Recipe", "load_images", "load_recipe", "to_real"]


@dataclass(frozen=True)
class Images:
    """Images (N, C, H, W), uint8 pixels or float32 real values, and labels (N,) or None."""

    images: NDArray
    labels: NDArray | None = None

    def __len__(self) -> int:
        return len(self.images)


class Recipe(BaseModel):
    """The ``[input]`` table of ``recipe.toml``: real value = (pixel/255 - mean) / std."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    shape: tuple[int, ...] | None = None

    @field_validator("mean", "std", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int | float) else value

    @field_validator("std")
    @classmethod
    def _positive(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not value or min(value) <= 0:
            raise ValueError("must be positive")
        return value


def load_recipe(folder: Path) -> Recipe:
    """Read ``recipe.toml`` in ``folder``; the defaults where there is none."""
    path = folder / "recipe.toml"
    if not path.is_file():
        return Recipe()
    try:
        table = tomllib.loads(path.read_text()).get("input", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}.") from error
    if not isinstance(table, dict):
        raise InputError(f"{path}: 'input' must be a table, written [input].")
    try:
        return Recipe.model_validate(table)
    except ValidationError as error:
        raise InputError(f"{path}: {_sentence(error)}") from error


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    key = str(first["loc"][0])
    if first["type"] != "extra_forbidden":
        return f"[input] {key} is refused: {first['msg']}."
    names = list(Recipe.model_fields)
    near = difflib.get_close_matches(key, names, n=1)
    advice = f"did you mean '{near[0]}'?" if near else f"valid names are {', '.join(names)}."
    return f"[input] has no key '{key}'; {advice}"


def load_images(path: Path, count: int | None = None) -> Images:
    """Read ``images`` (N, C, H, W; uint8 or float32) and optional ``labels`` (N,) of an .npz.

    ``count`` leaves all but the first ones out.
    """
    arrays = _arrays(path)
    if "images" not in arrays:
        found = ", ".join(sorted(arrays)) or "nothing"
        raise InputError(f"{path} has no array 'images' (it holds: {found}); rename it.")
    images, labels = arrays["images"], arrays.get("labels")
    if problem := _problem(images, labels):
        raise InputError(f"{path}: {problem}")
    if count is not None and count > len(images):
        raise InputError(f"{path} holds {len(images)} images; give --count {len(images)} or less.")
    return Images(images[:count], None if labels is None else labels[:count])


def _arrays(path: Path) -> dict[str, NDArray]:
    if not path.is_file():
        raise InputError(f"{path} does not exist; give an .npz with the array 'images'.")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, TypeError, OSError, EOFError, BadZipFile) as error:
        raise InputError(f"{path} is not a readable .npz file ({error}).") from error


def _problem(images: NDArray, labels: NDArray | None) -> str | None:
    if images.ndim != 4:
        return f"'images' must have shape (N, C, H, W), not {images.shape}; add the missing axis."
    if images.dtype not in (np.uint8, np.float32):
        return f"'images' must be uint8 or float32, not {images.dtype}; convert it with astype."
    if images.size == 0:
        return f"'images' is empty (shape {images.shape}); give at least one image."
    if images.dtype == np.float32 and not np.isfinite(images).all():
        return "'images' holds NaN or infinity; remove those images."
    if labels is None:
        return None
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        return f"'labels' must be {len(images)} integers, not {labels.dtype} of {labels.shape}."
    return None


def to_real(images: NDArray, mean: tuple[float, ...], std: tuple[float, ...]) -> NDArray:
    """Real values (N, C, H, W): uint8 as (pixel/255 - mean) / std, floats as they are."""
    if images.dtype != np.uint8:
        return images.astype(np.float64)
    shape = (1, -1) + (1,) * (images.ndim - 2)
    return (images / 255.0 - np.reshape(mean, shape)) / np.reshape(std, shape)
