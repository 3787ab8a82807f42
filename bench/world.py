"""A thousand member clusters with four subnets each, and what one node of a further cluster makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network

from crds.cluster import Cluster
from crds.endpoint import Endpoint
from crds.meta import ClusterId, NodeName
from isthmus.dataplane.facts import HostFacts
from isthmus.membership.judge import LocalCluster, Membership, judge
from routeagent.config import BACKENDS
from routeagent.plan.node import NodePlan, plan_node
from routeagent.snapshot import Snapshot
from tests import builders

CLUSTERS = 1000
SUBNETS = 4
CHANGED = 500
"""The position of the cluster whose Endpoint changes."""

FIRST_NETWORK = int(IPv4Address("10.16.0.0"))
FIRST_GATEWAY = int(IPv4Address("192.168.0.10"))
SPARE = "10.200.0.0/24"
"""Belongs to the changing cluster and is not announced at first."""

OWN = LocalCluster(ClusterId("home"), builders.networks("10.250.0.0/16"), builders.networks("10.251.0.0/16"))
OWN_GATEWAY = "172.20.0.2"
WORKER = NodeName("home-worker")
WORKER_ADDRESS = "172.20.0.3"
CNI = "10.251.1.1"
DEVICE = "ipsec0"


@dataclass(frozen=True, slots=True)
class World:
    """All objects in the cluster's namespace."""

    clusters: tuple[Cluster, ...]
    endpoints: tuple[Endpoint, ...]

    def membership(self) -> Membership:
        return judge(OWN, self.clusters, self.endpoints, (), BACKENDS)


def world() -> World:
    """Everybody as they are before the change."""
    own = builders.endpoint(
        OWN.cluster_id,
        *(str(network) for network in OWN.cidrs),
        origin=None,
        private_ip=OWN_GATEWAY,
        hostname="home-gateway",
        config={"interface-name": DEVICE},
    )
    numbers = range(CLUSTERS)
    return World(tuple(map(_cluster, numbers)), (own, *map(_endpoint, numbers)))


def changed(before: World) -> World:
    """The same world after one cluster announced another subnet in the place of its last one."""
    position = CHANGED + 1
    old = before.endpoints[position]
    subnets = (*old.spec.subnets[:-1], ip_network(SPARE))
    new = replace(old, spec=replace(old.spec, subnets=subnets))
    return World(before.clusters, (*before.endpoints[:position], new, *before.endpoints[position + 1 :]))


def plan(membership: Membership, *, gateway: bool) -> NodePlan:
    """What the kernel of the gateway node, or of a worker, should hold."""
    snapshot = Snapshot(
        node=NodeName("home-gateway") if gateway else WORKER,
        host=HostFacts(
            ip_address(OWN_GATEWAY if gateway else WORKER_ADDRESS), "eth0", 1500, "cni0", ip_address(CNI)
        ),
        local=OWN,
        membership=membership,
    )
    return plan_node(snapshot, 4)


def _networks(number: int) -> list[IPv4Network]:
    first = FIRST_NETWORK + (number * SUBNETS << 8)
    return [IPv4Network((first + (offset << 8), 24)) for offset in range(SUBNETS)]


def _name(number: int) -> str:
    return f"member-{number:04}"


def _cluster(number: int) -> Cluster:
    service, *pods = map(str, _networks(number))
    extra = (SPARE,) if number == CHANGED else ()
    return builders.cluster(_name(number), service, pods=(*pods, *extra))


def _endpoint(number: int) -> Endpoint:
    address = str(IPv4Address(FIRST_GATEWAY + number))
    return builders.endpoint(_name(number), *map(str, _networks(number)), private_ip=address)


def keyed_routes(one: NodePlan) -> Mapping[object, object]:
    """The plan's routes by what identifies them in the kernel."""
    return {(route.table, route.dst, route.metric): route for route in one.routes}


def keyed_entries(one: NodePlan) -> Mapping[object, object]:
    """The entries of the plan's address sets."""
    return {(each.name, entry): entry for each in one.ruleset.sets for entry in each.entries}
