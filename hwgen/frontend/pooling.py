"""Pooling operators, and the mean over an image."""

from typing import Any

from hwgen.frontend.call import Call, Refused, no_dilation, pair, rank
from hwgen.ir.nodes import AnyNode, AvgPool, Flatten, MaxPool

__all__ = ["adaptive_avg_pool2d", "avg_pool2d", "max_pool2d", "mean"]


def max_pool2d(call: Call) -> AnyNode:
    """Windows without dilation."""
    no_dilation(call)
    return MaxPool(**call.base, **_window(call))


def avg_pool2d(call: Call) -> AnyNode:
    """Windows whose padding counts."""
    window = _window(call)
    if call.args["divisor_override"] is not None:
        raise Refused("divisor_override is not supported", "leave divisor_override out")
    if any(window["padding"]) and not call.args["count_include_pad"]:
        raise Refused("count_include_pad=False is not supported", "use count_include_pad=True")
    return AvgPool(**call.base, **window)


def adaptive_avg_pool2d(call: Call) -> AnyNode:
    """Windows of one size."""
    rank(call, 4)
    size, out = call.before[2:], call.shape[2:]
    if size[0] % out[0] or size[1] % out[1]:
        raise Refused(
            f"adaptive pooling from {size[0]}x{size[1]} to {out[0]}x{out[1]} has unequal windows",
            "use an output size that divides the input size",
        )
    kernel = (size[0] // out[0], size[1] // out[1])
    return AvgPool(**call.base, kernel=kernel, stride=kernel)


def _window(call: Call) -> dict[str, Any]:
    rank(call, 4)
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


def mean(call: Call) -> tuple[AnyNode, ...]:
    """The mean over rows and columns: an average pool over the whole image."""
    rank(call, 4)
    axes = {axis % 4 for axis in call.args.get("dim") or range(4)}
    if axes != {2, 3}:
        raise Refused(f"it is a mean over the axes {sorted(axes)}", "use a mean over (2, 3)")
    size = pair(call.before[2:])
    channels = call.before[1]
    pool = AvgPool(
        name=call.name, inputs=call.sources, shape=(channels, 1, 1), kernel=size, stride=size
    )
    if call.args["keepdim"]:
        return (pool,)
    name = call.fresh(f"{call.name}_flatten")
    return pool, Flatten(name=name, inputs=(call.name,), shape=call.shape[1:])
