"""The address sets that packet filter rules match, so that their number does not grow with the members."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from crds.meta import Family, IPAddress, IPNetwork
from isthmus.dataplane.ownership import LOCAL_SET, REMOTE_SET, SET_PREFIX
from isthmus.dataplane.ruleset import AddressSet, SetName
from routeagent.plan.overlay import cluster_nodes
from routeagent.plan.remote import Remote
from routeagent.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class SetNames:
    """Names of the sets of one family: one ipset holds addresses of one family only.

    `local`: this cluster's Services and Pods. `remote`: the other members'. `nodes`: the other nodes of this
    cluster. `gateways`: ends of tunnels that lie inside a remote subnet.
    """

    local: SetName
    remote: SetName
    nodes: SetName
    gateways: SetName


def set_names(family: Family) -> SetNames:
    """IPv4's are Submariner's own names; IPv6's have a suffix."""
    suffix = "" if family == 4 else "-6"
    return SetNames(
        local=SetName(f"{LOCAL_SET}{suffix}"),
        remote=SetName(f"{REMOTE_SET}{suffix}"),
        nodes=SetName(f"{SET_PREFIX}NODES{suffix}"),
        gateways=SetName(f"{SET_PREFIX}GATEWAYS{suffix}"),
    )


def plan_sets(snapshot: Snapshot, remote: Remote, family: Family) -> tuple[AddressSet, ...]:
    """All four sets, in every role: an empty one matches nothing."""
    names = set_names(family)
    local = snapshot.membership.local
    own = (*snapshot.local.cidrs, *(local.spec.subnets if local else ()))
    return (
        AddressSet(names.local, family, frozenset(subnet for subnet in own if subnet.version == family)),
        AddressSet(names.remote, family, frozenset(remote.all)),
        AddressSet(names.nodes, family, _hosts(cluster_nodes(snapshot, family))),
        AddressSet(names.gateways, family, _hosts(remote.gateways)),
    )


def _hosts(addresses: Iterable[IPAddress]) -> frozenset[IPNetwork]:
    return frozenset(ip_network(address) for address in addresses)
