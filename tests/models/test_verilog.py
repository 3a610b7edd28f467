"""The Verilog of every committed network computes what its golden model computes."""

import numpy as np
import pytest

from models import accuracy, common
from models.edsr_ghost import data, integers, train
from tests.models.hardware import check_verilog, is_as_fast_as_its_slowest_node

pytestmark = pytest.mark.slow

IMAGES = 3


@pytest.mark.parametrize(
    ("name", "cycles"),
    [
        ("lenet5_adder", 30_000),
        ("digits_xnor", 30_000),
        ("digits_ice", 30_000),
        ("cnv_xnor", 100_000),
        ("resnet20_winograd", 100_000),
        ("resnet20_cnn", 100_000),
    ],
)
def test_classifier(name, cycles, tmp_path):
    recipe = common.load_recipe(accuracy.ROOT / name)
    images = common.load_data(recipe)
    graph = accuracy.quantized(accuracy.imported(name), images, recipe)
    plan = check_verilog(graph, images.held_out.images[:IMAGES], cycles, tmp_path)
    assert is_as_fast_as_its_slowest_node(plan)


@pytest.mark.parametrize("name", list(train.FACTORIES))
def test_doubling(name, tmp_path):
    recipe = common.load_recipe(train.FOLDER)
    training, held_out = data.load(recipe)
    graph = integers.quantized(name, data.calibration(training, recipe))
    rows, columns = graph.input.shape[1:]
    patches = np.stack([picture.small[None, :rows, :columns] for picture in held_out])
    plan = check_verilog(graph, patches, 100_000, tmp_path)
    assert is_as_fast_as_its_slowest_node(plan)
