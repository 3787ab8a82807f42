"""Announces this cluster: its Cluster object, its one Endpoint; withdraws Endpoints of former gateways.

The Cluster goes first: peers honour no Endpoint without it.
"""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.kube.writer import ensure

from crds.cluster import render_cluster
from crds.endpoint import Endpoint, EndpointSpec, endpoint_name, render_endpoint
from isthmus.kube.api import KubeApi
from isthmus.kube.errors import NotFound
from isthmus.kube.resources import CLUSTERS, ENDPOINTS
from isthmus.membership.judge import LocalCluster
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome

STEP = "announcement"


async def publish(
    api: KubeApi, namespace: str, local: LocalCluster, spec: EndpointSpec, published: Iterable[Endpoint]
) -> Outcome:
    """Make our objects say what they should, then remove those of *published* that are not ours any more.

    Nothing is removed while our own Endpoint could not be written: a former gateway's is better than none.
    """
    added = changed = removed = 0
    cluster = render_cluster(
        local.cluster_id, local.service_cidrs, local.cluster_cidrs, local.global_cidrs, namespace
    )
    try:
        for resource, body in ((CLUSTERS, cluster), (ENDPOINTS, render_endpoint(spec, namespace))):
            result = await ensure(api, resource, body)
            added += result == "created"
            changed += result == "changed"
        for former in published:
            if former.ref.name != endpoint_name(spec):
                removed += await _withdraw(api, former)
    except Transient as failure:
        return Outcome(STEP, added, changed, removed, (failure,))
    return Outcome(STEP, added, changed, removed)


async def _withdraw(api: KubeApi, former: Endpoint) -> int:
    try:
        await api.delete(ENDPOINTS, former.ref.namespace, former.ref.name)
    except NotFound:
        return 0
    return 1
