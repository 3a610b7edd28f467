"""Operators that move values and compute none: slices, concatenation, shuffles, upsampling."""

from hwgen.frontend.call import Call, Refused, rank
from hwgen.ir.nodes import AnyNode, Concat, PixelShuffle, Slice, UpsampleNearest

__all__ = ["SPLITS", "concat", "narrow", "part", "pixel_shuffle", "slice_", "split", "upsample"]

SPLITS = ("aten::split", "aten::split_with_sizes", "aten::chunk", "aten::tensor_split")
"""Operators with several results; each result that is used becomes a slice."""


def concat(call: Call) -> AnyNode | None:
    """Feature maps one after the other along the channels."""
    parts, axis = call.args["tensors"], call.args["dim"]
    if not all(call.is_map(part) for part in parts):
        raise Refused("one of its parts is a constant", "concatenate feature maps only")
    if axis % len(call.shape) != 1:
        raise Refused(f"it concatenates along axis {axis}", "concatenate the channels, dim=1")
    return None if len(parts) == 1 else Concat(**call.joined)


def slice_(call: Call) -> AnyNode | None:
    """x[:, start:end]."""
    if call.shape == call.before:
        return None
    _channels_only(call, call.args["step"])
    start = slice(call.args["start"], call.args["end"]).indices(call.before[1])[0]
    return _slice(call, start)


def narrow(call: Call) -> AnyNode | None:
    """x.narrow(1, start, length)."""
    if call.shape == call.before:
        return None
    _channels_only(call)
    return _slice(call, call.args["start"] % call.before[1])


def split(call: Call) -> None:
    """Nothing by itself: `part` makes the slices."""
    _channels_only(call)


def part(call: Call) -> AnyNode | None:
    """One result of a split."""
    widths = [value.shape[1] for value in call.args["self"].meta["val"]]
    if len(widths) == 1:
        return None
    return _slice(call, sum(widths[: call.args["index"] % len(widths)]))


def _slice(call: Call, start: int) -> AnyNode:
    return Slice(**call.base, start=start, stop=start + call.shape[1])


def _channels_only(call: Call, step: int = 1) -> None:
    axis = call.args["dim"] % len(call.before)
    if axis != 1 or step != 1:
        steps = f" in steps of {step}" if step != 1 else ""
        raise Refused(
            f"it cuts axis {axis}{steps}",
            "cut channels only, in steps of 1; a convolution of stride 2 skips pixels",
        )


def pixel_shuffle(call: Call) -> AnyNode:
    """(C*f*f, H, W) to (C, f*H, f*W)."""
    rank(call, 4)
    return PixelShuffle(**call.base, factor=call.args["upscale_factor"])


def upsample(call: Call) -> AnyNode | None:
    """Every pixel f times along both axes."""
    rank(call, 4)
    size, out = call.before[2:], call.shape[2:]
    factor = out[0] // size[0]
    scales = call.args.get("scale_factors") or [call.args.get(f"scales_{a}") for a in "hw"]
    whole = out == (factor * size[0], factor * size[1])
    if not whole or any(scale not in (None, factor) for scale in scales):
        raise Refused(
            f"upsampling from {size[0]}x{size[1]} to {out[0]}x{out[1]} has no whole factor",
            "use one integer factor for rows and columns",
        )
    return None if factor == 1 else UpsampleNearest(**call.base, factor=factor)
