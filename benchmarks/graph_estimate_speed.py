"""Time and memory of `hwgen estimate NETWORK`, the start of Python included.

Run: python benchmarks/graph_estimate_speed.py [NETWORK ...]
"""

import os
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

NETWORKS = ("resnet18", "resnet50-adder", "vgg_small-xnor", "edsr_x2-winograd", "ghostnet")
COMMAND = (sys.executable, "-c", "from hwgen.cli import main; main()", "estimate")


def measured(network: str) -> tuple[float, float, float]:
    """Seconds on the clock, seconds of processor, and MiB at the peak, of one command."""
    start = time.perf_counter()
    child = subprocess.Popen((*COMMAND, network), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"hwgen estimate {network} ended with {child.returncode}.")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Print a row a network; the first run, which compiles Python's files, is not shown."""
    networks = sys.argv[1:] or NETWORKS
    measured(networks[0])
    table = Table("network", "seconds", "processor seconds", "MiB", box=None)
    for network in networks:
        clock, processor, memory = measured(network)
        table.add_row(network, f"{clock:.2f}", f"{processor:.2f}", f"{memory:.0f}")
    table.caption = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    Console(width=80, highlight=False).print(table)


if __name__ == "__main__":
    main()
