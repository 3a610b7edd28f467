"""Energy of a network: every counted action times its price in one profile."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hwgen.errors import InputError
from hwgen_sim.energy.action import KINDS, Action
from hwgen_sim.energy.picojoules import Energy
from hwgen_sim.energy.profile import Price, Profile

__all__ = ["EnergyReport", "PricedAction", "estimate_energy"]


_EVERYWHERE = frozenset(("register", "clock", "wire", "leakage", "mux"))
"""What every circuit has: said to be missing even where it was not counted."""


@dataclass(frozen=True, kw_only=True)
class PricedAction:
    """The energy of one action of one node, and how its price was found."""

    node: str
    action: Action
    profile: str
    price: Price
    energy: Energy


@dataclass(frozen=True, kw_only=True)
class EnergyReport:
    """Predicted energy per image.

    Parameters:
        profile      : name of the profile, and of the one that prices memories where it is another
        source       : the table or tables that the figures come from
        nodes        : node -> component -> picojoules
        actions      : every figure with its price and rule, in the order given
        not_modelled : one sentence for each kind of energy that no figure includes
        without      : operations that were counted and have no figure: the total is too low
    """

    profile: str
    source: str
    nodes: Mapping[str, Mapping[str, Energy]]
    actions: tuple[PricedAction, ...]
    not_modelled: tuple[str, ...]
    without: tuple[str, ...] = ()
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
    memories: Profile | None = None,
) -> EnergyReport:
    """Price all actions; raises InputError that names each kind which nothing prices.

    On-chip memories are priced by ``memories``, where one is given: a table of the same node, named
    in the report and beside every figure that is its own. All else is priced by ``profile``.
    """
    prices = _Prices(profile, memories)
    left_out = prices.left_out(actions_per_node)
    _require_prices(actions_per_node, prices, left_out)
    priced = tuple(
        _priced(node, action, prices)
        for node, actions in actions_per_node.items()
        for action in actions
        if action.kind not in left_out
    )
    return EnergyReport(
        profile=prices.title,
        source=prices.source,
        nodes={node: _components_of(node, priced) for node in actions_per_node},
        actions=priced,
        not_modelled=tuple(f"{kind}: {reason}" for kind, reason in left_out.items()),
        without=tuple(kind for kind in left_out if kind not in _EVERYWHERE),
    )


class _Prices:
    """A profile, and perhaps a second one for memories."""

    def __init__(self, profile: Profile, memories: Profile | None):
        if memories is not None and memories.node_nm != profile.node_nm:
            raise InputError(
                f"Memories and arithmetic must be of one node: {memories.title} is of"
                f" {memories.node_nm} nm, {profile.title} of {profile.node_nm} nm."
            )
        self.profile, self.memories = profile, memories

    @property
    def title(self) -> str:
        if self.memories is None:
            return self.profile.title
        return f"{self.profile.title}, memories {self.memories.title}"

    @property
    def source(self) -> str:
        if self.memories is None:
            return self.profile.source
        return f"{self.profile.source}; memories: {self.memories.source}"

    def of(self, kind: str) -> Profile:
        """The one table that prices ``kind``."""
        memory = kind.startswith("sram_") and self.memories
        return memory or self.profile

    def left_out(self, actions_per_node: Mapping[str, Sequence[Action]]) -> dict[str, str]:
        """Kind -> why the profile has no figure for it, where it says so."""
        used = [action.kind for actions in actions_per_node.values() for action in actions]
        kinds = dict.fromkeys((*sorted(_EVERYWHERE), *used))
        reasons = {kind: self.of(kind).leaves_out(kind) for kind in kinds}
        return {kind: reason for kind, reason in reasons.items() if reason}


def _require_prices(
    actions_per_node: Mapping[str, Sequence[Action]], prices: _Prices, left_out: Mapping[str, str]
) -> None:
    absent = {
        action.kind: f"{action.kind!r} ({KINDS[action.kind]}; {action.component} of {node})"
        for node, actions in actions_per_node.items()
        for action in actions
        if action.kind not in left_out and not prices.of(action.kind).prices(action.kind)
    }
    if absent:
        raise InputError(
            f"The energy profile {prices.title} has no entry for {', '.join(absent.values())}; "
            + _remedy(absent)
        )


def _remedy(absent: Collection[str]) -> str:
    if all(kind.startswith("sram_") for kind in absent):
        return "give a table of memories of the same node, such as --memory-profile cacti-45nm."
    return "choose another profile or list the kind under not_modelled."


def _priced(node: str, action: Action, prices: _Prices) -> PricedAction:
    profile = prices.of(action.kind)
    price = _price(action, profile)
    return PricedAction(
        node=node,
        action=action,
        profile=profile.title,
        price=price,
        energy=price.energy.times(action.count),
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
