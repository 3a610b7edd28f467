"""Train the binary network CNV; `python -m models.cnv_xnor.train` rewrites weights.npz."""

from pathlib import Path

from models.cnv_xnor.network import cnv_xnor
from models.common import main

if __name__ == "__main__":
    main(Path(__file__).parent, cnv_xnor)
