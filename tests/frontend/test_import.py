"""Import of modules that are supported: names, values, and that nothing is changed."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from hwgen.errors import CheckFailed, InputError
from hwgen.frontend import from_torch
from hwgen.frontend.check import compare
from hwgen.frontend.names import Names
from hwgen.ir.evaluate import evaluate
from hwgen.ir.serialize import load_graph, save_graph

from .nets import Everything, adder2d, settled, small


def test_every_operator():
    module, example = settled(Everything()), torch.rand(2, 2, 9, 9)
    graph = from_torch(module, example)
    assert [node.name for node in graph.nodes] == [
        "image", "conv1", "bn1", "relu", "max_pool2d", "block_0", "block_1", "relu_1",
        "avg_pool2d", "adaptive_avg_pool2d", "view", "add", "fc1", "bn2", "fc2",
    ]  # fmt: skip
    with torch.no_grad():
        expected = module(example).numpy()
    found = evaluate(graph, example.numpy())["fc2"]
    assert np.allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_leaves_the_module_alone():
    module = small().train()
    before = copy.deepcopy(module.state_dict())
    from_torch(module, torch.rand(2, 1, 6, 6))
    assert module.training
    assert all(torch.equal(before[k], v) for k, v in module.state_dict().items())


def test_mean_and_std_are_kept():
    graph = from_torch(small(), torch.rand(1, 1, 6, 6), name="n", mean=(0.5,), std=(0.25,))
    assert (graph.name, graph.input.mean, graph.input.std) == ("n", (0.5,), (0.25,))
    assert graph.input.shape == (1, 6, 6)


def test_graph_files(tmp_path):
    graph = from_torch(small(), torch.rand(1, 1, 6, 6))
    paths = tmp_path / "1-graph.json", tmp_path / "1-tensors.npz"
    save_graph(graph, *paths)
    assert load_graph(*paths) == graph


def test_names_of_sequential_layers():
    graph = from_torch(small(), torch.rand(1, 1, 6, 6))
    assert [node.name for node in graph.nodes[1:3]] == ["layer_0", "layer_1"]


def test_a_module_used_twice_gets_two_names():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.relu = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1), nn.ReLU()

        def forward(self, x):
            return self.relu(self.b(self.relu(self.a(x))))

    graph = from_torch(Twice(), torch.rand(1, 1, 3, 3))
    assert [node.name for node in graph.nodes] == ["image", "a", "relu", "b", "relu_1"]


def test_names_are_verilog_identifiers():
    names = Names()
    assert [names.take(t) for t in ("a.0", "a_0", "0", "wire", "A_0", "é")] == [
        "a_0", "a_0_1", "layer_0", "wire_", "A_0_2", "layer",
    ]  # fmt: skip


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("stride", "padding"), [(1, 1), (2, 0)])
def test_official_adder_layers(bias, stride, padding):
    torch.manual_seed(0)
    module = nn.Sequential(adder2d(2, 3, 3, stride, padding, bias), nn.BatchNorm2d(3)).eval()
    graph = from_torch(module, torch.rand(2, 2, 7, 7))
    assert [node.kind for node in graph.nodes] == ["input", "adder_conv2d", "batch_norm"]
    assert isinstance(module[0], adder2d)


def test_official_adder_layer_alone():
    torch.manual_seed(0)
    graph = from_torch(adder2d(1, 2, 3, bias=True), torch.rand(1, 1, 5, 5))
    assert [node.kind for node in graph.nodes] == ["input", "adder_conv2d", "batch_norm"]


def test_a_relu_behind_a_max_pool_moves_before_it():
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.ReLU()]
    graph = from_torch(nn.Sequential(*layers), torch.rand(1, 1, 10, 10))
    kinds = [node.kind for node in graph.nodes]
    assert kinds == ["input", "conv2d", "relu", "max_pool", "max_pool"]


def test_the_example_may_be_an_array():
    assert from_torch(small(), np.zeros((1, 1, 6, 6), np.float32)).input.shape == (1, 6, 6)


def test_vectors():
    graph = from_torch(nn.Linear(4, 2), torch.rand(3, 4))
    assert (graph.input.shape, graph.output.shape) == ((4,), (2,))


class TestExported:
    def save(self, path, batch):
        shapes = {0: torch.export.Dim("batch", min=1)} if batch is None else None
        example = torch.rand(batch or 2, 1, 6, 6)
        program = torch.export.export(
            small().eval(), (example,), dynamic_shapes=None if shapes is None else (shapes,)
        )
        torch.export.save(program, path)

    @pytest.mark.parametrize("batch", [1, 2, None])
    def test_pt2(self, tmp_path, batch):
        from hwgen.frontend import load_model

        path = tmp_path / "model.pt2"
        self.save(path, batch)
        graph = from_torch(load_model(str(path)), torch.rand(1, 1, 6, 6))
        expected = from_torch(small(), torch.rand(1, 1, 6, 6))
        assert graph.nodes == expected.nodes


def test_a_wrong_graph_is_noticed():
    graph = from_torch(nn.Linear(4, 2), torch.rand(3, 4))
    with pytest.raises(CheckFailed, match="differs from the module by"):
        compare(graph, nn.Linear(4, 2), torch.rand(3, 4))


@pytest.mark.parametrize(
    ("example", "options", "sentence"),
    [
        (torch.rand(1, 6, 6), {}, r"must be floats of shape \(N, C, H, W\)"),
        (torch.zeros(1, 1, 6, 6, dtype=torch.uint8), {}, "must be floats"),
        (torch.rand(1, 1, 6, 6), {"mean": (0.1, 0.2)}, "mean has 2 values, the image 1 channels"),
        (torch.rand(1, 1, 6, 6), {"std": (0.0,)}, "std must be positive"),
        (torch.rand(1, 3, 6, 6), {}, r"fails on an example of shape \(1, 3, 6, 6\)"),
    ],
)
def test_refused_examples(example, options, sentence):
    with pytest.raises(InputError, match=sentence):
        from_torch(small(), example, **options)


def test_refuses_nan_in_weights():
    module = small()
    module[0].weight.data[0] = float("nan")
    with pytest.raises(InputError, match=r"0\.weight holds NaN"):
        from_torch(module, torch.rand(1, 1, 6, 6))
