"""Train LeNet-5 with adder layers; `python -m models.lenet5_adder.train` rewrites weights.npz."""

from pathlib import Path

from models.common import main
from models.lenet5_adder.network import lenet5_adder

if __name__ == "__main__":
    main(Path(__file__).parent, lenet5_adder)
