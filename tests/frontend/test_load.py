"""Models and weights named on the command line."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from hwgen.errors import InputError
from hwgen.frontend import load_model, load_weights

NETWORK = """
import neighbour
from torch import nn

def tiny():
    return nn.Linear(neighbour.SIZE, 2)

def broken():
    raise RuntimeError("no data")

def number():
    return 3
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "neighbour.py").write_text("SIZE = 3\n")
    (tmp_path / "network.py").write_text(NETWORK)
    return tmp_path / "network.py"


def test_factory(file):
    assert isinstance(load_model(f"{file}:tiny"), nn.Linear)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("tinny", "has no 'tinny'; did you mean tiny"),
        ("broken", "raised RuntimeError: no data; it must work without arguments"),
        ("number", "gave int; it must return an nn.Module"),
    ],
)
def test_refused_factories(file, name, sentence):
    with pytest.raises(InputError, match=sentence):
        load_model(f"{file}:{name}")


def test_refused_files(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_model(f"{tmp_path}/none.py:net")
    with pytest.raises(InputError, match=r"is written file.py:factory or file.pt2"):
        load_model("network")
    with pytest.raises(InputError, match=r"does not exist; write it with torch.export.save"):
        load_model(f"{tmp_path}/none.pt2")
    (tmp_path / "bad.py").write_text("1/0\n")
    with pytest.raises(InputError, match="fails when imported: ZeroDivisionError"):
        load_model(f"{tmp_path}/bad.py:net")
    (tmp_path / "bad.pt2").write_text("x")
    with pytest.raises(InputError, match=r"no program that torch.export can load"):
        load_model(f"{tmp_path}/bad.pt2")


def _save(state, path):
    if path.suffix == ".npz":
        np.savez(path, **{name: value.numpy() for name, value in state.items()})
    elif path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)


class TestWeights:
    @pytest.mark.parametrize("suffix", [".pt", ".npz", ".safetensors"])
    def test_formats(self, tmp_path, suffix):
        source, target = (nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)) for _ in "ab")
        _save(source.state_dict(), tmp_path / f"w{suffix}")
        load_weights(target, tmp_path / f"w{suffix}")
        assert torch.equal(source[0].weight, target[0].weight)

    def test_data_parallel_and_wrapped(self, tmp_path):
        source, target = nn.Linear(3, 2), nn.Linear(3, 2)
        state = {f"module.{name}": value for name, value in source.state_dict().items()}
        torch.save({"state_dict": state, "epoch": 3}, tmp_path / "w.pt")
        load_weights(target, tmp_path / "w.pt")
        assert torch.equal(source.weight, target.weight)

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"weight": None}, "missing: weight"),
            ({"more": torch.zeros(1)}, "unexpected: more"),
            ({"weight": torch.zeros(2, 4)}, r"of another shape: weight \(2, 4\) for \(2, 3\)"),
            ({"bias": torch.tensor([0.0, float("nan")])}, "holding NaN or infinity: bias"),
        ],
    )
    def test_refused_arrays(self, tmp_path, change, sentence):
        state = {k: v for k, v in (nn.Linear(3, 2).state_dict() | change).items() if v is not None}
        torch.save(state, tmp_path / "w.pt")
        with pytest.raises(InputError, match=sentence):
            load_weights(nn.Linear(3, 2), tmp_path / "w.pt")

    def test_refused_files(self, tmp_path):
        module = nn.Linear(3, 2)
        with pytest.raises(InputError, match="must end in"):
            load_weights(module, tmp_path / "w.txt")
        with pytest.raises(InputError, match="does not exist"):
            load_weights(module, tmp_path / "w.npz")
        torch.save(module, tmp_path / "w.pt")  # a pickled module is code
        with pytest.raises(InputError, match="cannot be read as weights"):
            load_weights(module, tmp_path / "w.pt")
        torch.save([1], tmp_path / "list.pt")
        with pytest.raises(InputError, match="holds no state dict"):
            load_weights(module, tmp_path / "list.pt")
