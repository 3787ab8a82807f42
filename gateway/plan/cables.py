"""Which cables this gateway wants: one per honoured peer, and over which of the peer's addresses.

The choice of address is the one that needs no probing; what a NAT probe finds out is for whoever runs it.
"""

from __future__ import annotations

from dataclasses import dataclass

from crds.endpoint import EndpointSpec
from crds.meta import ClusterId, IPAddress
from isthmus.membership.judge import Membership


@dataclass(frozen=True, slots=True)
class Cable:
    """One tunnel to one peer gateway, whatever driver makes it."""

    cable_name: str
    """The peer's cable name: unique among our cables."""
    cluster_id: ClusterId
    remote: EndpointSpec
    local: EndpointSpec
    address: IPAddress
    """Where the peer is reached."""
    nat: bool
    """A NAT is expected on the way, so that bare ESP would not pass."""


def plan_cables(local: EndpointSpec, membership: Membership) -> tuple[Cable, ...]:
    """One cable per peer, sorted by cable name."""
    cables = (plan_cable(local, peer.endpoint.spec) for peer in membership.peers)
    return tuple(sorted(cables, key=lambda cable: cable.cable_name))


def plan_cable(local: EndpointSpec, remote: EndpointSpec) -> Cable:
    """The cable to *remote*: by its public address if it says that it is behind a NAT, else the private."""
    return Cable(
        cable_name=remote.cable_name,
        cluster_id=remote.cluster_id,
        remote=remote,
        local=local,
        address=remote.reached_at,
        nat=remote.behind_nat,
    )
