"""Every error hwgen raises on purpose.

HwgenError
├── InputError        the user gave something unusable           exit code 2
│   ├── UnsupportedModel   every offending node, its reason and a suggested rewrite
│   └── BuildError         a build folder that is missing, stale or corrupted
├── ToolMissing       a program or package is not installed      exit code 2
├── ToolFailed        a program ran and failed                   exit code 1
└── CheckFailed       hardware and specification disagree        exit code 1

A message is one sentence that names the thing, the value and the remedy.
"""

from pathlib import Path

__all__ = [
    "BuildError",
    "CheckFailed",
    "HwgenError",
    "InputError",
    "ToolFailed",
    "ToolMissing",
    "UnsupportedModel",
]


class HwgenError(Exception):
    """Base of all errors that the command line prints as one sentence."""

    exit_code = 2


class InputError(HwgenError):
    """The user gave something unusable."""


class UnsupportedModel(InputError):
    """The model holds operators that cannot become hardware; lists all of them at once."""

    def __init__(self, problems: list[str]):
        self.problems = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(
            f"The model cannot be compiled; {len(problems)} operator(s) offend:{lines}"
        )


class BuildError(InputError):
    """A build folder is missing, stale or corrupted."""


class ToolMissing(HwgenError):
    """A program or package that this command needs is not installed."""


class ToolFailed(HwgenError):
    """A program ran and failed; carries its last lines and the path of its log."""

    exit_code = 1

    def __init__(self, tool: str, tail: str, log: Path | None = None):
        where = f"\nThe whole log is {log}." if log else ""
        super().__init__(f"{tool} failed; its last lines were:\n{tail}{where}")
        self.log = log


class CheckFailed(HwgenError):
    """Hardware and specification disagree."""

    exit_code = 1
