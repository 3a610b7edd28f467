"""One network, or one layer of it, with other kernels in place of its own: ``hwgen compare``."""

from hwgen_sim.compare_kernels.comparison import KernelComparison, compare_build, compare_plan

__all__ = ["KernelComparison", "compare_build", "compare_plan"]
