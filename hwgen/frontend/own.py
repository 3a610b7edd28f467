"""The operators that the layers of hwgen.nn register."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.frontend.call import Call, Refused, pair, rank
from hwgen.ir.nodes import (
    Activation,
    AdderConv2d,
    AdderLinear,
    AnyNode,
    Pow2Conv2d,
    QuantRelu,
    Shift2d,
    Sign,
    WinogradAdderConv2d,
    XnorConv2d,
    XnorLinear,
)

__all__ = ["OWN_RULES"]


def _adder_conv2d(call: Call) -> AnyNode:
    weight = call.array("weight")
    return AdderConv2d(**_window(call, weight), weight=call.keep("weight", weight))


def _adder_linear(call: Call) -> AnyNode:
    rank(call, 2)
    return AdderLinear(**call.base, weight=call.keep("weight", call.array("weight")))


def _winograd_adder_conv2d(call: Call) -> AnyNode:
    return WinogradAdderConv2d(
        **call.base,
        weight=call.keep("weight", call.array("weight")),
        padding=pair(call.args["padding"]),
        variant=call.args["variant"],
    )


def _xnor_conv2d(call: Call) -> AnyNode:
    weight = _signs(call)
    fields = _window(call, weight) | {"pad": call.args["pad"]}
    return XnorConv2d(**fields, weight=call.keep("weight", weight))


def _xnor_linear(call: Call) -> AnyNode:
    rank(call, 2)
    return XnorLinear(**call.base, weight=call.keep("weight", _signs(call)))


def _signs(call: Call) -> NDArray:
    weight = call.array("wb")
    if not (np.abs(weight) == 1).all():
        raise Refused("its weights are not -1 and +1", "use hwgen.nn.XnorConv2d or XnorLinear")
    return weight


def _pow2_conv2d(call: Call) -> AnyNode:
    weight = call.array("w2")
    if not np.isin(np.frexp(weight)[0], (0, -0.5, 0.5)).all():
        raise Refused("its weights are not 0 or powers of two", "use hwgen.nn.Pow2Conv2d")
    return Pow2Conv2d(**_window(call, weight), weight=call.keep("weight", weight))


def _window(call: Call, weight: NDArray) -> dict[str, Any]:
    stride, padding = pair(call.args["stride"]), pair(call.args["padding"])
    kernel = pair(weight.shape[2:])
    return call.base | {"kernel": kernel, "stride": stride, "padding": padding}


def _sign(call: Call) -> AnyNode:
    return Sign(**call.base)


def _quant_relu(call: Call) -> AnyNode:
    step, bits = call.array("step"), call.args["bits"]
    if step.size != 1 or step.min() <= 0 or not 1 <= bits <= 4:
        raise Refused("it needs one positive step and 1 to 4 bits", "use hwgen.nn.QuantReLU")
    return QuantRelu(**call.base, bits=bits, step=step.item())


def _power(call: Call) -> AnyNode:
    alpha = call.array("alpha")
    if alpha.min() <= 0:
        raise Refused("its exponent is not positive", "use hwgen.nn.PowerActivation")
    return Activation(**call.base, function="power", parameter=call.keep("parameter", alpha))


def _shift2d(call: Call) -> AnyNode:
    steps = call.args["offsets"]
    return Shift2d(**call.base, offsets=tuple(zip(steps[::2], steps[1::2], strict=True)))


OWN_RULES: dict[str, Callable[[Call], AnyNode]] = {
    "hwgen::adder_conv2d": _adder_conv2d,
    "hwgen::adder_linear": _adder_linear,
    "hwgen::winograd_adder_conv2d": _winograd_adder_conv2d,
    "hwgen::xnor_conv2d": _xnor_conv2d,
    "hwgen::xnor_linear": _xnor_linear,
    "hwgen::pow2_conv2d": _pow2_conv2d,
    "hwgen::sign": _sign,
    "hwgen::quant_relu": _quant_relu,
    "hwgen::power": _power,
    "hwgen::shift2d": _shift2d,
}
