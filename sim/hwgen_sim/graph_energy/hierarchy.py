"""A memory hierarchy and an array of lanes, as a TOML file describes them."""

import tomllib
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from hwgen.errors import InputError

__all__ = ["Array", "Hierarchy", "Level", "load_hierarchy", "read_hierarchy"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Level(_Strict):
    """An on-chip memory.

    Parameters:
        bytes     : its size; half of it holds the tile that stays, half what streams past and what
                    is kept between layers
        word_bits : of one access
    """

    name: str
    bytes: PositiveInt
    word_bits: PositiveInt = 64

    @property
    def share(self) -> int:
        """Bits of one half."""
        return 4 * self.bytes


class Array(_Strict):
    """Lanes that work in the same cycle; operands are shared among them.

    Parameters:
        outputs : output channels, which share an activation
        taps    : taps of one output, summed before they reach the accumulator
        pixels  : output pixels, which share a weight
    """

    outputs: PositiveInt = 1
    taps: PositiveInt = 1
    pixels: PositiveInt = 1


class Hierarchy(_Strict):
    """External memory, then levels from the outermost to the innermost, then the array.

    Parameters:
        word_bits : of the external memory, which gives or takes one word a cycle
    """

    name: str
    array: Array = Array()
    levels: tuple[Level, ...] = Field(alias="level", default=())
    word_bits: PositiveInt = 64

    @property
    def limits(self) -> dict[str, int]:
        """Of a cycle: operations of all lanes, and bits of the external memory."""
        lanes = self.array.outputs * self.array.taps * self.array.pixels
        return {"lanes": lanes, "external_bits_per_cycle": self.word_bits}

    @model_validator(mode="after")
    def _shrinking(self) -> Self:
        for outer, inner in zip(self.levels, self.levels[1:], strict=False):
            if inner.bytes > outer.bytes:
                raise ValueError(
                    f"level {inner.name!r} of {inner.bytes} bytes lies inside {outer.name!r} of"
                    f" {outer.bytes} bytes; a level must not be larger than the one outside it"
                )
        return self


def load_hierarchy(path: Path) -> Hierarchy:
    """The hierarchy that a file describes."""
    if not path.is_file():
        raise InputError(f"The memory hierarchy {path} does not exist.")
    return read_hierarchy(path.read_text(), str(path))


def read_hierarchy(text: str, name: str) -> Hierarchy:
    """A hierarchy from TOML text; raises InputError that names the first offending entry."""
    try:
        return Hierarchy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The memory hierarchy {name} is not TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise InputError(
            f"The memory hierarchy {name} is refused: {where + ': ' if where else ''}{message}."
        ) from error
