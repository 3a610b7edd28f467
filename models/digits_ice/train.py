"""Train the small digits network; `python -m models.digits_ice.train` rewrites weights.npz."""

from pathlib import Path

from models.common import main
from models.digits_ice.network import digits_ice

if __name__ == "__main__":
    main(Path(__file__).parent, digits_ice)
