"""Where the kernel's IPsec tables and charon disagree: what is left over there and what is lost. Pure.

The states of a charon that was killed still encrypt, and the peer may still hold the other ends. So they stay
until the new charon has the tunnel up again, unless nobody wants that tunnel any more. What somebody else
removed from the kernel charon does not notice: it would call the tunnel up until its key is an hour old.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from crds.meta import IPNetwork
from gateway.plan.ipsec import reqid_of
from isthmus.charon.healing import SETTLE_SECONDS, is_live
from isthmus.charon.naming import is_ours
from isthmus.charon.records import ChildSa, IkeSa, IpsecConnection
from isthmus.dataplane.xfrm import XfrmPolicy, XfrmState

Pair = tuple[tuple[IPNetwork, ...], tuple[IPNetwork, ...]]
"""Local and remote subnets of a tunnel."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """States and policies to remove now."""

    states: tuple[XfrmState, ...] = ()
    policies: tuple[XfrmPolicy, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.states or self.policies)


def find_leftovers(
    states: Iterable[XfrmState],
    policies: Iterable[XfrmPolicy],
    connections: Sequence[IpsecConnection],
    sas: Sequence[IkeSa],
) -> Leftovers:
    """Compare our marks in the kernel with every SA that charon holds and every connection that is wanted."""
    known = {spi for sa in sas for child in sa.children for spi in (child.spi_in, child.spi_out)}
    up = {reqid_of(sa.name) for sa in sas for child in sa.children if is_live(child)}
    wanted = {connection.reqid for connection in connections}
    # An SPI of 0 is the kernel's call for a tunnel that a packet needs, and no state yet.
    unknown = (state for state in states if state.spi not in known and int(state.spi, 16))
    carried = _carried(connections, sas)
    return Leftovers(
        states=tuple(state for state in unknown if state.reqid in up or state.reqid not in wanted),
        policies=tuple(policy for policy in policies if not _belongs(policy, carried[policy.reqid])),
    )


def find_lost(
    states: Iterable[XfrmState], policies: Iterable[XfrmPolicy], sas: Iterable[IkeSa]
) -> frozenset[int]:
    """IKE_SAs of ours that charon takes for up while the kernel lacks what their children need.

    Only the state of arriving packets counts: during a rekeying the other one comes later.
    """
    spis = {state.spi for state in states}
    held = frozenset(policies)
    return frozenset(
        sa.unique_id
        for sa in sas
        if is_ours(sa.name)
        and any(
            child.state == "INSTALLED"
            and child.installed_seconds >= SETTLE_SECONDS
            and not (child.spi_in in spis and held.issuperset(_policies(child, reqid_of(sa.name))))
            for child in sa.children
        )
    )


def _policies(child: ChildSa, reqid: int) -> Iterator[XfrmPolicy]:
    for local in child.local_subnets:
        for remote in child.remote_subnets:
            if local.version == remote.version:
                yield XfrmPolicy(local, remote, "out", reqid)
                yield XfrmPolicy(remote, local, "in", reqid)
                yield XfrmPolicy(remote, local, "fwd", reqid)


def _carried(connections: Iterable[IpsecConnection], sas: Iterable[IkeSa]) -> Mapping[int, list[Pair]]:
    carried: defaultdict[int, list[Pair]] = defaultdict(list)
    for connection in connections:
        carried[connection.reqid].append((connection.local_subnets, connection.remote_subnets))
    for sa in sas:
        for child in sa.children:
            carried[reqid_of(sa.name)].append((child.local_subnets, child.remote_subnets))
    return carried


def _belongs(policy: XfrmPolicy, pairs: Iterable[Pair]) -> bool:
    outwards = policy.direction == "out"
    local, remote = (policy.source, policy.destination) if outwards else (policy.destination, policy.source)
    return any(_within(local, ours) and _within(remote, theirs) for ours, theirs in pairs)


def _within(subnet: IPNetwork, subnets: Iterable[IPNetwork]) -> bool:
    return any(
        subnet.version == other.version
        and int(other.network_address) <= int(subnet.network_address)
        and int(subnet.broadcast_address) <= int(other.broadcast_address)
        for other in subnets
    )
