"""What `join` must know of the cluster before it writes anything: read in one go, judged elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.cli.names import CONFIG_MAP, NAMESPACE
from isthmus.kube.api import KubeApi, Object
from isthmus.kube.errors import NoSuchKind, NotFound
from isthmus.kube.resources import CONFIG_MAPS, NAMESPACES, NODES, PODS, Resource

SERVICE_CIDRS = Resource("networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR", namespaced=False)
"""Served since Kubernetes 1.33."""


@dataclass(frozen=True, slots=True)
class LocalFacts:
    """The joining cluster as it stands. `uid` is that of its kube-system namespace, which stays."""

    uid: str
    config: Object | None
    nodes: tuple[Object, ...]
    control_plane_pods: tuple[Object, ...]
    service_cidrs: tuple[Object, ...]


async def read_local_facts(api: KubeApi) -> LocalFacts:
    """Read the facts. Raises ApiError when the API server refuses one of them."""
    system = await api.get(NAMESPACES, None, "kube-system")
    return LocalFacts(
        uid=system["metadata"]["uid"],
        config=await _optional(api, CONFIG_MAPS, NAMESPACE, CONFIG_MAP),
        nodes=(await api.list(NODES)).items,
        control_plane_pods=(await api.list(PODS, "kube-system")).items,
        service_cidrs=await _service_cidrs(api),
    )


async def _optional(api: KubeApi, resource: Resource, namespace: str, name: str) -> Object | None:
    try:
        return await api.get(resource, namespace, name)
    except NotFound:
        return None


async def _service_cidrs(api: KubeApi) -> tuple[Object, ...]:
    try:
        return (await api.list(SERVICE_CIDRS)).items
    except NoSuchKind:
        return ()
