"""Cosimulation: the generated Verilog in Verilator or Icarus, against integers."""

from hwgen_sim.cosim.result import SimResult
from hwgen_sim.cosim.saif import Saif
from hwgen_sim.cosim.simulation import simulate
from hwgen_sim.cosim.waves import Waves

__all__ = ["Saif", "SimResult", "Waves", "simulate"]
