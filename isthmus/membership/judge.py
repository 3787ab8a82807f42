"""Which remote Endpoints does this cluster honour?

A member trusts neither the broker nor the other members: an Endpoint becomes routes and tunnel policies, so
it may only name what its own Cluster object claims, nothing of ours and nothing of a member that was earlier.
`judge` answers for the whole world at once and does not depend on the order in which objects arrived.
Gateways and route agents call it with the same objects and so agree without talking to each other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from crds import cluster as cluster_kind
from crds.cluster import Cluster
from crds.echo import echo_cluster
from crds.endpoint import Endpoint, EndpointEcho, EndpointSpec
from crds.meta import ClusterId, Invalid, IPNetwork, Rejection
from isthmus.membership import screen
from isthmus.membership.claims import Claims
from isthmus.membership.fault import Fault

REFUSED = "refused: "
"""How the message of every refusal in a status begins."""


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """Who we are and which networks are ours."""

    cluster_id: ClusterId
    service_cidrs: tuple[IPNetwork, ...] = ()
    cluster_cidrs: tuple[IPNetwork, ...] = ()
    global_cidrs: tuple[IPNetwork, ...] = ()

    @property
    def cidrs(self) -> tuple[IPNetwork, ...]:
        """All networks that no other member may claim."""
        return self.service_cidrs + self.cluster_cidrs + self.global_cidrs


@dataclass(frozen=True, slots=True)
class Peer:
    """A member that this cluster connects to, by its one live Endpoint."""

    cluster_id: ClusterId
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Refusal:
    """An object that is not honoured, with what a status shows of it."""

    rejection: Rejection
    cluster_id: str
    endpoint: EndpointSpec | EndpointEcho

    @property
    def message(self) -> str:
        """What a status says of it."""
        return f"{REFUSED}{self.rejection.field}: {self.rejection.reason}"


@dataclass(frozen=True, slots=True)
class Membership:
    """The world as this cluster honours it; sorted, so that equal worlds give equal values."""

    local: Endpoint | None = None
    peers: tuple[Peer, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def judge(
    local: LocalCluster,
    clusters: Sequence[Cluster],
    endpoints: Sequence[Endpoint],
    invalid: Sequence[Invalid],
    backends: frozenset[str],
) -> Membership:
    """Decide about every remote Endpoint; O(n log n) in the number of subnets.

    Args:
        local: this cluster.
        clusters: all Cluster objects in this cluster's namespace, its own and copies of remote ones.
        endpoints: all Endpoint objects there, its own and copies of remote ones.
        invalid: objects of both kinds that their parsers refused.
        backends: names of the cable drivers that this cluster can speak.
    """
    own = [endpoint for endpoint in endpoints if _is_own(endpoint, local)]
    newest = max(own, key=_age_and_name, default=None)
    remote = [endpoint for endpoint in endpoints if not _is_own(endpoint, local)]
    members, refusals = _members(local, clusters)
    refusals += [refusal_of_invalid(error) for error in invalid]

    rules = screen.Rules.of(local.cluster_id, local.cidrs, members, _refused_clusters(refusals), backends)
    faults = [(endpoint, rules.fault(endpoint)) for endpoint in remote]
    refusals += [_refusal(endpoint, fault) for endpoint, fault in faults if fault is not None]
    live, superseded = _one_per_cluster([endpoint for endpoint, fault in faults if fault is None])
    peers, too_late = _arbitrate(newest, live, members)
    return Membership(
        local=newest,
        peers=tuple(sorted(peers, key=lambda peer: peer.cluster_id)),
        refusals=tuple(sorted(refusals + superseded + too_late, key=lambda refusal: refusal.rejection)),
    )


def _is_own(endpoint: Endpoint, local: LocalCluster) -> bool:
    return endpoint.origin is None and endpoint.spec.cluster_id == local.cluster_id


def _members(
    local: LocalCluster, clusters: Sequence[Cluster]
) -> tuple[dict[ClusterId, Cluster], list[Refusal]]:
    members: dict[ClusterId, Cluster] = {}
    refusals = []
    for cluster in clusters:
        if cluster.origin is None and cluster.cluster_id == local.cluster_id:
            continue
        fault = screen.cluster_fault(local.cluster_id, cluster)
        if fault is None:
            members[cluster.cluster_id] = cluster
        else:
            echo = EndpointEcho(echo_cluster(cluster.cluster_id))
            refusals.append(Refusal(fault.rejection(cluster.ref), cluster.cluster_id, echo))
    return members, refusals


def _refused_clusters(refusals: Sequence[Refusal]) -> dict[str, Rejection]:
    """Map the names of refused Cluster objects to the reason, for the Endpoints that depend on them."""
    rejections = (refusal.rejection for refusal in refusals)
    return {
        rejection.ref.name: rejection for rejection in rejections if rejection.ref.kind == cluster_kind.KIND
    }


def _one_per_cluster(endpoints: Sequence[Endpoint]) -> tuple[list[Endpoint], list[Refusal]]:
    newest: dict[ClusterId, Endpoint] = {}
    for endpoint in endpoints:
        known = newest.get(endpoint.spec.cluster_id)
        if known is None or _age_and_name(endpoint) > _age_and_name(known):
            newest[endpoint.spec.cluster_id] = endpoint
    superseded = []
    for endpoint in endpoints:
        winner = newest[endpoint.spec.cluster_id]
        if winner is not endpoint:
            superseded.append(_refusal(endpoint, screen.superseded_by(winner)))
    return list(newest.values()), superseded


def _arbitrate(
    own: Endpoint | None, live: Sequence[Endpoint], members: Mapping[ClusterId, Cluster]
) -> tuple[list[Peer], list[Refusal]]:
    """Grant networks, gateways and cable names in the order in which the Cluster objects appeared."""
    claims = Claims()
    if own is not None:
        claims.claim_gateway(own.spec)
    peers = []
    refusals = []
    for endpoint in sorted(live, key=lambda each: _seniority(members[each.spec.cluster_id])):
        fault = claims.fault(endpoint.spec)
        if fault is None:
            claims.grant(endpoint.spec)
            peers.append(Peer(endpoint.spec.cluster_id, endpoint))
        else:
            refusals.append(_refusal(endpoint, fault))
    return peers, refusals


def _age_and_name(endpoint: Endpoint) -> tuple[datetime, str]:
    return _time_or_latest(endpoint.created), endpoint.ref.name


def _seniority(cluster: Cluster) -> tuple[datetime, ClusterId]:
    return _time_or_latest(cluster.created), cluster.cluster_id


def _time_or_latest(time: datetime | None) -> datetime:
    return time or datetime.max.replace(tzinfo=UTC)


def _refusal(endpoint: Endpoint, fault: Fault) -> Refusal:
    return Refusal(fault.rejection(endpoint.ref), endpoint.spec.cluster_id, endpoint.spec)


def refusal_of_invalid(error: Invalid) -> Refusal:
    """Return the refusal of an object that its parser refused."""
    rejection = error.rejection
    echo = error.echo or echo_cluster(rejection.ref.name)
    return Refusal(rejection, str(json.loads(echo)["cluster_id"]), EndpointEcho(echo))
