"""What synthesis makes of each block, beside the cells that the rules in resources.py count.

Fitted by ``python benchmarks/prediction_error.py --fit`` on the designs named there: least squares,
drawn towards a scale of 1 and an offset of 0 where few designs have the block. Thresholds and bands
are left out, since those designs have too few of them.
"""

__all__ = ["CALIBRATION"]

#  block: (scale of lut, offset of lut), (scale of carry, offset of carry)
CALIBRATION: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "ArgmaxParams": ((1.09, 6.3), (0.99, -0.2)),
    "ArrayParams": ((1.07, 0.7), (1.41, -0.7)),
    "DepthwiseParams": ((1.1, 4.5), (1.01, 5.3)),
    "DrainParams": ((1.2, 0.7), (1.0, -0.7)),
    "FinishParams": ((1.05, 0.7), (0.98, -0.7)),
    "HoldParams": ((0.99, -6.2), (1.0, 1.9)),
    "InputTransformParams": ((0.96, 0.0), (1.0, -0.1)),
    "LineBufferParams": ((0.71, -3.4), (0.92, -11.6)),
    "MergeParams": ((0.98, -5.9), (1.0, -3.3)),
    "PadParams": ((0.95, -0.4), (1.0, 0.1)),
    "PoolParams": ((0.89, -10.7), (1.0, -3.4)),
    "QueueParams": ((0.93, -0.4), (1.0, 0.1)),
    "RequantizeParams": ((1.1, -11.9), (1.33, 4.2)),
    "SplitParams": ((0.95, -2.2), (1.0, -2.1)),
    "WindowParams": ((1.12, -5.4), (0.85, 1.0)),
    "WinogradArrayParams": ((0.98, 0.0), (0.98, -0.1)),
}
