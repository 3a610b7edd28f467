"""Toggles of a simulated build, net by net, and what they cost on an FPGA."""

from hwgen_sim.activity.count import NodeToggles, count_toggles
from hwgen_sim.activity.estimate import ACTIVITY_COLUMNS, Activity, estimate_activity, measure
from hwgen_sim.activity.images import random_images
from hwgen_sim.activity.nets import KINDS, Net, Nets, netlist_nets, rtl_nets
from hwgen_sim.activity.price import clock_actions, toggle_actions
from hwgen_sim.activity.saif import read_toggles

__all__ = [
    "ACTIVITY_COLUMNS",
    "KINDS",
    "Activity",
    "Net",
    "Nets",
    "NodeToggles",
    "clock_actions",
    "count_toggles",
    "estimate_activity",
    "measure",
    "netlist_nets",
    "random_images",
    "read_toggles",
    "rtl_nets",
    "toggle_actions",
]
