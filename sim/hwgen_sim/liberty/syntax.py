"""The syntax of Liberty files: groups that hold attributes and groups.

    kind (name, ...) { attribute : value ;  attribute (value, ...) ;  group ... }

Both parsers on the package index read character by character, which takes minutes for a library of
12 MB, and the older one is under the GPL; this reads words, and leaves out the groups that it is
told to.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from hwgen.errors import InputError

__all__ = ["Group", "parse"]

_WORD = re.compile(
    r'(?:\s|\\\n|/\*.*?\*/|//[^\n]*)+|"(?P<text>(?:[^"\\]|\\.)*)"|(?P<mark>[(){};:,])'
    r'|(?P<word>[^\s(){};:,"]+)',
    re.DOTALL,
)
_CONTINUED = re.compile(r"\\\r?\n")
_END = ("", "")

Word = tuple[str, str]
"""A mark twice, or "" and a word or the text between quotes."""


@dataclass(frozen=True)
class Group:
    """One group.

    Parameters:
        kind   : what the group describes: "library", "cell", "pin", ...
        names  : what stands in parentheses behind it
        values : attribute -> its values, without quotes; the last of several counts
        groups : groups in it
    """

    kind: str
    names: tuple[str, ...] = ()
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)

    def all(self, *kinds: str) -> Iterator["Group"]:
        """Groups of these kinds directly inside."""
        return (group for group in self.groups if group.kind in kinds)

    def get(self, name: str, default: str = "") -> str:
        """First value of an attribute."""
        return self.values.get(name, (default,))[0]


def parse(text: str, skip: Collection[str] = ()) -> Group:
    """The library in ``text`` without groups of the kinds in ``skip``; raises InputError."""
    return _Reader(text, frozenset(skip)).library()


class _Reader:
    def __init__(self, text: str, skip: frozenset[str]):
        self._text, self._skip, self._at = text, skip, 0

    def library(self) -> Group:
        mark, word = self._next()
        if mark or word != "library":
            raise self._error("the file must begin with a library")
        names = self._names()
        self._expect("{")
        return self._filled(Group("library", names))

    def _filled(self, group: Group) -> Group:
        """``group`` with what follows up to its closing brace."""
        while True:
            mark, word = self._next()
            if mark == "}":
                return group
            if mark == ";":
                continue
            if mark or not word:
                raise self._error(f"a name must follow inside {_title(group)}")
            self._read_into(group, word)

    def _read_into(self, group: Group, name: str) -> None:
        mark, _ = self._next()
        if mark == ":":
            group.values[name] = (self._simple(),)
            return
        if mark != "(":
            raise self._error(f"{name!r} must be followed by ':' or '('")
        self._at -= 1
        names = self._names()
        before = self._at
        if self._next()[0] != "{":
            self._at = before
            group.values[name] = names
        elif name in self._skip:
            self._leave()
        else:
            group.groups.append(self._filled(Group(name, names)))

    def _names(self) -> tuple[str, ...]:
        """Words in parentheses."""
        self._expect("(")
        words = []
        while (found := self._next())[0] != ")":
            if found[0] not in ("", ",", ":") or found == _END:
                raise self._error("a ')' is missing")
            if not found[0]:
                words.append(found[1])
        return tuple(words)

    def _simple(self) -> str:
        """What stands between ':' and ';', an expression or one value."""
        words = []
        while (found := self._next())[0] != ";":
            if found[0] in ("{", "}", ":") or found == _END:
                raise self._error("a ';' is missing")
            words.append(found[1])
        return " ".join(words)

    def _leave(self) -> None:
        """Pass what is left of a group; quoted text holds no braces."""
        depth = 1
        while depth:
            found = re.compile(r"[{}]").search(self._text, self._at)
            if found is None:
                raise self._error("a '}' is missing")
            self._at = found.end()
            depth += 1 if found[0] == "{" else -1

    def _expect(self, mark: str) -> None:
        if self._next()[0] != mark:
            raise self._error(f"a {mark!r} is missing")

    def _next(self) -> Word:
        while found := _WORD.match(self._text, self._at):
            self._at = found.end()
            if found["mark"]:
                return found["mark"], found["mark"]
            if found["word"] is not None:
                return "", found["word"]
            if found["text"] is not None:
                return "", _CONTINUED.sub("", found["text"])
        if self._at < len(self._text):
            raise self._error("a quotation mark is missing")
        return _END

    def _error(self, problem: str) -> InputError:
        line = self._text.count("\n", 0, self._at) + 1
        return InputError(f"Line {line} of the Liberty file cannot be read: {problem}.")


def _title(group: Group) -> str:
    return f"{group.kind}({', '.join(group.names)})"
