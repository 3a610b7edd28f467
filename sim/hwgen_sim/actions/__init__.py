"""What the hardware of a plan does per image, counted from its Params alone."""

from hwgen_sim.actions.arrays import tree_adders
from hwgen_sim.actions.design import DESIGN, WORD, plan_actions, registers
from hwgen_sim.actions.idle import block_idle_reads
from hwgen_sim.actions.units import block_actions, entering, unit_actions

__all__ = [
    "DESIGN",
    "WORD",
    "block_actions",
    "block_idle_reads",
    "entering",
    "plan_actions",
    "registers",
    "tree_adders",
    "unit_actions",
]
