"""Check random graphs, one seed after the other, until time is up or one fails.

Run from the root of the repository: python -m scripts.fuzz --seconds 600 --seed 1
"""

import argparse
import sys
import time
import traceback
from itertools import count
from random import Random

from tests import ladder
from tests.random_graphs import Sample, random_sample


def main() -> int:
    """Say how many seeds were right; at the first wrong one, how to see it again."""
    options = _options()
    end = time.monotonic() + options.seconds
    for seed in count(options.seed):
        if not _passes(seed):
            return 1
        checked = seed - options.seed + 1
        if checked == options.count or time.monotonic() > end:
            print(f"seeds {options.seed} to {seed}: {checked} random graphs agree on all levels")
            return 0
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="time to spend")
    parser.add_argument("--seed", type=int, default=1, help="first seed")
    parser.add_argument("--count", type=int, help="seeds at most")
    return parser.parse_args()


def _passes(seed: int) -> bool:
    sample: Sample | None = None
    try:
        sample = random_sample(Random(seed))
        ladder.check(sample)
    except Exception:
        traceback.print_exc()
        print(f"\n{sample}\n\nseed {seed} fails: python -m scripts.fuzz --seed {seed} --count 1")
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
