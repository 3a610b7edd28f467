"""Train the binary digits network; `python -m models.digits_xnor.train` rewrites weights.npz."""

from pathlib import Path

from models.common import main
from models.digits_xnor.network import digits_xnor

if __name__ == "__main__":
    main(Path(__file__).parent, digits_xnor)
