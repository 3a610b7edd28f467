"""Images files and recipes."""

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.inputs import load_images, load_recipe, to_real

GOOD = np.zeros((2, 1, 3, 3), np.uint8)
NAN = np.full((1, 1, 2, 2), np.nan, np.float32)


def test_images(tmp_path):
    np.savez(tmp_path / "x.npz", images=GOOD, labels=np.array([1, 2]))
    found = load_images(tmp_path / "x.npz")
    assert len(found) == 2
    assert found.labels is not None
    assert found.labels.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"x": GOOD}, r"has no array 'images' \(it holds: x\)"),
        ({"images": GOOD[0]}, r"must have shape \(N, C, H, W\), not \(1, 3, 3\)"),
        ({"images": GOOD.astype(float)}, "must be uint8 or float32, not float64"),
        ({"images": GOOD[:0]}, "is empty"),
        ({"images": NAN}, "holds NaN or infinity"),
        ({"images": GOOD, "labels": np.array([1])}, "'labels' must be 2 integers"),
        ({"images": GOOD, "labels": np.array([1.0, 2.0])}, "'labels' must be 2 integers"),
    ],
)
def test_refused_images(tmp_path, arrays, sentence):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(InputError, match=sentence):
        load_images(tmp_path / "x.npz")


def test_refused_images_files(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_images(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(InputError, match=r"is not a readable .npz"):
        load_images(tmp_path / "text.npz")
    np.save(tmp_path / "one.npy", GOOD)
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    with pytest.raises(InputError, match=r"is not a readable .npz"):
        load_images(tmp_path / "one.npz")


def test_real_values():
    pixels = np.array([0, 51, 255], np.uint8).reshape(3, 1, 1, 1)
    assert np.allclose(to_real(pixels, (0.2,), (0.5,)).ravel(), [-0.4, 0, 1.6])
    real = np.ones((1, 2, 1, 1), np.float32)
    assert np.array_equal(to_real(real, (0.2,), (0.5,)), real)


def test_recipe(tmp_path):
    assert load_recipe(tmp_path).mean == (0.0,)
    (tmp_path / "recipe.toml").write_text(
        "[input]\nmean = 0.1\nshape = [1, 2, 2]\n[other]\na = 1\n"
    )
    recipe = load_recipe(tmp_path)
    assert (recipe.mean, recipe.std, recipe.shape) == ((0.1,), (1.0,), (1, 2, 2))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[input]\nmeans = [0.1]", r"\[input\] has no key 'means'; did you mean 'mean'"),
        ("[input]\nquux = 1", "valid names are mean, std, shape"),
        ("[input]\nstd = [0.0]", "std is refused: Value error, must be positive"),
        ("[input]\nmean = 'a'", "mean is refused"),
        ("input = 3", r"must be a table, written \[input\]"),
        ("[input", "is not valid TOML"),
    ],
)
def test_refused_recipes(tmp_path, text, sentence):
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(InputError, match=sentence):
        load_recipe(tmp_path)
