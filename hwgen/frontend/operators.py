"""Which operators become which graph nodes, one rule each, and why others do not."""

from collections.abc import Callable, Mapping

import numpy as np

from hwgen.frontend.affine import add, divide, multiply, subtract
from hwgen.frontend.call import Call, Refused, no_dilation, pair, rank
from hwgen.frontend.own import OWN_RULES
from hwgen.frontend.pooling import adaptive_avg_pool2d, avg_pool2d, max_pool2d, mean
from hwgen.frontend.rearrange import (
    SPLITS,
    concat,
    narrow,
    part,
    pixel_shuffle,
    slice_,
    split,
    upsample,
)
from hwgen.ir.nodes import Activation, AnyNode, BatchNorm, Conv2d, Flatten, Linear, Relu

__all__ = ["REWRITES", "RULES", "Made"]

Made = AnyNode | tuple[AnyNode, ...] | None
"""What a rule makes of an operator: a node, several in a row, or nothing."""


def _conv2d(call: Call) -> AnyNode:
    args = call.args
    no_dilation(call)
    if args.get("transposed"):
        raise Refused("transposed convolution is not supported", "use a plain convolution")
    rank(call, 4)
    weight, bias = call.array("weight"), call.optional("bias")
    stride = pair(args["stride"])
    return Conv2d(
        **call.base,
        kernel=pair(weight.shape[2:]),
        stride=stride,
        padding=_conv_padding(call, pair(weight.shape[2:])),
        weight=call.keep("weight", weight),
        bias=None if bias is None else call.keep("bias", bias),
        groups=args["groups"],
    )


def _conv_padding(call: Call, kernel: tuple[int, int]) -> tuple[int, int]:
    padding = call.args["padding"]
    if padding == "valid":
        return 0, 0
    if padding != "same":
        return pair(padding)
    if kernel[0] % 2 == 0 or kernel[1] % 2 == 0:
        raise Refused("padding='same' with an even kernel is lopsided", "give padding as a number")
    return kernel[0] // 2, kernel[1] // 2


def _linear(call: Call) -> AnyNode:
    rank(call, 2)
    bias = call.optional("bias")
    return Linear(
        **call.base,
        weight=call.keep("weight", call.array("weight")),
        bias=None if bias is None else call.keep("bias", bias),
    )


def _batch_norm(call: Call) -> AnyNode:
    if call.args["training"] or call.args["running_mean"] is None:
        raise Refused(
            "it normalizes with the statistics of the batch",
            "use track_running_stats=True and export in eval mode",
        )
    mean, var = call.array("running_mean"), call.array("running_var")
    weight, bias = call.optional("weight"), call.optional("bias")
    gain = (1.0 if weight is None else weight) / np.sqrt(var + call.args["eps"])
    offset = (0.0 if bias is None else bias) - mean * gain
    return BatchNorm(**call.base, gain=call.keep("gain", gain), offset=call.keep("offset", offset))


def _relu(call: Call) -> AnyNode:
    return Relu(**call.base)


def _prelu(call: Call) -> AnyNode:
    slope = call.keep("parameter", call.array("weight").reshape(-1))
    return Activation(**call.base, function="prelu", parameter=slope)


def _leaky_relu(call: Call) -> AnyNode:
    slope = call.keep("parameter", np.array([call.args["negative_slope"]]))
    return Activation(**call.base, function="prelu", parameter=slope)


def _hardswish(call: Call) -> AnyNode:
    return Activation(**call.base, function="hardswish")


def _view(call: Call) -> AnyNode | None:
    if call.shape == call.before:
        return None
    if call.shape != (call.before[0], int(np.prod(call.before[1:]))):
        raise Refused(
            f"reshaping {call.before} to {call.shape} is no flatten",
            "keep (N, C, H, W), or use flatten(1)",
        )
    return Flatten(**call.base)


def _identity(call: Call) -> None:
    if call.args.get("train"):
        raise Refused("dropout is in training mode", "export in eval mode")
    if call.shape != call.before:
        raise Refused(f"it turns {call.before} into {call.shape}", "keep the shape")


