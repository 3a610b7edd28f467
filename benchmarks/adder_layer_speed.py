"""Speed of the adder layers against torch.cdist(p=1) and against the tensor of all differences.

    python benchmarks/adder_layer_speed.py [--threads N] [--repeats N]

A term is one |x - w|. The rivals get their input already unfolded; the layer unfolds for itself.
The backward of a rival is what torch derives for its forward, without the clipping of AdderNet.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hwgen.nn import AdderConv2d, AdderLinear

NAIVE_BYTES = 1 << 30  # the tensor of all differences is built only where it is smaller


@dataclass(frozen=True, slots=True)
class Problem:
    """A batch of square images, or of rows where kernel and size are 1."""

    name: str
    images: int
    channels: int
    size: int
    outputs: int
    kernel: int

    def layer(self) -> AdderConv2d | AdderLinear:
        if self.size == 1:
            return AdderLinear(self.channels, self.outputs)
        return AdderConv2d(self.channels, self.outputs, self.kernel)

    def input(self) -> Tensor:
        shape = (self.channels,) if self.size == 1 else (self.channels, self.size, self.size)
        return torch.randn(self.images, *shape)

    def unfolded(self, x: Tensor) -> Tensor:
        """x as one row of taps for each output pixel."""
        if self.size == 1:
            return x
        return F.unfold(x, self.kernel).mT.reshape(-1, self.channels * self.kernel**2).contiguous()


PROBLEMS = [
    Problem("LeNet-5 conv2", 64, 6, 12, 16, 5),
    Problem("LeNet-5 fc1", 256, 256, 1, 120, 1),
    Problem("LeNet-5 fc1, one image", 1, 256, 1, 120, 1),
    Problem("ResNet-20 stage 1", 8, 16, 34, 16, 3),
    Problem("ResNet-20 stage 3", 32, 64, 10, 64, 3),
    Problem("ResNet-18 stage 4", 1, 512, 9, 512, 3),
    Problem("1x1, 256 to 64", 2, 256, 28, 64, 1),
]


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Best of several runs; the first, which may compile, does not count."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def time_both(
    forward: Callable[[], Tensor], leaves: list[Tensor], repeats: int
) -> tuple[float, float]:
    """Seconds of the forward and of the backward pass."""
    y = forward()
    g = torch.randn_like(y)
    back = seconds(lambda: torch.autograd.grad(y, leaves, g, retain_graph=True), repeats)
    with torch.no_grad():
        return seconds(forward, repeats), back


def measure(problem: Problem, repeats: int) -> str:
    torch.manual_seed(0)
    layer, x = problem.layer(), problem.input().requires_grad_()
    columns = problem.unfolded(x.detach()).requires_grad_()
    matrix = layer.weight.detach().flatten(1).requires_grad_()
    terms = columns.numel() * problem.outputs
    ours = time_both(lambda: layer(x), [x, layer.weight], repeats)
    leaves = [columns, matrix]
    rival = time_both(lambda: torch.cdist(columns, matrix, p=1), leaves, repeats)
    cells = [f"{terms / t / 1e9:8.2f} {r / t:7.1f}x" for t, r in zip(ours, rival, strict=True)]
    ratios = [f"{'-':>8}"] * 2
    if 4 * terms <= NAIVE_BYTES:
        naive = time_both(lambda: (columns[:, None] - matrix).abs().sum(2), leaves, repeats)
        ratios = [f"{r / t:7.1f}x" for t, r in zip(ours, naive, strict=True)]
    both = "  ".join(f"{cell} {ratio}" for cell, ratio in zip(cells, ratios, strict=True))
    return f"{problem.name:24}{terms / 1e6:8.1f}  {both}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"{arguments.threads} thread(s), best of {arguments.repeats}; G = 1e9 terms a second")
    print(f"{'':24}{'million':>8}  {'forward':>8} {'against':>8} {'against':>8}", end="")
    print(f"  {'backward':>8} {'against':>8} {'against':>8}")
    print(f"{'':24}{'terms':>8}" + f"  {'G':>8} {'cdist':>8} {'naive':>8}" * 2)
    for problem in PROBLEMS:
        print(measure(problem, arguments.repeats), flush=True)


if __name__ == "__main__":
    main()
