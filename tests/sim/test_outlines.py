"""Networks by name against published counts, a PyTorch definition, and layers counted by hand."""

import re
from collections import Counter
from math import prod

import numpy as np
import pytest

from hwgen.errors import InputError
from hwgen.frontend import from_torch
from hwgen_sim.graph_energy import Numbers, graph_actions
from hwgen_sim.outlines import NETWORKS, OPERATORS, outline
from models.resnet20_adder.network import resnet20_adder

FP32 = Numbers.parse("fp32")


def products(graph):
    found = [a for actions in graph_actions(graph, FP32).values() for a in actions]
    kernel = [a for a in found if a.component == "lanes" and a.kind == "float_multiply"]
    return sum(action.count for action in kernel)


def basic_stages(depth):
    """Products of ResNet-20 and 32: depth blocks of two layers at 16, 32 and 64 channels."""
    first = 3 * 16 * 9 * 32**2
    same = 16 * 16 * 9 * 32**2  # of every layer inside a stage: half the pixels, twice the channels
    entry = same // 2 + 16 * 32 * 16**2  # half as many inputs, and the shortcut
    return first + 2 * depth * same + 2 * ((2 * depth - 1) * same + entry) + 640


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet20", basic_stages(3)),
        ("resnet32", basic_stages(5)),
        # 1.814 and 4.089 G: figures that torchvision publishes with its weights
        ("resnet18", 1_814_073_344),
        ("resnet50", 4_089_184_256),
        ("vgg_small", 9 * (3 * 128 + 128 * 128) * 1024 + 9 * (128 + 256) * 256 * 256
         + 9 * (256 + 512) * 512 * 64 + 8192 * 10),
        ("edsr_x2", 9 * 360 * 640 * (3 * 256 + 65 * 256**2 + 4 * 256**2 + 4 * 256 * 3)),
    ],
)  # fmt: skip
def test_products_are_those_of_the_layers(name, expected):
    assert products(outline(name)) == expected


@pytest.mark.slow  # torch.export
def test_the_outline_is_the_network_that_people_train():
    image = np.random.default_rng(0).standard_normal((1, 3, 32, 32)).astype(np.float32)
    imported = from_torch(resnet20_adder(), image)
    outlined = outline("resnet20-adder")

    def counted(graph):
        found = Counter()
        for actions in graph_actions(graph, Numbers()).values():
            for a in actions:
                if a.component in ("lanes", "accumulate", "sum"):
                    found[a.component, a.kind, a.bits] += a.count
        return found

    assert counted(imported) == counted(outlined)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_has_every_operator(name, operator):
    graph = outline(f"{name}-{operator}")
    names = [node.name for node in graph.nodes]
    assert len(names) == len(set(names))
    for number, node in enumerate(graph.nodes):
        assert set(node.inputs) <= set(names[:number])
        assert prod(node.shape) > 0
    kinds = {node.kind for node in graph.nodes}
    own = {
        "multiply": "conv2d",
        "adder": "adder_conv2d",
        "winograd": "adder_conv2d" if name == "ghostnet" else "winograd_adder_conv2d",
        "xnor": "xnor_conv2d",
        "shift": "pow2_conv2d",
    }
    assert own[operator] in kinds


def test_first_and_last_layer_multiply():
    layers = [n.kind for n in outline("resnet18-xnor").nodes if hasattr(n, "weight")]
    assert layers[0] == "conv2d"
    assert layers[-1] == "linear"
    assert set(layers[1:-1]) == {"xnor_conv2d"}


def test_another_image_has_other_shapes():
    assert outline("resnet18", (3, 64, 64)).nodes[1].shape == (64, 32, 32)
    assert outline("edsr_x4", (3, 8, 10)).output.shape == (3, 32, 40)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("resnet19", "There is no network 'resnet19'; did you mean 'resnet18'?"),
        ("resnet18-addr", "There is no operator 'addr'; did you mean 'adder'?"),
        ("zzz", "There is no network 'zzz'; the networks are resnet18, "),
    ],
)
def test_unknown_names_are_refused(name, sentence):
    with pytest.raises(InputError, match="^" + re.escape(sentence)):
        outline(name)
