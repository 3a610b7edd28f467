"""What the layers' parameters must be; TypeError for another kind, ValueError for a value."""

__all__ = ["choice", "flag", "integer", "pair", "real"]


def flag(name: str, value: object) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {value!r}")
    return value


def integer(name: str, value: object, least: int = 1, most: int | None = None) -> int:
    """An integer of least..most."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if most is not None and not least <= value <= most:
        raise ValueError(f"{name} must be between {least} and {most}, not {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value!r}")
    return value


def pair(name: str, value: object, least: int = 1) -> tuple[int, int]:
    """One integer for both axes, or a pair."""
    if isinstance(value, int):
        value = (value, value)
    if not isinstance(value, tuple) or len(value) != 2:
        raise TypeError(f"{name} must be an integer or a pair of integers, not {value!r}")
    return integer(name, value[0], least), integer(name, value[1], least)


def real(name: str, value: object) -> float:
    """A number greater than 0."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, not {value!r}")
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} must be positive and finite, not {value!r}")
    return float(value)


def choice(name: str, value: object, choices: tuple[str, ...]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in choices:
        words = ", ".join(repr(word) for word in choices)
        raise ValueError(f"{name} must be one of {words}, not {value!r}")
    return value
