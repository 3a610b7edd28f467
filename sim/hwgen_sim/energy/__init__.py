"""Energy: counted actions times the entries of one published table."""

from hwgen_sim.energy.action import KINDS, Action, count_by_kind
from hwgen_sim.energy.catalogue import DEFAULT_PROFILE, load_prices, load_profile, profile_names
from hwgen_sim.energy.estimate import EnergyReport, PricedAction, estimate_energy
from hwgen_sim.energy.picojoules import Energy
from hwgen_sim.energy.profile import Price, Profile
from hwgen_sim.energy.scaling import scaled

__all__ = [
    "DEFAULT_PROFILE",
    "KINDS",
    "Action",
    "Energy",
    "EnergyReport",
    "Price",
    "PricedAction",
    "Profile",
    "count_by_kind",
    "estimate_energy",
    "load_prices",
    "load_profile",
    "profile_names",
    "scaled",
]
