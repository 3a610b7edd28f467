"""What synthesis makes of each block, beside the cells that the rules in resources.py count.

Each family's table is printed by ``python benchmarks/prediction_error.py --family F --fit`` from
the designs that are fitted on: least squares, drawn towards the scale of the whole family, which is
"" and which blocks take that those designs do not have.
"""

__all__ = ["CALIBRATION", "CELLS"]

CELLS = ("lut", "carry", "ff")
"""What is calibrated: memories and multipliers are counted exactly."""

Line = tuple[float, float]
"""Scale and offset."""
Table = dict[str, tuple[Line, Line, Line]]
"""Block to the lines of its LUTs, carry cells and flip-flops."""

_ECP5: Table = {
    "": ((1.02, 0.0), (1.03, 0.0), (1.04, 0.0)),
    "ArgmaxParams": ((1.08, 6.8), (1.02, -0.4), (1.02, 0.4)),
    "ArrayParams": ((0.92, 4.9), (1.02, 0.3), (1.05, 1.0)),
    "DepthwiseParams": ((1.10, 6.1), (0.94, 3.5), (1.02, 1.4)),
    "DrainParams": ((1.51, 4.9), (1.03, 0.0), (1.23, 1.0)),
    "FinishParams": ((1.19, 4.9), (1.10, 0.3), (1.05, 1.0)),
    "HoldParams": ((1.02, -0.3), (1.03, 0.0), (1.09, 0.0)),
    "InputTransformParams": ((1.04, 0.0), (1.03, 0.0), (1.03, -0.1)),
    "LineBufferParams": ((0.75, -10.2), (0.98, -7.9), (0.91, -5.3)),
    "MergeParams": ((1.03, 3.4), (1.03, 0.0), (0.93, -4.5)),
    "PadParams": ((0.82, -6.5), (1.03, 0.0), (0.93, -8.2)),
    "PoolParams": ((1.13, -6.4), (1.03, 0.0), (1.09, -1.4)),
    "QueueParams": ((0.94, -6.5), (1.00, -7.0), (0.97, -8.2)),
    "RequantizeParams": ((1.09, -5.5), (1.04, -0.8), (1.01, 6.7)),
    "SplitParams": ((1.08, 7.1), (1.03, 0.0), (1.06, -2.0)),
    "WidenParams": ((1.02, 0.0), (1.03, 0.0), (1.04, 0.0)),
    "WindowParams": ((0.95, 4.6), (0.98, 4.3), (0.96, 0.9)),
    "WinogradArrayParams": ((0.96, 0.0), (1.00, 0.0), (0.97, -0.1)),
}
_ICE40: Table = {
    "": ((1.00, 0.0), (0.85, 0.0), (0.98, 0.0)),
    "ArgmaxParams": ((1.06, 5.8), (0.91, 2.6), (1.00, 0.9)),
    "ArrayParams": ((0.91, 4.9), (1.01, -1.9), (0.88, 1.8)),
    "DepthwiseParams": ((1.10, 1.6), (0.92, 2.6), (0.91, -0.9)),
    "DrainParams": ((1.16, 4.9), (0.85, 0.0), (0.96, 1.8)),
    "FinishParams": ((1.07, 4.9), (1.05, -1.9), (1.02, 1.8)),
    "HoldParams": ((1.00, -1.0), (0.85, 0.0), (0.96, -1.2)),
    "LineBufferParams": ((0.97, -1.0), (0.87, 1.0), (1.01, 0.9)),
    "MergeParams": ((0.99, -3.0), (0.85, 0.0), (0.99, 1.0)),
    "PadParams": ((0.89, -3.0), (0.85, 0.0), (1.00, 1.0)),
    "PoolParams": ((0.97, -2.6), (0.85, 0.0), (0.98, -0.3)),
    "QueueParams": ((0.96, -3.0), (0.77, -7.9), (0.99, 1.0)),
    "RequantizeParams": ((0.87, -5.3), (0.76, -3.2), (1.04, 2.8)),
    "SplitParams": ((0.97, -1.1), (0.85, 0.0), (1.01, 1.3)),
    "WidenParams": ((1.00, 0.0), (0.85, 0.0), (0.98, 0.0)),
    "WindowParams": ((0.96, 3.9), (0.85, 1.9), (1.01, 0.6)),
}
_GOWIN: Table = {
    "": ((1.08, 0.0), (1.13, 0.0), (1.05, 0.0)),
    "ArgmaxParams": ((1.45, 11.2), (1.13, 0.4), (1.04, -0.1)),
    "ArrayParams": ((0.94, 4.4), (1.05, 3.5), (1.15, -1.5)),
    "DepthwiseParams": ((1.11, 0.4), (1.16, 0.9), (1.05, 0.0)),
    "DrainParams": ((1.11, 4.4), (1.13, 0.0), (1.09, -1.5)),
    "FinishParams": ((1.19, 4.4), (1.15, 3.5), (1.04, -1.5)),
    "HoldParams": ((1.08, -2.9), (1.13, 0.0), (1.05, -0.3)),
    "LineBufferParams": ((1.06, -0.9), (1.15, 1.2), (0.94, -3.5)),
    "MergeParams": ((1.07, -2.9), (1.13, 0.0), (0.98, -6.8)),
    "PadParams": ((0.97, -2.9), (1.13, 0.0), (0.96, -6.8)),
    "PoolParams": ((1.05, -3.3), (1.13, 0.0), (1.05, -0.3)),
    "QueueParams": ((1.04, -2.9), (1.16, 2.6), (1.00, -6.8)),
    "RequantizeParams": ((1.13, -5.7), (1.03, -1.1), (1.05, 2.1)),
    "SplitParams": ((1.07, -0.5), (1.13, 0.0), (1.07, 0.8)),
    "WidenParams": ((1.08, 0.0), (1.13, 0.0), (1.05, 0.0)),
    "WindowParams": ((1.01, 1.5), (1.09, 2.5), (1.01, -1.8)),
}
_XILINX: Table = {
    "": ((0.77, 0.0), (0.87, 0.0), (0.96, 0.0)),
    "ArgmaxParams": ((0.56, 0.1), (0.86, -1.1), (0.98, 1.3)),
    "ArrayParams": ((0.64, 6.4), (0.75, 2.2), (1.04, -3.8)),
    "DepthwiseParams": ((0.76, -0.2), (0.88, 1.1), (1.02, 0.8)),
    "DrainParams": ((0.83, 6.4), (0.87, 0.0), (1.08, -3.8)),
    "FinishParams": ((0.96, 6.4), (0.93, 2.2), (0.83, -3.8)),
    "HoldParams": ((0.76, -4.9), (0.87, 0.0), (0.99, 2.2)),
    "LineBufferParams": ((0.63, -5.3), (0.87, 0.4), (0.96, 0.0)),
    "MergeParams": ((0.77, -1.3), (0.87, 0.0), (0.91, -4.7)),
    "PadParams": ((0.72, -1.3), (0.87, 0.0), (0.90, -4.7)),
    "PoolParams": ((0.72, -4.8), (0.87, 0.0), (0.97, 1.4)),
    "QueueParams": ((0.75, -1.3), (0.88, 0.6), (0.92, -4.7)),
    "RequantizeParams": ((0.91, -4.2), (0.86, 0.4), (1.04, 3.0)),
    "SplitParams": ((0.81, 1.7), (0.87, 0.0), (0.99, 1.4)),
    "WidenParams": ((0.77, 0.0), (0.87, 0.0), (0.96, 0.0)),
    "WindowParams": ((0.64, 1.5), (0.67, 0.3), (0.92, -1.6)),
}

CALIBRATION: dict[str, Table] = {
    "ecp5": _ECP5,
    "ice40": _ICE40,
    "ice40up": _ICE40,
    "gowin": _GOWIN,
    "nexus": _ECP5,
    "xc7": _XILINX,
    "xcup": _XILINX,
}
"""Family to its table; nexus takes that of ecp5, and xc7 that of xcup."""
