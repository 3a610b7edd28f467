"""Energy of a network: every counted action times its price in one profile."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hwgen.errors import InputError
from hwgen_sim.energy.action import KINDS, Action
from hwgen_sim.energy.picojoules import Energy
from hwgen_sim.energy.profile import Price, Profile

__all__ = ["EnergyReport", "PricedAction", "estimate_energy"]


@dataclass(frozen=True, kw_only=True)
class PricedAction:
    """The energy of one action of one node, and how its price was found."""

    node: str
    action: Action
    price: Price
    energy: Energy


@dataclass(frozen=True, kw_only=True)
class EnergyReport:
    """Predicted energy per image.

    Parameters:
        profile      : name of the profile
        source       : the table that all figures come from
        nodes        : node -> component -> picojoules
        actions      : every figure with its price and rule, in the order given
        not_modelled : one sentence for each kind of energy that no figure includes
    """

    profile: str
    source: str
    nodes: Mapping[str, Mapping[str, Energy]]
    actions: tuple[PricedAction, ...]
    not_modelled: tuple[str, ...]
    level: str = "predicted"

    @property
    def components(self) -> dict[str, Energy]:
        """Picojoules of each component, over all nodes."""
        return _by((action.action.component, action.energy) for action in self.actions)

    @property
    def node_totals(self) -> dict[str, Energy]:
        """Picojoules of each node, over all its components."""
        return {node: _sum(parts.values()) for node, parts in self.nodes.items()}

    @property
    def total(self) -> Energy:
        """Picojoules of the whole network."""
        return _sum(action.energy for action in self.actions)


def estimate_energy(
    actions_per_node: Mapping[str, Sequence[Action]],
    profile: Profile,
    *,
    not_modelled: Mapping[str, str] | None = None,
) -> EnergyReport:
    """Price all actions; raises InputError that names each kind which nothing prices.

    Parameters:
        not_modelled : kind of action -> reason why it may be left out, beside those that the
                       profile leaves out; a kind that the profile prices is never left out
    """
    reasons = {entry.kind: entry.reason for entry in profile.not_modelled} | dict(
        not_modelled or {}
    )
    left_out = {kind: reason for kind, reason in reasons.items() if not profile.prices(kind)}
    _require_prices(actions_per_node, profile, left_out)
    priced = tuple(
        _priced(node, action, profile)
        for node, actions in actions_per_node.items()
        for action in actions
        if action.kind not in left_out
    )
    return EnergyReport(
        profile=profile.name,
        source=profile.source,
        nodes={node: _components_of(node, priced) for node in actions_per_node},
        actions=priced,
        not_modelled=tuple(f"{kind}: {reason}" for kind, reason in left_out.items()),
    )


def _require_prices(
    actions_per_node: Mapping[str, Sequence[Action]], profile: Profile, left_out: Mapping[str, str]
) -> None:
    absent = {
        action.kind: f"{action.kind!r} ({KINDS[action.kind]}; {action.component} of {node})"
        for node, actions in actions_per_node.items()
        for action in actions
        if action.kind not in left_out and not profile.prices(action.kind)
    }
    if absent:
        raise InputError(
            f"The energy profile {profile.name} has no entry for {', '.join(absent.values())}; "
            "choose another profile or list the kind under not_modelled."
        )


def _priced(node: str, action: Action, profile: Profile) -> PricedAction:
    price = _price(action, profile)
    return PricedAction(
        node=node, action=action, price=price, energy=price.energy.times(action.count)
    )


def _price(action: Action, profile: Profile) -> Price:
    if action.capacity_bits is not None and action.kind.startswith("sram_"):
        return profile.memory_pj(action.kind, action.bits, action.capacity_bits)
    return profile.operation_pj(action.kind, action.bits, action.other_bits)


def _components_of(node: str, priced: Iterable[PricedAction]) -> dict[str, Energy]:
    return _by((entry.action.component, entry.energy) for entry in priced if entry.node == node)


def _by(pairs: Iterable[tuple[str, Energy]]) -> dict[str, Energy]:
    sums: dict[str, Energy] = {}
    for name, energy in pairs:
        sums[name] = sums.get(name, Energy()) + energy
    return sums


def _sum(energies: Iterable[Energy]) -> Energy:
    return sum(energies, Energy())