RULES: Mapping[str, Callable[[Call], Made]] = (
    {
        "aten::conv2d": _conv2d,
        "aten::convolution": _conv2d,
        "aten::linear": _linear,
        "aten::batch_norm": _batch_norm,
        "aten::relu": _relu,
        "aten::relu_": _relu,
        "aten::prelu": _prelu,
        "aten::leaky_relu": _leaky_relu,
        "aten::leaky_relu_": _leaky_relu,
        "aten::hardswish": _hardswish,
        "aten::hardswish_": _hardswish,
        "aten::max_pool2d": max_pool2d,
        "aten::avg_pool2d": avg_pool2d,
        "aten::adaptive_avg_pool2d": adaptive_avg_pool2d,
        "aten::mean": mean,
        "aten::cat": concat,
        "aten::slice": slice_,
        "aten::narrow": narrow,
        "getitem": part,
        "aten::pixel_shuffle": pixel_shuffle,
        "aten::upsample_nearest2d": upsample,
        "aten::add": add,
        "aten::add_": add,
        "aten::sub": subtract,
        "aten::mul": multiply,
        "aten::mul_": multiply,
        "aten::div": divide,
    }
    | OWN_RULES
    | dict.fromkeys(SPLITS, split)
    | {
        f"aten::{name}": _view
        for name in (
            "flatten",
            "view",
            "reshape",
            "_unsafe_view",
            "squeeze",
            "unsqueeze",
            "unflatten",
        )
    }
    | {
        f"aten::{name}": _identity
        for name in (
            "dropout",
            "dropout_",
            "feature_dropout",
            "alias",
            "detach",
            "contiguous",
            "clone",
        )
    }
)

_NO_SOFTMAX = "remove it for inference; the largest score stays the largest"
_TO_RELU = "use ReLU, PReLU, hard-swish or hwgen.nn.QuantReLU"
_TO_TRAINING_IR = "export without run_decompositions()"

REWRITES: dict[str, str] = {
    "aten::log_softmax": _NO_SOFTMAX,
    "aten::softmax": _NO_SOFTMAX,
    "aten::_softmax": _NO_SOFTMAX,
    "aten::_log_softmax": _NO_SOFTMAX,
    "aten::sigmoid": _TO_RELU,
    "aten::tanh": _TO_RELU,
    "aten::gelu": _TO_RELU,
    "aten::silu": _TO_RELU,
    "aten::hardtanh": _TO_RELU,
    "aten::elu": _TO_RELU,
    "aten::relu6": _TO_RELU,
    "aten::upsample_bilinear2d": "use nearest upsampling, or pixel shuffle",
    "aten::upsample_bicubic2d": "use nearest upsampling, or pixel shuffle",
    "aten::select": "keep the axis: x[:, c : c + 1] in place of x[:, c]",
    "aten::stack": "concatenate along the channels with torch.cat(..., 1)",
    "hwgen::winograd_power_conv2d": "end the training with set_exponent(1)",
    "aten::conv1d": "use nn.Conv2d with a (k, 1) kernel",
    "aten::max_pool1d": "use nn.MaxPool2d with a (k, 1) window",
    "aten::adaptive_max_pool2d": "use nn.MaxPool2d with a fixed kernel",
    "aten::pad": "use the padding of the layer, with zeros",
    "aten::group_norm": "use nn.BatchNorm2d, which folds into a requantize node",
    "aten::layer_norm": "use nn.BatchNorm2d, which folds into a requantize node",
    "aten::instance_norm": "use nn.BatchNorm2d, which folds into a requantize node",
    "aten::addmm": _TO_TRAINING_IR,
    "aten::max_pool2d_with_indices": _TO_TRAINING_IR,
    "aten::_native_batch_norm_legit_no_training": _TO_TRAINING_IR,
    "aten::_native_batch_norm_legit_functional": "export in eval mode",
}
