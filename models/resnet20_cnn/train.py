"""Train ResNet-20 with ordinary convolutions; `python -m models.resnet20_cnn.train`."""

from pathlib import Path

from models.common import main
from models.resnet20_cnn.network import resnet20_cnn

if __name__ == "__main__":
    main(Path(__file__).parent, resnet20_cnn)
