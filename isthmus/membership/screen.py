"""The rules that one remote object must meet on its own, before it is compared with other members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crds.cluster import Cluster
from crds.endpoint import Endpoint
from crds.meta import CLUSTER_ID_LABEL, ClusterId, IPNetwork, Rejection
from isthmus.membership.fault import Fault
from isthmus.membership.ranges import Ranges, span

_CIDRS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Rules:
    """What an Endpoint is held against; `refused_clusters` maps names of Cluster objects to their refusal."""

    local_id: ClusterId
    local_cidrs: tuple[IPNetwork, ...]
    local_ranges: Ranges
    members: Mapping[ClusterId, Cluster]
    refused_clusters: Mapping[str, Rejection]
    backends: frozenset[str]

    @classmethod
    def of(
        cls,
        local_id: ClusterId,
        local_cidrs: tuple[IPNetwork, ...],
        members: Mapping[ClusterId, Cluster],
        refused_clusters: Mapping[str, Rejection],
        backends: frozenset[str],
    ) -> Rules:
        return cls(local_id, local_cidrs, Ranges.of(local_cidrs), members, refused_clusters, backends)

    def fault(self, endpoint: Endpoint) -> Fault | None:
        """Return the first rule that a remote Endpoint breaks."""
        return (
            origin_fault(self.local_id, endpoint.spec.cluster_id, endpoint.origin)
            or self._backend_fault(endpoint)
            or self._member_fault(endpoint)
            or self._subnet_fault(endpoint)
        )

    def _backend_fault(self, endpoint: Endpoint) -> Fault | None:
        backend = endpoint.spec.backend
        if backend in self.backends:
            return None
        known = ", ".join(sorted(self.backends))
        reason = (
            f'"{backend}" is not a cable driver of this cluster, which has: {known}; both must use the same'
        )
        return Fault("spec.backend", reason)

    def _member_fault(self, endpoint: Endpoint) -> Fault | None:
        cluster_id = endpoint.spec.cluster_id
        if cluster_id in self.members:
            return None
        refused = self.refused_clusters.get(cluster_id)
        if refused is not None:
            return Fault(
                "spec.cluster_id", f"its Cluster object is refused: {refused.field}: {refused.reason}"
            )
        reason = (
            f"waiting for the Cluster object of {cluster_id}, which says what {cluster_id} may publish; "
            f"if it stays away, check the gateway of {cluster_id}"
        )
        return Fault("spec.cluster_id", reason)

    def _subnet_fault(self, endpoint: Endpoint) -> Fault | None:
        allowed = self.members[endpoint.spec.cluster_id].cidrs
        allowed_ranges = Ranges.of(allowed)
        for index, subnet in enumerate(endpoint.spec.subnets):
            wanted = span(subnet)
            if self.local_ranges.touches(wanted):
                ours = next(cidr for cidr in self.local_cidrs if Ranges.of([cidr]).touches(wanted))
                reason = (
                    f"{subnet} overlaps {ours} of this cluster; one of the two clusters needs other CIDRs"
                )
                return Fault(f"spec.subnets[{index}]", reason)
            if not allowed_ranges.covers(wanted):
                reason = f"{subnet} is outside the CIDRs of its Cluster object ({_shown(allowed)})"
                return Fault(f"spec.subnets[{index}]", reason)
        return None


def cluster_fault(local_id: ClusterId, cluster: Cluster) -> Fault | None:
    """Return the first rule that a remote Cluster object breaks."""
    fault = origin_fault(local_id, cluster.cluster_id, cluster.origin)
    if fault is None and cluster.ref.name != cluster.cluster_id:
        return Fault("metadata.name", f'must be "{cluster.cluster_id}", the cluster id in its spec')
    return fault


def origin_fault(local_id: ClusterId, claimed: ClusterId, origin: str | None) -> Fault | None:
    """Return what is wrong with who an object says it is from; *origin* is its clusterID label."""
    if claimed == local_id:
        reason = f'"{claimed}" is this cluster\'s own id, but the object came from cluster "{origin}"'
        return Fault("spec.cluster_id", f"{reason}; every cluster needs an id of its own")
    if origin is None:
        reason = f"has no label {CLUSTER_ID_LABEL}, so it is no copy of an object of {claimed}; delete it"
        return Fault("metadata.labels", reason)
    if origin != claimed:
        reason = f'says "{claimed}", but the object came from cluster "{origin}"'
        return Fault("spec.cluster_id", f"{reason}, which may publish only under its own id")
    return None


def superseded_by(winner: Endpoint) -> Fault:
    """Return why the older of two Endpoints of one cluster is not honoured."""
    reason = f"superseded by the newer {winner.ref.name} of the same cluster, whose gateway removes this one"
    return Fault("metadata.name", reason)


def _shown(cidrs: tuple[IPNetwork, ...]) -> str:
    texts = [str(cidr) for cidr in cidrs[:_CIDRS_SHOWN]]
    if len(cidrs) > _CIDRS_SHOWN:
        texts.append(f"{len(cidrs) - _CIDRS_SHOWN} more")
    return ", ".join(texts) or "it names none"
