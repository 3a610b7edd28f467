"""How many multipliers of a family a product takes: the parts that Yosys' mul2dsp.v makes of it."""

from hwgen.schedule.demand import Product
from hwgen.schedule.fabric import Fabric, Multiplier
from hwgen.schedule.plan import Resources

__all__ = ["product_resources"]

Operand = tuple[int, bool]
"""Bits, and whether they have a sign."""


def product_resources(product: Product, fabric: Fabric) -> Resources:
    """Multipliers, LUTs of the parts that are too narrow for one, and of the sum of the parts."""
    signed = product.a.signed or product.b.signed
    # where one operand has a sign, the other one gets a zero above
    operands = [
        (kind.bits + (signed and not kind.signed), signed) for kind in (product.a, product.b)
    ]
    a, b = sorted(operands, reverse=True)
    return _mapped(a, b, product.bits, fabric.multipliers)


def _mapped(a: Operand, b: Operand, bits: int, rules: tuple[Multiplier, ...]) -> Resources:
    for n, rule in enumerate(rules):
        if n:  # a part that the rule of its whole refuses is again a product, wider operand first
            a, b = max(a, b), min(a, b)
        if _takes(rule, a, b, bits):
            return _split(a, b, bits, rule, rules[n:])
    return Resources(lut=a[0] * b[0], carry=a[0] * b[0] / 4)


def _takes(rule: Multiplier, a: Operand, b: Operand, bits: int) -> bool:
    wide = a[0] >= rule.least_a and b[0] >= rule.least_b
    return wide and min(bits, a[0] + b[0]) >= rule.product


def _split(
    a: Operand, b: Operand, bits: int, rule: Multiplier, rules: tuple[Multiplier, ...]
) -> Resources:
    if rule.signed and not (a[1] or b[1]):
        a, b = (a[0] + 1, True), (b[0] + 1, True)
    if a[0] > rule.a:
        parts = _parts(a[0], rule.a, rule.partial or rule.a, rule.signed)
        return _summed(
            [_mapped((part, a[1]), b, bits, rules) for part in parts], a[0] + b[0], parts
        )
    if b[0] > rule.b:
        parts = _parts(b[0], rule.b, rule.b, rule.signed)
        return _summed(
            [_mapped(a, (part, b[1]), bits, rules) for part in parts], a[0] + b[0], parts
        )
    return Resources(dsp=rule.dsp)


def _parts(bits: int, widest: int, partial: int, signed: bool) -> list[int]:
    """Bits of the parts of an operand; a part without a sign takes a zero above it."""
    step = partial - signed
    count = (bits - widest + step - 1) // step
    return [partial] * count + [bits - count * step]


def _summed(products: list[Resources], bits: int, parts: list[int]) -> Resources:
    """Each part is added above the bits of those before."""
    adders = sum(bits - sum(parts[:n]) for n in range(1, len(parts)))
    return sum(products, Resources(lut=adders, carry=adders / 2))
