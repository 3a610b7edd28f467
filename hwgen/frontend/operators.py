"""Which operators become which graph nodes, one rule each, and why others do not."""

from collections.abc import Callable
from typing import Any

import numpy as np

from hwgen.frontend.affine import add, divide, multiply, subtract
from hwgen.frontend.call import Call, Refused, pair
from hwgen.ir.nodes import (
    AdderConv2d,
    AdderLinear,
    AnyNode,
    AvgPool,
    BatchNorm,
    Conv2d,
    Flatten,
    Linear,
    MaxPool,
    Relu,
)

__all__ = ["REWRITES", "RULES"]


def _conv2d(call: Call) -> AnyNode:
    args = call.args
    if args["groups"] != 1:
        raise Refused(
            f"groups={args['groups']} is not supported",
            "use groups=1, or one convolution a group in separate models",
        )
    _no_dilation(call)
    if args.get("transposed"):
        raise Refused("transposed convolution is not supported", "use a plain convolution")
    _rank(call, 4)
    weight, bias = call.array("weight"), call.optional("bias")
    stride = pair(args["stride"])
    return Conv2d(
        **call.base,
        kernel=pair(weight.shape[2:]),
        stride=stride,
        padding=_conv_padding(call, pair(weight.shape[2:])),
        weight=call.keep("weight", weight),
        bias=None if bias is None else call.keep("bias", bias),
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
    _rank(call, 2)
    bias = call.optional("bias")
    return Linear(
        **call.base,
        weight=call.keep("weight", call.array("weight")),
        bias=None if bias is None else call.keep("bias", bias),
    )


def _adder_conv2d(call: Call) -> AnyNode:
    weight = call.array("weight")
    return AdderConv2d(
        **call.base,
        kernel=pair(weight.shape[2:]),
        stride=pair(call.args["stride"]),
        padding=pair(call.args["padding"]),
        weight=call.keep("weight", weight),
    )


def _adder_linear(call: Call) -> AnyNode:
    _rank(call, 2)
    return AdderLinear(**call.base, weight=call.keep("weight", call.array("weight")))


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


def _max_pool2d(call: Call) -> AnyNode:
    _no_dilation(call)
    return MaxPool(**call.base, **_window(call))


def _avg_pool2d(call: Call) -> AnyNode:
    window = _window(call)
    if call.args["divisor_override"] is not None:
        raise Refused("divisor_override is not supported", "leave divisor_override out")
    if any(window["padding"]) and not call.args["count_include_pad"]:
        raise Refused("count_include_pad=False is not supported", "use count_include_pad=True")
    return AvgPool(**call.base, **window)


def _adaptive_avg_pool2d(call: Call) -> AnyNode:
    _rank(call, 4)
    size, out = call.before[2:], call.shape[2:]
    if size[0] % out[0] or size[1] % out[1]:
        raise Refused(
            f"adaptive pooling from {size[0]}x{size[1]} to {out[0]}x{out[1]} has unequal windows",
            "use an output size that divides the input size",
        )
    kernel = (size[0] // out[0], size[1] // out[1])
    return AvgPool(**call.base, kernel=kernel, stride=kernel)


def _window(call: Call) -> dict[str, Any]:
    _rank(call, 4)
    args = call.args
    kernel, padding = pair(args["kernel_size"]), pair(args["padding"])
    stride = pair(args["stride"]) if args["stride"] else kernel
    for size, out, k, s, p in zip(
        call.before[2:], call.shape[2:], kernel, stride, padding, strict=True
    ):
        if out != (size + 2 * p - k) // s + 1:
            raise Refused(
                f"ceil_mode=True adds a partial window to {size} elements",
                "use ceil_mode=False, or pad or crop the input to whole windows",
            )
    return {"kernel": kernel, "stride": stride, "padding": padding}


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


def _rank(call: Call, rank: int) -> None:
    if len(call.before) != rank:
        layout = "(N, C, H, W)" if rank == 4 else "(N, F)"
        raise Refused(
            f"its input has shape {call.before} and not {layout}",
            "add the batch axis to the example" if rank == 4 else "flatten before it",
        )


def _no_dilation(call: Call) -> None:
    if pair(call.args["dilation"]) != (1, 1):
        raise Refused(
            f"dilation={pair(call.args['dilation'])} is not supported",
            "use dilation=1, with a larger kernel if need be",
        )


RULES: dict[str, Callable[[Call], AnyNode | None]] = (
    {
        "aten::conv2d": _conv2d,
        "aten::convolution": _conv2d,
        "aten::linear": _linear,
        "hwgen::adder_conv2d": _adder_conv2d,
        "hwgen::adder_linear": _adder_linear,
        "aten::batch_norm": _batch_norm,
        "aten::relu": _relu,
        "aten::relu_": _relu,
        "aten::max_pool2d": _max_pool2d,
        "aten::avg_pool2d": _avg_pool2d,
        "aten::adaptive_avg_pool2d": _adaptive_avg_pool2d,
        "aten::add": add,
        "aten::add_": add,
        "aten::sub": subtract,
        "aten::mul": multiply,
        "aten::mul_": multiply,
        "aten::div": divide,
    }
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
_TO_RELU = "use ReLU, which becomes the clamp of a requantize node"
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
    "aten::leaky_relu": _TO_RELU,
    "aten::prelu": _TO_RELU,
    "aten::elu": _TO_RELU,
    "aten::hardswish": _TO_RELU,
    "aten::conv1d": "use nn.Conv2d with a (k, 1) kernel",
    "aten::max_pool1d": "use nn.MaxPool2d with a (k, 1) window",
    "aten::mean": "use nn.AdaptiveAvgPool2d(1) and flatten(1)",
    "aten::adaptive_max_pool2d": "use nn.MaxPool2d with a fixed kernel",
    "aten::pad": "use the padding of the layer, with zeros",
    "aten::cat": "make the model one chain of layers",
    "aten::group_norm": "use nn.BatchNorm2d, which folds into a requantize node",
    "aten::layer_norm": "use nn.BatchNorm2d, which folds into a requantize node",
    "aten::instance_norm": "use nn.BatchNorm2d, which folds into a requantize node",
    "aten::addmm": _TO_TRAINING_IR,
    "aten::max_pool2d_with_indices": _TO_TRAINING_IR,
    "aten::_native_batch_norm_legit_no_training": _TO_TRAINING_IR,
    "aten::_native_batch_norm_legit_functional": "export in eval mode",
}
