"""Profiles that come with hwgen, and profiles that a person wrote."""

import tomllib
from difflib import get_close_matches
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hwgen.errors import InputError
from hwgen_sim.energy.profile import Profile
from hwgen_sim.energy.rows import Row, Unmodelled
from hwgen_sim.energy.scaling import scaled

__all__ = ["DEFAULT_PROFILE", "load_prices", "load_profile", "profile_names", "read_profile"]

DEFAULT_PROFILE = "horowitz-45nm"

_FOLDER = resources.files("hwgen_sim.energy") / "profiles"


@cache
def profile_names() -> tuple[str, ...]:
    """Names of the profiles that come with hwgen."""
    names = [file.name for file in _FOLDER.iterdir() if file.name.endswith(".toml")]
    return tuple(sorted(name.removesuffix(".toml") for name in names))


def load_prices(
    profile: str | None, memories: str | None = None, scale: str | None = None
) -> tuple[Profile, Profile | None]:
    """The profile and that of the memories, if there is one; both moved by the rule ``scale``."""
    named = load_profile(profile or DEFAULT_PROFILE)
    other = load_profile(memories) if memories else None
    if scale is None:
        return named, other
    return scaled(named, scale), scaled(other, scale) if other else None


def load_profile(name: str) -> Profile:
    """A profile by its name, or by the path of a ``.toml`` file."""
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise InputError(f"The energy profile {name} does not exist.")
        return read_profile(path.read_text(), name)
    if name not in profile_names():
        raise InputError(_unknown_profile(name))
    return read_profile((_FOLDER / f"{name}.toml").read_text(), name)


def read_profile(text: str, name: str) -> Profile:
    """A profile from TOML text; raises InputError that names the first offending entry."""
    try:
        return Profile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The energy profile {name} is not TOML: {error}.") from error
    except ValidationError as error:
        raise InputError(
            f"The energy profile {name} is refused: {_sentence(_telling(error))}."
        ) from error


def _unknown_profile(name: str) -> str:
    nearest = get_close_matches(name, profile_names(), n=1, cutoff=0.4)
    if nearest:
        return f"There is no energy profile {name!r}; did you mean {nearest[0]!r}?"
    return f"There is no energy profile {name!r}; the profiles are {', '.join(profile_names())}."


def _telling(error: ValidationError) -> ErrorDetails:
    # a misspelled key is also a missing one; the misspelling says more
    unknown = (entry for entry in error.errors() if entry["type"] == "extra_forbidden")
    return next(unknown, error.errors()[0])


def _sentence(error: ErrorDetails) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{where} is no known key{_nearest_key(str(error['loc'][-1]), _model(error))}"
    message = error["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _model(error: ErrorDetails) -> type[BaseModel]:
    models = {"row": Row, "not_modelled": Unmodelled}
    return models.get(str(error["loc"][0]), Profile) if len(error["loc"]) > 1 else Profile


def _nearest_key(key: str, model: type[BaseModel]) -> str:
    keys = [field.alias or name for name, field in model.model_fields.items()]
    nearest = get_close_matches(key, keys, n=1, cutoff=0.4)
    return f"; did you mean {nearest[0]!r}?" if nearest else f"; the keys are {', '.join(keys)}"
