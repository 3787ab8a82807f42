"""Rows of `isthmus show`, from records: what each column means is decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from crds.cluster import Cluster
from crds.endpoint import EndpointEcho, EndpointSpec, render_spec
from crds.gateway import Connection, ConnectionStatus, Gateway, HaStatus
from crds.meta import IPNetwork
from isthmus.cli.output import Table

NONE = "-"
_CONNECTION_COLUMNS = (
    "GATEWAY",
    "CLUSTER",
    "REMOTE IP",
    "NAT",
    "CABLE DRIVER",
    "SUBNETS",
    "STATUS",
    "RTT avg.",
    "MESSAGE",
)


def cluster_table(clusters: Sequence[Cluster]) -> Table:
    """One row per member cluster known here; `local` marks this cluster's own object."""
    ordered = sorted(clusters, key=lambda cluster: (cluster.origin is not None, cluster.cluster_id))
    return Table(
        columns=("CLUSTER", "SERVICE CIDRS", "CLUSTER CIDRS", "ORIGIN"),
        rows=tuple(
            (
                cluster.cluster_id,
                _networks(cluster.service_cidrs),
                _networks(cluster.cluster_cidrs),
                _origin(cluster),
            )
            for cluster in ordered
        ),
        data=tuple(
            {
                "cluster": cluster.cluster_id,
                "serviceCIDRs": [str(network) for network in cluster.service_cidrs],
                "clusterCIDRs": [str(network) for network in cluster.cluster_cidrs],
                "globalCIDRs": [str(network) for network in cluster.global_cidrs],
                "origin": _origin(cluster),
            }
            for cluster in ordered
        ),
    )


def _origin(cluster: Cluster) -> str:
    return "local" if cluster.origin is None else "remote"


def gateway_table(gateways: Sequence[Gateway]) -> Table:
    """One row per gateway node: its role and how its connections stand."""
    ordered = sorted(gateways, key=lambda gateway: gateway.ref.name)
    return Table(
        columns=("NODE", "HA STATUS", "SUMMARY"),
        rows=tuple((_node(gateway), gateway.status.ha_status.value, summary(gateway)) for gateway in ordered),
        data=tuple(
            {
                "node": _node(gateway),
                "haStatus": gateway.status.ha_status.value,
                "version": gateway.status.version,
                "statusFailure": gateway.status.status_failure,
                "summary": summary(gateway),
            }
            for gateway in ordered
        ),
    )


def summary(gateway: Gateway) -> str:
    """Say in a few words how a gateway's connections stand; its own failure comes first."""
    connections = gateway.status.connections
    if gateway.status.status_failure:
        return gateway.status.status_failure
    if not connections:
        return "standby" if gateway.status.ha_status is HaStatus.PASSIVE else "no connections"
    up = sum(connection.status is ConnectionStatus.CONNECTED for connection in connections)
    if up == len(connections):
        return f"all {up} established"
    return f"{up} of {len(connections)} established"


def connection_table(gateways: Sequence[Gateway]) -> Table:
    """One row per connection; a message appears only where something is wrong."""
    pairs = [(gateway, connection) for gateway in gateways for connection in gateway.status.connections]
    pairs.sort(key=lambda pair: (pair[0].ref.name, _cluster(pair[1]), _cable(pair[1])))
    rows = [_connection_row(connection) for _, connection in pairs]
    # Without a message the column would only widen the table.
    shown = len(_CONNECTION_COLUMNS) - (not any(row[-1] for row in rows))
    return Table(
        columns=_CONNECTION_COLUMNS[:shown],
        rows=tuple(row[:shown] for row in rows),
        data=tuple(_connection_data(gateway, connection) for gateway, connection in pairs),
    )


def _connection_row(connection: Connection) -> tuple[str, ...]:
    shown = connection.message if connection.status is not ConnectionStatus.CONNECTED else ""
    if isinstance(connection.endpoint, EndpointEcho):
        return (NONE, NONE, NONE, NONE, NONE, NONE, connection.status.value, NONE, shown)
    spec = connection.endpoint
    return (
        spec.hostname,
        spec.cluster_id,
        _remote_ip(connection, spec),
        {True: "yes", False: "no", None: NONE}[connection.using_nat],
        spec.backend,
        _networks(spec.subnets),
        connection.status.value,
        milliseconds(connection.latency.average) if connection.latency else NONE,
        shown,
    )


def _connection_data(gateway: Gateway, connection: Connection) -> dict[str, Any]:
    latency = connection.latency
    return {
        "localGateway": _node(gateway),
        "status": connection.status.value,
        "message": connection.message,
        "endpoint": render_spec(connection.endpoint),
        "usingIP": str(connection.using_ip) if connection.using_ip else "",
        "usingNAT": connection.using_nat,
        "rttSeconds": latency.average if latency else None,
    }


def _remote_ip(connection: Connection, spec: EndpointSpec) -> str:
    if connection.using_ip:
        return str(connection.using_ip)
    if spec.nat_enabled and spec.public_ip:
        return str(spec.public_ip)
    return str(spec.private_ip)


def endpoint_table(gateways: Sequence[Gateway]) -> Table:
    """One local row per gateway and one remote row per connection."""
    found = [
        (spec, origin)
        for gateway in sorted(gateways, key=lambda gateway: gateway.ref.name)
        for spec, origin in _endpoints(gateway)
    ]
    return Table(
        columns=("CLUSTER", "ENDPOINT IP", "PUBLIC IP", "CABLE DRIVER", "TYPE"),
        rows=tuple(
            (
                spec.cluster_id,
                str(spec.private_ip),
                str(spec.public_ip) if spec.public_ip else NONE,
                spec.backend,
                origin,
            )
            for spec, origin in found
        ),
        data=tuple({"type": origin, "spec": render_spec(spec)} for spec, origin in found),
    )


def _endpoints(gateway: Gateway) -> Iterable[tuple[EndpointSpec, str]]:
    if isinstance(gateway.status.local_endpoint, EndpointSpec):
        yield gateway.status.local_endpoint, "local"
    for connection in gateway.status.connections:
        if isinstance(connection.endpoint, EndpointSpec):
            yield connection.endpoint, "remote"


def milliseconds(seconds: float) -> str:
    """Print a round-trip time as a person reads it."""
    return f"{seconds * 1000:.2f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def _node(gateway: Gateway) -> str:
    local = gateway.status.local_endpoint
    return local.hostname if isinstance(local, EndpointSpec) and local.hostname else gateway.ref.name


def _cluster(connection: Connection) -> str:
    return connection.endpoint.cluster_id if isinstance(connection.endpoint, EndpointSpec) else ""


def _cable(connection: Connection) -> str:
    return connection.endpoint.cable_name if isinstance(connection.endpoint, EndpointSpec) else ""


def _networks(networks: Iterable[IPNetwork]) -> str:
    return ", ".join(str(network) for network in networks) or NONE
