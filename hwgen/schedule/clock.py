"""Clock expected of a design that was not routed."""

__all__ = ["PREDICTED_CLOCK_MHZ"]

PREDICTED_CLOCK_MHZ = 73.7
"""The slowest of three designs routed with nextpnr-ecp5 for speed grade 6.

They reached 73.7 MHz (LeNet-5 at 3,200 cycles on an LFE5U-85F, 6.5 kLUT) and, before arrays had
drains, 81.0 MHz (the same at 12,800 cycles on an LFE5U-25F, 4.0 kLUT) and 81.5 MHz (two adder
layers, 2.5 kLUT). Every block is pipelined to the same depth, so size and folding have little to do
with it.
"""
