"""Boolean functions of Liberty files as truth tables.

A function of n inputs is an integer of 2**n bits; bit i is its value where input k is bit k of i.
"""

import re
from collections.abc import Sequence

from hwgen.errors import InputError

__all__ = ["MAX_INPUTS", "input_table", "truth_table"]

MAX_INPUTS = 6
"""A table of so many inputs is one 64-bit word."""

_TOKEN = re.compile(r"\s*([A-Za-z_]\w*(?:\[\d+\])?|[01!'^&*|+()])")
_LEVELS = (("|", "+"), ("&", "*", ""), ("^",))
"""Operators from the loosest on; two operands side by side are an AND."""


def input_table(k: int, inputs: int) -> int:
    """The function that equals input ``k``."""
    return sum(1 << i for i in range(1 << inputs) if i >> k & 1)


def truth_table(function: str, inputs: Sequence[str]) -> int:
    """Table of a Liberty function of named inputs; raises InputError."""
    if len(inputs) > MAX_INPUTS:
        raise InputError(
            f"The function {function!r} has {len(inputs)} inputs; at most {MAX_INPUTS} are read."
        )
    return _Parser(function, inputs).table()


class _Parser:
    def __init__(self, function: str, inputs: Sequence[str]):
        self._function = function
        self._ones = (1 << (1 << len(inputs))) - 1
        self._known = {name: input_table(k, len(inputs)) for k, name in enumerate(inputs)}
        self._known |= {"0": 0, "1": self._ones}
        self._tokens = _TOKEN.findall(function)
        if "".join(self._tokens) != "".join(function.split()) or not self._tokens:
            raise self._error()

    def table(self) -> int:
        value = self._level(0)
        if self._tokens:
            raise self._error()
        return value

    def _level(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._operand()
        value = self._level(level + 1)
        while self._continues(level):
            other = self._level(level + 1)
            value = (value | other, value & other, value ^ other)[level]
        return value

    def _continues(self, level: int) -> bool:
        """Whether one of the level's operators comes next; takes it."""
        if not self._tokens:
            return False
        if self._tokens[0] in _LEVELS[level]:
            self._tokens.pop(0)
            return True
        return "" in _LEVELS[level] and self._tokens[0] not in ("|", "+", ")", "^", "'")

    def _operand(self) -> int:
        token = self._tokens.pop(0) if self._tokens else ""
        if token == "!":
            return self._ones ^ self._operand()
        if token == "(":
            value = self._level(0)
            if not self._tokens or self._tokens.pop(0) != ")":
                raise self._error()
        elif token in self._known:
            value = self._known[token]
        else:
            raise self._error()
        while self._tokens and self._tokens[0] == "'":
            self._tokens.pop(0)
            value ^= self._ones
        return value

    def _error(self) -> InputError:
        known = ", ".join(self._known)
        return InputError(
            f"The Liberty function {self._function!r} cannot be read; it must combine {known} with"
            " !, ', &, *, |, +, ^ and parentheses."
        )
