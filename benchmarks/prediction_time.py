"""Seconds that predicting the cells and the clock of an AdderNet ResNet-20 takes, its units given.

Run: python benchmarks/prediction_time.py
"""

import sys
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from hwgen.frontend import from_torch
from hwgen.ir.graph import Graph
from hwgen.quantize import Policy, quantize
from hwgen.schedule.clock import slowest_path
from hwgen.schedule.folding import fold
from hwgen.schedule.plan import Resources
from hwgen.schedule.resources import block_resources, unit_resources

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "models"))
CYCLES = 400_000


def integers() -> Graph:
    """The network with random weights."""
    from resnet20_adder.network import resnet20_adder

    torch.manual_seed(0)
    graph = from_torch(resnet20_adder().eval(), torch.rand(1, 3, 32, 32), "resnet20")
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32)).astype(np.uint8)
    return quantize(graph, images, Policy(bits=8))


def main() -> None:
    graph = integers()
    units = fold(graph, CYCLES, graph.input.shape[0])
    block_resources.cache_clear()  # folding has counted the same blocks
    start = perf_counter()
    total = sum(map(unit_resources, units), Resources())
    clock = slowest_path(units, total, "ecp5")
    seconds = perf_counter() - start
    assert clock
    print(f"{len(units)} units at {CYCLES:,} cycles: {total.lut:,.0f} LUT, {total.ff:,.0f} FF,")
    print(f"{total.bram} block RAMs, {total.dsp} multipliers, {clock.mhz:.1f} MHz ({clock.limit})")
    print(f"{seconds:.3f} s")


if __name__ == "__main__":
    main()
