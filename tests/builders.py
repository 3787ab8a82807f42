"""Short ways to write the records and objects that tests talk about.

`endpoint("west", "10.1.0.0/16")` is the Endpoint of west as a remote copy in this cluster; every part that a
test cares about can be given by name, the rest is plausible and derived from the cluster id alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from crds.cluster import Cluster, render_cluster
from crds.endpoint import Endpoint, EndpointSpec, cable_name, endpoint_name, render_endpoint
from crds.meta import CLUSTER_ID_LABEL, ClusterId, IPAddress, IPNetwork, ObjectRef

NAMESPACE = "submariner-operator"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def networks(*texts: str) -> tuple[IPNetwork, ...]:
    """Return the networks that *texts* name."""
    return tuple(ip_network(text) for text in texts)


def gateway_address(cluster_id: str) -> IPv4Address:
    """Return the private address that a cluster's gateway has unless a test says otherwise."""
    return IPv4Address("172.16.0.1") + zlib.crc32(cluster_id.encode()) % 65_000


def minutes(count: float) -> datetime:
    """Return the time *count* minutes after the epoch of the tests."""
    return EPOCH + timedelta(minutes=count)


def endpoint_spec(
    cluster_id: str,
    *subnets: str,
    private_ip: str = "",
    config: Mapping[str, str] | None = None,
    **fields: Any,
) -> EndpointSpec:
    """Return a spec; *fields* are those of EndpointSpec, addresses among them as text or value."""
    private: IPAddress = ip_address(private_ip) if private_ip else gateway_address(cluster_id)
    for field in ("public_ip", "health_check_ip"):
        if isinstance(fields.get(field), str):
            fields[field] = ip_address(fields[field])
    defaults: dict[str, Any] = {
        "cluster_id": ClusterId(cluster_id),
        "cable_name": cable_name(ClusterId(cluster_id), private),
        "hostname": f"{cluster_id}-gateway",
        "subnets": networks(*subnets),
        "private_ip": private,
        "backend_config": tuple(sorted((config or {}).items())),
    }
    return EndpointSpec(**(defaults | fields))


def endpoint(
    cluster_id: str,
    *subnets: str,
    created: datetime | None = EPOCH,
    origin: str | None = "",
    name: str = "",
    **fields: Any,
) -> Endpoint:
    """Return the remote copy of an Endpoint; *origin* None makes it an Endpoint of this cluster."""
    spec = endpoint_spec(cluster_id, *subnets, **fields)
    return Endpoint(
        ref=ObjectRef("Endpoint", NAMESPACE, name or endpoint_name(spec)),
        spec=spec,
        created=created,
        origin=cluster_id if origin == "" else origin,
    )


def cluster(
    cluster_id: str,
    *service_cidrs: str,
    pods: tuple[str, ...] = (),
    created: datetime | None = EPOCH,
    origin: str | None = "",
    name: str = "",
) -> Cluster:
    """Return the remote copy of a Cluster; *origin* None makes it this cluster's own."""
    return Cluster(
        ref=ObjectRef("Cluster", NAMESPACE, name or cluster_id),
        cluster_id=ClusterId(cluster_id),
        service_cidrs=networks(*service_cidrs),
        cluster_cidrs=networks(*pods),
        global_cidrs=(),
        created=created,
        origin=cluster_id if origin == "" else origin,
    )


def endpoint_object(
    cluster_id: str, *subnets: str, namespace: str = NAMESPACE, origin: str | None = None, **fields: Any
) -> dict[str, Any]:
    """Return an Endpoint as JSON, with the clusterID label when *origin* is given."""
    return _labelled(render_endpoint(endpoint_spec(cluster_id, *subnets, **fields), namespace), origin)


def cluster_object(
    cluster_id: str,
    *service_cidrs: str,
    pods: tuple[str, ...] = (),
    namespace: str = NAMESPACE,
    origin: str | None = None,
) -> dict[str, Any]:
    """Return a Cluster as JSON, with the clusterID label when *origin* is given."""
    rendered = render_cluster(ClusterId(cluster_id), networks(*service_cidrs), networks(*pods), (), namespace)
    return _labelled(rendered, origin)


def _labelled(rendered: dict[str, Any], origin: str | None) -> dict[str, Any]:
    if origin is not None:
        rendered["metadata"]["labels"] = {CLUSTER_ID_LABEL: origin}
    return rendered
