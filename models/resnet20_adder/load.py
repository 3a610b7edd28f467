"""Give the network trained weights, and measure its float accuracy on labelled images."""

import argparse
from pathlib import Path

import numpy as np
import torch
from network import MEAN, STD, from_official, resnet20_adder
from torch import nn


def load(path: Path) -> nn.Sequential:
    """The network with the arrays of an .npz file under official or own names, in eval mode."""
    model = resnet20_adder()
    with np.load(path) as arrays:
        model.load_state_dict(from_official({name: arrays[name] for name in arrays.files}))
    return model.eval()


def accuracy(model: nn.Module, images: np.ndarray, labels: np.ndarray, batch: int = 50) -> float:
    """Percent of uint8 ``images`` (N, 3, 32, 32) that the network puts in their class."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    right = 0
    with torch.no_grad():
        for start in range(0, len(images), batch):
            pixels = torch.from_numpy(images[start : start + batch]).float()
            classes = model((pixels / 255 - mean) / std).argmax(1).numpy()
            right += int((classes == labels[start : start + batch]).sum())
    return 100 * right / len(images)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help=".npz, official names")
    parser.add_argument("--images", type=Path, help=".npz with images (uint8) and labels")
    parser.add_argument("--out", type=Path, help="write the weights as an .npz for hwgen")
    args = parser.parse_args()
    model = load(args.weights)
    if args.out:
        arrays = {name: value.numpy() for name, value in model.state_dict().items()}
        np.savez_compressed(args.out, **arrays)
    if args.images:
        with np.load(args.images) as data:
            print(f"{accuracy(model, data['images'], data['labels']):.2f} %")


if __name__ == "__main__":
    main()
