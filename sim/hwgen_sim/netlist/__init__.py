"""A synthesized netlist, simulated with models of the cells that it is made of."""

from hwgen_sim.netlist.observe import observable
from hwgen_sim.netlist.source import find_netlist
from hwgen_sim.netlist.verilog import netlist_verilog

__all__ = ["find_netlist", "netlist_verilog", "observable"]
