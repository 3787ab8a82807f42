"""Announces this cluster: its Cluster object, its one Endpoint; withdraws Endpoints of former gateways.

The Cluster goes first: peers honour no Endpoint without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from broker.transform import ItemKey
from crds.cluster import Cluster, render_cluster
from crds.endpoint import Endpoint, EndpointSpec, endpoint_name, render_endpoint
from isthmus.kube.api import KubeApi, Object
from isthmus.kube.resources import CLUSTERS, ENDPOINTS, Resource
from isthmus.kube.writer import ensure, remove
from isthmus.membership.judge import LocalCluster
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome

STEP = "announcement"


@dataclass(frozen=True, slots=True)
class Announcement:
    """What this cluster says of itself."""

    local: LocalCluster
    spec: EndpointSpec

    @property
    def keys(self) -> frozenset[ItemKey]:
        """The two objects that say it."""
        return frozenset({(CLUSTERS.kind, self.local.cluster_id), (ENDPOINTS.kind, endpoint_name(self.spec))})


async def publish(
    api: KubeApi, namespace: str, wanted: Announcement, clusters: Iterable[Cluster], own: Sequence[Endpoint]
) -> Outcome:
    """Make our objects say what they should, then remove those of *own* that are not ours any more.

    *clusters* and *own* are the objects as they are known; what is right there costs no call. Nothing is
    removed while our own Endpoint could not be written: a former gateway's is better than none.
    """
    added = changed = removed = 0
    try:
        for resource, body in _missing(namespace, wanted, clusters, own):
            result = await ensure(api, resource, body)
            added += result == "created"
            changed += result == "changed"
        for former in own:
            if former.ref.name != endpoint_name(wanted.spec):
                removed += await remove(api, ENDPOINTS, namespace, former.ref.name)
    except Transient as failure:
        return Outcome(STEP, added, changed, removed, (failure,))
    return Outcome(STEP, added, changed, removed)


def _missing(
    namespace: str, wanted: Announcement, clusters: Iterable[Cluster], own: Iterable[Endpoint]
) -> Iterator[tuple[Resource, Object]]:
    """The objects to write, in this order."""
    local = wanted.local
    if not any(one.origin is None and _says(one, local) for one in clusters):
        body = render_cluster(
            local.cluster_id, local.service_cidrs, local.cluster_cidrs, local.global_cidrs, namespace
        )
        yield CLUSTERS, body
    name = endpoint_name(wanted.spec)
    if not any(one.ref.name == name and one.spec == wanted.spec for one in own):
        yield ENDPOINTS, render_endpoint(wanted.spec, namespace)


def _says(cluster: Cluster, local: LocalCluster) -> bool:
    return (cluster.ref.name, cluster.cluster_id, cluster.cidrs) == (
        local.cluster_id,
        local.cluster_id,
        local.cidrs,
    )
