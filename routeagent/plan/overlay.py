"""The VXLAN network that brings a worker's packets to the gateway node: link, addresses, neighbours, FDB.

Every address in it follows from a node's own address, so that nodes need to tell each other nothing, and no
ARP or NDP has to be flooded: who is reached with which MAC behind which node is written down beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2s
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_interface

from crds.meta import Family, IPAddress
from isthmus.dataplane.addresses import Address
from isthmus.dataplane.fdb import FdbEntry
from isthmus.dataplane.links import VxlanLink
from isthmus.dataplane.neighbours import Neighbour
from isthmus.dataplane.ownership import VXLAN_LINK, VXLAN_PORT, VXLAN_VNI
from routeagent.plan.role import Detached, Gateway, Role, Worker
from routeagent.snapshot import Snapshot

VXLAN_OVERHEAD = {4: 50, 6: 70}
"""Bytes of outer IP, UDP, VXLAN and inner Ethernet headers (RFC 7348)."""

_IPV4_NET = 240
_IPV6_NET = IPv6Address("fd73:7562:6d00::")


@dataclass(frozen=True, slots=True)
class Overlay:
    """This node's part of the overlay."""

    link: VxlanLink
    addresses: tuple[Address, ...]
    neighbours: tuple[Neighbour, ...]
    fdb: tuple[FdbEntry, ...]


def vtep(address: IPAddress) -> IPAddress:
    """The overlay address of the node with *address*: 240.b.c.d for a.b.c.d (as Submariner has it)."""
    if isinstance(address, IPv4Address):
        return IPv4Address(_IPV4_NET << 24 | int(address) & 0xFFFFFF)
    return IPv6Address(int(_IPV6_NET) | int(address) & (1 << 64) - 1)


def vtep_mac(address: IPAddress) -> str:
    """The overlay MAC of the node with *address*: locally administered, unicast, the same on every node."""
    if isinstance(address, IPv4Address):
        tail = address.packed
    else:
        tail = blake2s(address.packed, digest_size=4).digest()
    return ":".join(f"{octet:02x}" for octet in (0x02, 0xF0, *tail))


def plan_overlay(snapshot: Snapshot, role: Role, family: Family) -> Overlay:
    """The link stays the same in every role, so that a gateway's move disturbs nothing but entries on it."""
    own = snapshot.host.private_ip
    partners = _partners(snapshot, role, family)
    neighbours = {
        vtep(partner): Neighbour(VXLAN_LINK, vtep(partner), vtep_mac(partner))
        for partner in partners
        # Equal last octets give equal overlay addresses. A gateway sends nothing this way and can do without.
        if vtep(partner) != vtep(own) or isinstance(role, Worker)
    }
    return Overlay(
        link=VxlanLink(
            name=VXLAN_LINK,
            vni=VXLAN_VNI,
            port=VXLAN_PORT,
            mtu=snapshot.host.default_mtu - VXLAN_OVERHEAD[family],
            local=own,
            group=None,
            mac=vtep_mac(own),
        ),
        # A worker whose overlay address is also the gateway's does without: the kernel takes no next hop that
        # is a local address. A gateway needs its own: on a device without an address, loose reverse path
        # filtering is as good as strict (the kernel's fib_validate_source).
        addresses=() if vtep(own) in neighbours else (Address(VXLAN_LINK, _interface(vtep(own))),),
        neighbours=tuple(neighbours.values()),
        fdb=tuple(FdbEntry(VXLAN_LINK, vtep_mac(partner), partner) for partner in partners),
    )


def cluster_nodes(snapshot: Snapshot, family: Family) -> tuple[IPAddress, ...]:
    """Addresses of the cluster's other nodes, the gateway's announced one among them."""
    found = {address for node in snapshot.nodes for address in node.internal_ips if address.version == family}
    local = snapshot.membership.local
    if local is not None and local.spec.private_ip.version == family:
        found.add(local.spec.private_ip)
    return tuple(sorted(found - {snapshot.host.private_ip}, key=int))


def _partners(snapshot: Snapshot, role: Role, family: Family) -> Iterable[IPAddress]:
    match role:
        case Gateway():
            return cluster_nodes(snapshot, family)
        case Worker(gateway):
            return (gateway,)
        case Detached():
            return ()


def _interface(address: IPAddress) -> IPv4Interface | IPv6Interface:
    return ip_interface((address, 8 if address.version == 4 else 64))
