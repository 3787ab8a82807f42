"""Short ways to write one node's world.

The cluster is east: nodes east-gw (10.1.0.1) and east-worker (10.1.0.2), Services in 10.96.0.0/16, Pods in
10.244.0.0/16. Every part can be given by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from crds.endpoint import Endpoint
from crds.meta import ClusterId, NodeName, ObjectRef
from crds.node import Node
from isthmus.dataplane.facts import HostFacts
from isthmus.membership.judge import LocalCluster, Membership, Peer
from routeagent.snapshot import Snapshot
from tests import builders

EAST = LocalCluster(
    ClusterId("east"),
    service_cidrs=builders.networks("10.96.0.0/16"),
    cluster_cidrs=builders.networks("10.244.0.0/16"),
)
GATEWAY, WORKER = NodeName("east-gw"), NodeName("east-worker")
HOSTS = {
    GATEWAY: HostFacts(ip_address("10.1.0.1"), "eth0", 1500, "cni0", ip_address("10.244.1.1")),
    WORKER: HostFacts(ip_address("10.1.0.2"), "eth0", 1500, "cni0", ip_address("10.244.2.1")),
}


def node(name: str, *addresses: str, **annotations: str) -> Node:
    """A Node object; annotations with underscores stand for `submariner.io/` and dashes."""
    pairs = tuple(
        sorted((f"submariner.io/{key.replace('_', '-')}", value) for key, value in annotations.items())
    )
    ref = ObjectRef("Node", "", name)
    return Node(ref, NodeName(name), tuple(map(ip_address, addresses)), annotations=pairs)


NODES = (node("east-gw", "10.1.0.1"), node("east-worker", "10.1.0.2"))


def own(
    interface: str | None = "ipsec0", hostname: str = "east-gw", private_ip: str = "10.1.0.1"
) -> Endpoint:
    """East's own Endpoint; *interface* None stands for IPsec in the kernel."""
    config = {} if interface is None else {"interface-name": interface}
    return builders.endpoint(
        "east",
        "10.96.0.0/16",
        "10.244.0.0/16",
        origin=None,
        hostname=hostname,
        private_ip=private_ip,
        config=config,
    )


def west(*subnets: str, private_ip: str = "172.16.0.1", **fields: Any) -> Endpoint:
    """West's Endpoint, unless *subnets* say otherwise with 10.97.0.0/16 and 10.245.0.0/16."""
    chosen = subnets or ("10.97.0.0/16", "10.245.0.0/16")
    return builders.endpoint("west", *chosen, private_ip=private_ip, **fields)


def world(
    name: NodeName = WORKER,
    *peers: Endpoint,
    local: Endpoint | None = None,
    nodes: Sequence[Node] = NODES,
    host: HostFacts | None = None,
    departed: Sequence[str] = (),
) -> Snapshot:
    """A node's world with these peers, honoured all."""
    return Snapshot(
        node=name,
        host=host or HOSTS[name],
        local=EAST,
        membership=Membership(local, tuple(Peer(peer.spec.cluster_id, peer) for peer in peers)),
        nodes=tuple(nodes),
        departed=tuple(map(ip_network, departed)),
    )
