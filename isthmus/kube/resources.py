"""Which kinds of objects Isthmus speaks of, and the address of each at an API server."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """One kind as the API serves it; `group` is "" for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None, name: str = "") -> str:
        """The URL path of one object, or of the collection; without namespace, of all namespaces."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{quote(namespace, safe='')}" if namespace and self.namespaced else ""
        return f"{root}{scope}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


CLUSTERS = Resource("submariner.io", "v1", "clusters", "Cluster")
ENDPOINTS = Resource("submariner.io", "v1", "endpoints", "Endpoint")
GATEWAYS = Resource("submariner.io", "v1", "gateways", "Gateway")
ROUTE_AGENTS = Resource("submariner.io", "v1", "routeagents", "RouteAgent")

NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
PODS = Resource("", "v1", "pods", "Pod")
SERVICES = Resource("", "v1", "services", "Service")
SECRETS = Resource("", "v1", "secrets", "Secret")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
EVENTS = Resource("", "v1", "events", "Event")
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
CLUSTER_ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_ROLE_BINDINGS = Resource(
    "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False
)
CRDS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)

RESOURCE_BY_KIND = MappingProxyType(
    {
        resource.kind: resource
        for resource in (
            CLUSTERS,
            ENDPOINTS,
            GATEWAYS,
            ROUTE_AGENTS,
            NODES,
            PODS,
            SERVICES,
            SECRETS,
            CONFIG_MAPS,
            SERVICE_ACCOUNTS,
            NAMESPACES,
            EVENTS,
            ENDPOINT_SLICES,
            LEASES,
            ROLES,
            ROLE_BINDINGS,
            CLUSTER_ROLES,
            CLUSTER_ROLE_BINDINGS,
            CRDS,
        )
    }
)
"""`Endpoint` and `Event` mean submariner.io's and the core group's: Isthmus uses no other of that name."""
