"""What other packages register for this one, which does not import them."""

from importlib.metadata import entry_points
from typing import Any

from hwgen.errors import InputError

__all__ = ["registered"]


def registered(group: str, does: str) -> Any:
    """The first object that is registered in an entry point group; InputError where none is."""
    for plugin in entry_points(group=group):
        return plugin.load()
    raise InputError(f"Nothing is installed that {does}; install hwgen again.")
