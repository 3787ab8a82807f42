"""Everything the planners may see, as one value frozen at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from crds.meta import IPNetwork, NodeName
from crds.node import Node
from isthmus.dataplane.facts import HostFacts
from isthmus.membership.judge import LocalCluster, Membership


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One node's world.

    `node` is the name of our Node object, which a gateway also writes into its Endpoint as host name.
    `masquerade_bit` is kube-proxy's `--iptables-masquerade-bit`. `departed` holds subnets of members that
    left a short while ago (`routeagent.departed`).
    """

    node: NodeName
    host: HostFacts
    local: LocalCluster
    membership: Membership
    nodes: tuple[Node, ...] = ()
    masquerade_bit: int = 14
    departed: tuple[IPNetwork, ...] = ()
