"""Toggles of a run, added up for each node of the graph."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hwgen.emit.manifest import Manifest
from hwgen.errors import CheckFailed
from hwgen_sim.actions import DESIGN
from hwgen_sim.activity.nets import Net, Nets
from hwgen_sim.activity.saif import Toggles

__all__ = ["NodeToggles", "count_toggles"]

DUT = "TOP/bench/dut"


@dataclass(frozen=True)
class NodeToggles:
    """What a node's hardware did in a run.

    Parameters:
        toggles : kind of net (`nets.KINDS`) -> changes of its bits
        bits    : kind of net -> how many bits there are
    """

    toggles: Counter[str] = field(default_factory=Counter)
    bits: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All changes."""
        return self.toggles.total()

    @property
    def flip_flops(self) -> int:
        """Bits with a clock."""
        return self.bits["register"] + self.bits["memory"]


def count_toggles(nets: Nets, toggles: Toggles, manifest: Manifest) -> dict[str, NodeToggles]:
    """Node -> its toggles; what belongs to no node, such as forks, is under ``DESIGN``.

    Raises CheckFailed for a net that the simulation did not record.
    """
    nodes = {stream.instance: stream.node for stream in manifest.nodes if stream.instance}
    found = {node: NodeToggles() for node in (*nodes.values(), DESIGN)}
    for path in nets.placed():
        node = nodes.get(path[0], DESIGN) if path else DESIGN
        scope = "/".join((DUT, *path))
        _add(found[node], nets.driven[nets.module_at(path)], scope, toggles.get(scope, {}))
    return found


def _add(
    node: NodeToggles,
    driven: Iterable[Net],
    scope: str,
    toggles: Mapping[tuple[str, int], int],
) -> None:
    for net in driven:
        if (net.name, net.bit) not in toggles:
            raise CheckFailed(f"The simulation has no net {net.name}[{net.bit}] in {scope}.")
        node.toggles[net.kind] += toggles[net.name, net.bit]
        node.bits[net.kind] += 1
