"""Toggles as actions, which an energy profile prices."""

from collections.abc import Mapping

from hwgen.errors import InputError
from hwgen_sim.actions import DESIGN
from hwgen_sim.activity.count import NodeToggles
from hwgen_sim.energy import Action, Profile, load_profile, profile_names

__all__ = ["PRICED", "clock_actions", "load_toggle_prices", "toggle_actions"]

PRICED = {"register": "register_toggle", "memory": "net_toggle", "logic": "net_toggle"}
"""Kind of net -> kind of action. Inner nets are in the figure of their flip-flop's cell."""


def load_toggle_prices(name: str) -> Profile:
    """The profile ``name``; raises InputError where it has no figure for a toggle."""
    profile = load_profile(name)
    if not _prices_toggles(profile):
        fitting = (other for other in profile_names() if _prices_toggles(load_profile(other)))
        raise InputError(
            f"The energy profile {name} has no figure for a toggle; choose {', '.join(fitting)}."
        )
    return profile


def _prices_toggles(profile: Profile) -> bool:
    return all(profile.prices(kind) for kind in PRICED.values())


def toggle_actions(nodes: Mapping[str, NodeToggles]) -> dict[str, list[Action]]:
    """What follows from the data of a whole run."""
    return {
        name: [
            Action(component=kind, kind=action, bits=1, count=node.toggles[kind])
            for kind, action in PRICED.items()
        ]
        for name, node in nodes.items()
    }


def clock_actions(nodes: Mapping[str, NodeToggles], cycles: int) -> dict[str, list[Action]]:
    """Flip-flops times the cycles of an image, and the clock itself: the same for any data."""
    found = {
        name: [
            Action(component="clock", kind="register_clock", bits=1, count=node.flip_flops * cycles)
        ]
        for name, node in nodes.items()
    }
    tree = Action(component="clock", kind="clock", bits=1, count=cycles)
    return found | {DESIGN: [*found[DESIGN], tree]}
