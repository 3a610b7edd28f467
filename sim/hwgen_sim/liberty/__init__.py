"""Energy and area in standard cells: components mapped by Yosys, simulated, priced by Liberty."""

from hwgen_sim.liberty.arrays import AnyArray, array_energy, random_workload
from hwgen_sim.liberty.estimate import cell_columns, estimate_cells
from hwgen_sim.liberty.installed import LIBRARIES, find_library, library_path
from hwgen_sim.liberty.layer import arrays_of, layer_workload
from hwgen_sim.liberty.library import Library, load_library
from hwgen_sim.liberty.operators import (
    Expression,
    OperatorEnergy,
    operator_energies,
    operator_energy,
)
from hwgen_sim.liberty.parts import ArrayEnergy, PartEnergy, Workload
from hwgen_sim.liberty.power import CycleEnergy

__all__ = [
    "LIBRARIES",
    "AnyArray",
    "ArrayEnergy",
    "CycleEnergy",
    "Expression",
    "Library",
    "OperatorEnergy",
    "PartEnergy",
    "Workload",
    "array_energy",
    "arrays_of",
    "cell_columns",
    "estimate_cells",
    "find_library",
    "layer_workload",
    "library_path",
    "load_library",
    "operator_energies",
    "operator_energy",
    "random_workload",
]
