"""Named rules that fill the gaps between the rows of a table.

Points are (x, y) with rising x and positive y.
"""

from bisect import bisect_left
from collections.abc import Sequence
from math import log

__all__ = ["Points", "power_law", "proportional"]

Points = Sequence[tuple[float, float]]


def proportional(points: Points, x: float) -> float:
    """Linear between two rows; beyond the outermost row y/x stays that row's."""
    position = bisect_left(points, (x,))
    if position == 0 or position == len(points):
        nearest_x, nearest_y = points[min(position, len(points) - 1)]
        return nearest_y * x / nearest_x
    (x0, y0), (x1, y1) = points[position - 1 : position + 1]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def power_law(points: Points, x: float) -> float:
    """Straight line in log-log between two rows; beyond the outermost row y grows as sqrt(x)."""
    position = bisect_left(points, (x,))
    if position == 0 or position == len(points):
        nearest_x, nearest_y = points[min(position, len(points) - 1)]
        return nearest_y * (x / nearest_x) ** 0.5
    (x0, y0), (x1, y1) = points[position - 1 : position + 1]
    return y0 * (y1 / y0) ** (log(x / x0) / log(x1 / x0))
