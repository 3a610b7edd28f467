"""Predicted clock of a plan on an ECP5 of speed grade 6."""

from hwgen.schedule.plan import Plan
from hwgen_rtl.fifo import QueueParams
from hwgen_rtl.hold import HoldParams
from hwgen_rtl.windowed import WindowedParams

__all__ = ["predicted_clock_mhz", "ready_chain"]

ARRAY_NS = 8.4
"""From a register through the enable of a whole array to its address counter."""
BLOCK_NS = 2.1
"""Each block whose ready depends on the ready of the next one."""


def predicted_clock_mhz(plan: Plan) -> float:
    """Clock at which the longest chain of ready signals settles: 1000 / (array + blocks) MHz.

    Both delays are fitted on one routed design, the LeNet-5 of models/lenet5_adder (67.9 MHz with
    nextpnr-ecp5); no other design was used to check them.
    """
    return 1000 / (ARRAY_NS + BLOCK_NS * ready_chain(plan))


def ready_chain(plan: Plan) -> int:
    """Most blocks between an array and the next block that registers its ready."""
    longest = current = 0
    for params in (stage.params for unit in plan.units for stage in unit.stages):
        if isinstance(params, WindowedParams | QueueParams | HoldParams):
            longest, current = max(longest, current), 0
        else:
            current += 1
    return max(longest, current)
