"""What lies behind the tunnels, in the form that routes, sets and guards need.

A subnet that holds an address of this cluster's own nodes is not honoured here, whatever its object says:
routes and the guard would cut the nodes off from each other and from their API server.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crds.meta import Family, IPAddress, IPNetwork, Rejection
from isthmus.membership.judge import Peer
from routeagent.snapshot import Snapshot

IKE_PORTS = (500, 4500)


@dataclass(frozen=True, slots=True)
class Remote:
    """`subnets` are behind a tunnel, `departed` were until recently.

    `gateways` are the tunnel ends that lie inside a subnet of their own cluster, where their own encrypted
    packets would be taken for the traffic they carry; `ports` are the UDP ports that such packets go to.
    """

    subnets: tuple[IPNetwork, ...]
    departed: tuple[IPNetwork, ...] = ()
    gateways: tuple[IPAddress, ...] = ()
    ports: tuple[int, ...] = IKE_PORTS
    rejections: tuple[tuple[Peer, Rejection], ...] = ()

    @property
    def all(self) -> tuple[IPNetwork, ...]:
        """Every subnet that must not be spoken to in the clear."""
        return self.subnets + self.departed


def remote_of(snapshot: Snapshot, family: Family) -> Remote:
    """Collect what the honoured peers of *family* bring."""
    peers = snapshot.membership.peers
    claims = _Claims(peers, family)
    refused = {
        claims.peers[index]: (subnet, address)
        # Backwards, so that the lowest address is the one that is named, on every node the same.
        for address in sorted(_own_addresses(snapshot, family), key=int, reverse=True)
        for index, subnet in claims.holding(address)
    }
    honoured = [peer for peer in peers if peer not in refused] if refused else list(peers)
    kept = _Claims(honoured, family) if refused else claims
    specs = [peer.endpoint.spec for peer in honoured]
    gateways = _inside_own_subnets(kept)
    return Remote(
        subnets=tuple(subnet for spec in specs for subnet in spec.subnets if subnet.version == family),
        departed=_still_departed(snapshot, kept, family),
        gateways=tuple(sorted(gateways, key=int)),
        ports=tuple(sorted({*IKE_PORTS, *(spec.udp_port for spec in specs)})) if gateways else IKE_PORTS,
        rejections=tuple((peer, _rejection(peer, *refused[peer])) for peer in peers if peer in refused),
    )


class _Claims:
    """Which of many disjoint subnets holds an address, in logarithmic time."""

    def __init__(self, peers: Sequence[Peer], family: Family) -> None:
        self.peers = peers
        spans = [
            (int(subnet.network_address), int(subnet.broadcast_address), index, subnet)
            for index, peer in enumerate(peers)
            for subnet in peer.endpoint.spec.subnets
            if subnet.version == family
        ]
        self._family = family
        self._spans = sorted(spans, key=lambda span: span[0])
        self._starts = [span[0] for span in self._spans]

    def holding(self, address: IPAddress) -> list[tuple[int, IPNetwork]]:
        """The position of the peer whose subnet holds *address*, and that subnet; at most one."""
        if address.version != self._family:
            return []
        place = bisect_right(self._starts, int(address)) - 1
        if place < 0 or self._spans[place][1] < int(address):
            return []
        return [self._spans[place][2:]]

    def touches(self, subnet: IPNetwork) -> bool:
        """Whether any claimed subnet shares an address with *subnet*."""
        first, last = int(subnet.network_address), int(subnet.broadcast_address)
        place = bisect_right(self._starts, last) - 1
        return place >= 0 and self._spans[place][1] >= first


def _inside_own_subnets(claims: _Claims) -> set[IPAddress]:
    """Tunnel ends that lie behind their own tunnel."""
    return {
        address
        for index, peer in enumerate(claims.peers)
        for address in (peer.endpoint.spec.private_ip, peer.endpoint.spec.public_ip)
        if address is not None
        for owner, _ in claims.holding(address)
        if owner == index
    }


def _own_addresses(snapshot: Snapshot, family: Family) -> Iterable[IPAddress]:
    local = snapshot.membership.local
    yield snapshot.host.private_ip
    if local is not None:
        yield local.spec.private_ip
    for node in snapshot.nodes:
        yield from (address for address in node.internal_ips if address.version == family)


def _still_departed(snapshot: Snapshot, claims: _Claims, family: Family) -> tuple[IPNetwork, ...]:
    own = (*snapshot.local.service_cidrs, *snapshot.local.cluster_cidrs)
    addresses = list(_own_addresses(snapshot, family))
    return tuple(
        subnet
        for subnet in snapshot.departed
        if subnet.version == family
        and not claims.touches(subnet)
        and not any(subnet.overlaps(cidr) for cidr in own if cidr.version == family)
        and not any(address in subnet for address in addresses)
    )


def _rejection(peer: Peer, subnet: IPNetwork, address: IPAddress) -> Rejection:
    reason = (
        f"{subnet} holds the node address {address} of this cluster; honouring it would cut the node off. "
        f"Give the clusters networks that do not overlap, or make {peer.cluster_id} announce smaller subnets"
    )
    return Rejection(peer.endpoint.ref, "spec.subnets", reason)
