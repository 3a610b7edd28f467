"""What the hardware of a plan does per image, counted from its Params alone."""

from hwgen_sim.actions.arrays import tree_adders
from hwgen_sim.actions.design import DESIGN, plan_actions, registers
from hwgen_sim.actions.units import block_actions, entering, unit_actions

__all__ = [
    "DESIGN",
    "block_actions",
    "entering",
    "plan_actions",
    "registers",
    "tree_adders",
    "unit_actions",
]
