"""From a PyTorch network without multiplications to proven Verilog."""

__version__ = "0.1.0"
