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
    "": ((0.92, 0.0), (0.83, 0.0), (0.96, 0.0)),
    "ArgmaxParams": ((1.04, 7.8), (0.91, 2.7), (0.99, 1.2)),
    "ArrayParams": ((1.07, 2.1), (1.01, -3.5), (0.89, 2.0)),
    "DepthwiseParams": ((1.11, 4.2), (0.94, 6.4), (0.91, -1.3)),
    "DrainParams": ((1.05, 2.1), (0.83, 0.0), (0.90, 2.0)),
    "FinishParams": ((0.99, 2.1), (1.20, -3.5), (1.03, 2.0)),
    "HoldParams": ((0.92, -0.6), (0.83, 0.0), (0.94, -2.9)),
    "LineBufferParams": ((0.90, -0.6), (0.73, -7.5), (0.92, -2.8)),
    "MergeParams": ((0.91, -3.3), (0.83, 0.0), (1.02, 1.6)),
    "PadParams": ((0.89, -0.6), (0.83, 0.0), (0.97, 0.5)),
    "PoolParams": ((0.86, -4.8), (0.83, 0.0), (0.96, -1.6)),
    "QueueParams": ((0.91, -0.6), (0.83, -0.3), (0.97, 0.5)),
    "RequantizeParams": ((0.87, -6.8), (0.73, -1.6), (1.03, 3.8)),
    "WidenParams": ((0.92, 0.0), (0.83, 0.0), (0.96, 0.0)),
    "WindowParams": ((0.75, 1.5), (0.61, 8.1), (0.95, -0.9)),
}
_GOWIN: Table = {
    "": ((1.13, 0.0), (1.09, 0.0), (1.04, 0.0)),
    "ArgmaxParams": ((1.62, 10.0), (1.10, 1.0), (1.03, 0.2)),
    "ArrayParams": ((1.06, 2.2), (1.26, 0.9), (1.19, -1.7)),
    "DepthwiseParams": ((1.23, 4.4), (1.16, 7.7), (1.08, 0.7)),
    "DrainParams": ((1.36, 2.2), (1.09, 0.0), (1.05, -1.7)),
    "FinishParams": ((1.15, 2.2), (1.03, 0.9), (1.02, -1.7)),
    "HoldParams": ((1.12, -3.8), (1.09, 0.0), (1.04, -1.4)),
    "LineBufferParams": ((0.96, -6.2), (1.00, -7.0), (0.88, -5.6)),
    "MergeParams": ((1.11, -5.5), (1.09, 0.0), (0.97, -7.8)),
    "PadParams": ((1.05, -1.4), (1.09, 0.0), (0.94, -7.4)),
    "PoolParams": ((1.04, -8.2), (1.09, 0.0), (1.03, -2.1)),
    "QueueParams": ((1.11, -1.4), (1.20, 9.7), (0.98, -7.4)),
    "RequantizeParams": ((1.15, -8.5), (1.00, 1.1), (1.04, 3.1)),
    "WidenParams": ((1.13, 0.0), (1.09, 0.0), (1.04, 0.0)),
    "WindowParams": ((1.13, -1.6), (0.91, 2.7), (0.94, -3.1)),
}

CALIBRATION: dict[str, Table] = {
    "ecp5": _ECP5,
    "ice40": _ICE40,
    "ice40up": _ICE40,
    "gowin": _GOWIN,
    "nexus": _ECP5,
    "xc7": _ECP5,
    "xcup": _ECP5,
}
"""Family to its table; nexus, xc7 and xcup were not fitted and take that of ecp5."""
