"""Import of graphs with branches and of every layer family."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hwgen.frontend import from_torch
from hwgen.frontend.importer import RULES
from hwgen.ir import nodes as ir
from hwgen.ir.evaluate import evaluate
from hwgen.ir.serialize import load_graph, save_graph
from hwgen.nn import (
    AdderConv2d,
    BinaryWeightConv2d,
    BinaryWeightLinear,
    GhostModule,
    GhostShift2d,
    Pow2Conv2d,
    PowerActivation,
    QuantReLU,
    SelfShortcut,
    Sign,
    WinogradAdderConv2d,
    XnorConv2d,
    XnorLinear,
)

from .nets import settled

X = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))


class Function(nn.Module):
    """A function of one tensor as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Block(nn.Module):
    """AdderNet's residual block; its shortcut is a 1x1 adder layer of the block's stride."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = AdderConv2d(inputs, outputs, 3, stride, 1)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = AdderConv2d(outputs, outputs, 3, 1, 1)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1:
            shortcut = AdderConv2d(inputs, outputs, 1, stride)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


def imported(module, x=X):
    """The graph, compared with torch in float64 here too."""
    graph = from_torch(module, x)
    found = evaluate(graph, x.double().numpy())[graph.output.name]
    with torch.no_grad():
        expected = module.double().eval()(x.double())
    module.float()
    assert np.allclose(found, expected.numpy(), rtol=1e-9, atol=1e-9)
    return graph


def kinds(graph):
    return [node.kind for node in graph.nodes[1:]]


def only(graph, kind):
    (node,) = [node for node in graph.nodes if isinstance(node, kind)]
    return node


def test_residual_blocks():
    torch.manual_seed(0)
    graph = imported(settled(nn.Sequential(Block(4, 4, 1), Block(4, 6, 2))))
    assert [(n.name, n.inputs) for n in graph.nodes if n.kind == "add"] == [
        ("layer_0_add", ("layer_0_bn2", "image")),
        ("layer_1_add", ("layer_1_bn2", "layer_1_downsample_1")),
    ]
    readers = {node.name for node in graph.users("layer_0_relu_1")}
    assert readers == {"layer_1_conv1", "layer_1_downsample_0"}


def test_graph_files(tmp_path):
    graph = imported(settled(Block(4, 6, 2)))
    paths = tmp_path / "1-graph.json", tmp_path / "1-tensors.npz"
    save_graph(graph, *paths)
    assert load_graph(*paths) == graph


def test_add_to_itself():
    node = only(imported(Function(lambda x: x + x)), ir.Add)
    assert node.inputs == ("image", "image")


def test_what_is_overwritten_in_place_is_read_as_written():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.bn = nn.BatchNorm2d(4)

        def forward(self, x):
            y = F.dropout(self.bn(x), training=False)
            z = torch.relu_(y)
            return z + y  # y is no longer the batch norm's output

    node = only(imported(settled(Net())), ir.Add)
    assert node.inputs == ("relu", "relu")


def test_the_example_is_not_overwritten():
    x = X.clone()
    from_torch(Function(lambda t: t.mul_(2)), x)
    assert torch.equal(x, X)


def test_affines_read_twice_are_not_merged():
    def branches(x):
        y = x * 2
        return torch.cat([y + 1, y * 3], 1)

    assert kinds(imported(Function(branches))) == ["batch_norm"] * 3 + ["concat"]
    one = imported(Function(lambda x: (x * 2 + 1) * 3))
    assert kinds(one) == ["batch_norm"]


def test_relus_and_signs_read_twice_are_not_merged():
    def branches(x):
        y = torch.relu(x)
        return torch.cat([y.relu(), y], 1)

    assert kinds(imported(Function(branches))) == ["relu", "relu", "concat"]
    assert kinds(imported(nn.Sequential(Sign(), Sign()))) == ["sign"]


def test_a_max_pool_read_twice_keeps_its_relu_behind():
    def branches(x):
        y = F.max_pool2d(x, 2)
        return y.relu() + y

    assert kinds(imported(Function(branches))) == ["max_pool", "relu", "add"]


def test_a_relu_moves_before_the_pool_inside_a_branch():
    def branches(x):
        return F.max_pool2d(x, 2).relu() + F.avg_pool2d(x, 2)

    graph = imported(Function(branches))
    assert kinds(graph) == ["relu", "max_pool", "avg_pool", "add"]
    assert graph["add"].inputs == ("max_pool2d", "avg_pool2d")


SLICES = [
    (lambda x: x[:, 1:3], (1, 3)),
    (lambda x: x[:, -1:], (3, 4)),
    (lambda x: x[:, :-2], (0, 2)),
    (lambda x: x.narrow(1, 2, 2), (2, 4)),
    (lambda x: x.split(3, 1)[1], (3, 4)),
    (lambda x: x.split([1, 2, 1], 1)[1], (1, 3)),
    (lambda x: x.split([1, 2, 1], -3)[-1], (3, 4)),
    (lambda x: x.chunk(2, 1)[1], (2, 4)),
    (lambda x: x.tensor_split(2, 1)[0], (0, 2)),
]


@pytest.mark.parametrize(("function", "span"), SLICES)
def test_slices(function, span):
    node = only(imported(Function(function)), ir.Slice)
    assert (node.start, node.stop) == span


def test_slices_that_keep_all_vanish():
    for function in (lambda x: x[:], lambda x: x.chunk(1, 1)[0], lambda x: torch.cat([x], 1)):
        assert kinds(imported(Function(lambda x, f=function: f(x) * 2))) == ["batch_norm"]


def test_vectors_add_concatenate_and_slice():
    def function(x):
        y = x.flatten(1)
        return torch.cat([y[:, 10:20] + y[:, :10], y], -1)

    graph = imported(Function(function))
    assert kinds(graph) == ["flatten", "slice", "slice", "add", "concat"]
    assert graph.output.shape == (266,)


@pytest.mark.parametrize(
    ("module", "kind", "shape", "factor"),
    [
        (nn.PixelShuffle(2), "pixel_shuffle", (1, 16, 16), 2),
        (nn.Upsample(scale_factor=2), "upsample_nearest", (4, 16, 16), 2),
        (nn.Upsample(size=(24, 24)), "upsample_nearest", (4, 24, 24), 3),
    ],
)
def test_shuffles_and_upsampling(module, kind, shape, factor):
    node = imported(module).output
    assert isinstance(node, ir.PixelShuffle | ir.UpsampleNearest)
    assert (node.kind, node.shape, node.factor) == (kind, shape, factor)


@pytest.mark.parametrize(
    ("module", "function", "parameters"),
    [
        (nn.PReLU(), "prelu", [0.25]),
        (nn.PReLU(4), "prelu", [0.25] * 4),
        (nn.LeakyReLU(0.1), "prelu", [0.1]),
        (nn.Hardswish(), "hardswish", None),
        (PowerActivation(4), "power", [1, 2, 0.5, 1]),
        (PowerActivation(), "power", [1]),
    ],
)
def test_activations(module, function, parameters):
    if isinstance(module, PowerActivation) and module.channels == 4:
        module.log_alpha.data = torch.tensor([1, 2, 0.5, 1]).log()
    graph = imported(module)
    node = only(graph, ir.Activation)
    assert node.function == function
    if parameters is None:
        assert node.parameter is None
    else:
        assert np.allclose(graph.tensors[node.parameter], parameters)


@pytest.mark.parametrize("keepdim", [True, False])
def test_mean_over_the_image(keepdim):
    graph = imported(Function(lambda x: x.mean((-1, 2), keepdim=keepdim)))
    assert kinds(graph) == ["avg_pool", "flatten"][: 2 - keepdim]
    assert graph.nodes[1].kernel == (8, 8)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_groups(groups):
    node = only(imported(nn.Conv2d(4, 8, 3, 2, 1, groups=groups)), ir.Conv2d)
    assert node.groups == groups


@pytest.mark.parametrize("pad", ["zero", "plus", "minus"])
def test_xnor(pad):
    torch.manual_seed(0)
    net = nn.Sequential(XnorConv2d(4, 6, 3, 2, 1, pad, bias=True), nn.BatchNorm2d(6))
    graph = imported(settled(net))
    assert kinds(graph) == ["sign", "xnor_conv2d", "batch_norm"]
    assert [node.name for node in graph.nodes[1:]] == ["layer_0_sign", "layer_0", "layer_1"]
    node = only(graph, ir.XnorConv2d)
    assert node.pad == pad
    assert set(np.unique(graph.tensors[node.weight])) == {-1, 1}


def test_a_binary_network():
    torch.manual_seed(0)
    net = nn.Sequential(
        BinaryWeightConv2d(4, 8, 3, bias=True), nn.BatchNorm2d(8), Sign(), nn.MaxPool2d(2),
        XnorConv2d(8, 8, 3), nn.BatchNorm2d(8), QuantReLU(2), nn.Flatten(),
        BinaryWeightLinear(8, 16), nn.BatchNorm1d(16), XnorLinear(16, 5, bias=True),
    )  # fmt: skip
    graph = imported(settled(net))
    assert kinds(graph) == [
        "conv2d", "batch_norm", "sign", "max_pool", "sign", "xnor_conv2d", "batch_norm",
        "quant_relu", "flatten", "linear", "batch_norm", "sign", "xnor_linear", "batch_norm",
    ]  # fmt: skip
    for kind in (ir.Conv2d, ir.Linear):
        assert set(np.unique(graph.tensors[only(graph, kind).weight])) == {-1, 1}
    assert only(graph, ir.QuantRelu).step == pytest.approx(0.8 / 3**0.5)


def test_pow2():
    node = only(graph := imported(Pow2Conv2d(4, 6, (3, 2), (2, 1), (1, 0))), ir.Pow2Conv2d)
    assert (node.kernel, node.stride, node.padding) == ((3, 2), (2, 1), (1, 0))
    powers = np.log2(np.abs(w := graph.tensors[node.weight])[w != 0])
    assert np.array_equal(powers, powers.round())


@pytest.mark.parametrize("variant", range(4))
@pytest.mark.parametrize(("size", "padding"), [((8, 8), 1), ((7, 6), (0, 1)), ((5, 5), 1)])
def test_winograd(size, padding, variant):
    torch.manual_seed(variant)
    layer = WinogradAdderConv2d(4, 3, padding, variant)
    node = only(imported(layer, torch.randn(2, 4, *size)), ir.WinogradAdderConv2d)
    assert node.variant == variant


@pytest.mark.parametrize("per_channel", [False, True])
def test_ghost_shift(per_channel):
    torch.manual_seed(1)
    layer = GhostShift2d(AdderConv2d(4, 6, 3, padding=1), 4, per_channel)
    graph = imported(layer)
    assert [(node.kind, node.inputs) for node in graph.nodes[1:]] == [
        ("adder_conv2d", ("image",)),
        ("slice", ("intrinsic",)),
        ("shift2d", ("slice",)),
        ("concat", ("intrinsic", "shift2d")),
    ]
    assert len(only(graph, ir.Shift2d).offsets) == (4 if per_channel else 1)


def test_names_inside_composed_layers():
    net = nn.Sequential(GhostShift2d(nn.Conv2d(4, 2, 1), 2), SelfShortcut(nn.Conv2d(4, 4, 1)))
    names = [node.name for node in imported(net).nodes[1:]]
    assert names == [
        "layer_0_intrinsic", "layer_0_shift2d", "layer_0_cat", "layer_1_layer", "layer_1_add",
    ]  # fmt: skip


@pytest.mark.parametrize("out", [6, 7])
def test_ghost_module(out):
    graph = imported(settled(GhostModule(4, out)))
    want = ["conv2d", "batch_norm", "relu"] * 2 + ["concat"] + ["slice"] * (out % 2)
    assert kinds(graph) == want


def test_super_resolution():
    torch.manual_seed(0)
    block = nn.Sequential(GhostShift2d(nn.Conv2d(4, 2, 3, padding=1), 2), nn.ReLU())
    net = nn.Sequential(SelfShortcut(block), nn.Conv2d(4, 4, 3, padding=1), nn.PixelShuffle(2))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            return self.net(x) + F.interpolate(x, scale_factor=2)[:, :1]

    graph = imported(Net())
    assert graph.output.kind == "add"
    assert [graph[name].kind for name in graph.output.inputs] == ["pixel_shuffle", "slice"]


def test_exported_programs_are_compared_in_float64():
    """A batch norm whose output lies at the step of the sign, but for rounding in float32."""
    net = nn.Sequential(nn.Conv2d(4, 8, 3), Sign(), nn.Conv2d(8, 2, 1)).eval()
    program = torch.export.export(net, (X,), strict=False)
    assert kinds(from_torch(program, X)) == ["conv2d", "sign", "conv2d"]


def test_every_rule_belongs_to_an_operator():
    for name in RULES:
        if name != "getitem":
            space, operator = name.split("::")
            assert hasattr(getattr(torch.ops, space), operator), name
