"""Energy: counted actions times the entries of one published table."""

from hwgen_sim.energy.action import KINDS, Action
from hwgen_sim.energy.catalogue import load_profile, profile_names
from hwgen_sim.energy.estimate import EnergyReport, PricedAction, estimate_energy
from hwgen_sim.energy.picojoules import Energy
from hwgen_sim.energy.profile import Price, Profile

__all__ = [
    "KINDS",
    "Action",
    "Energy",
    "EnergyReport",
    "Price",
    "PricedAction",
    "Profile",
    "estimate_energy",
    "load_profile",
    "profile_names",
]
