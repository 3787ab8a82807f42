"""`isthmus show`: what the clusters of a kubeconfig report of themselves. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from crds.cluster import parse_cluster
from crds.gateway import Gateway, parse_gateway
from crds.meta import Invalid
from isthmus.cli.faults import Fault
from isthmus.cli.output import Format, Progress, Table, render_data, render_table
from isthmus.cli.tables import cluster_table, connection_table, endpoint_table, gateway_table
from isthmus.kube.api import KubeApi
from isthmus.kube.errors import NoSuchKind
from isthmus.kube.resources import CLUSTERS, GATEWAYS, Resource

R = TypeVar("R")


class Subject(StrEnum):
    """What can be shown."""

    CLUSTERS = "clusters"
    ENDPOINTS = "endpoints"
    CONNECTIONS = "connections"
    GATEWAYS = "gateways"


async def read_table(api: KubeApi, namespace: str, subject: Subject, progress: Progress) -> Table:
    """Read one cluster's objects and lay them out.

    Raises:
        Fault: this cluster has nothing of the kind, because it has not joined or no gateway runs.
        ApiError: the API server refused.
    """
    if subject is Subject.CLUSTERS:
        clusters = await _read(api, CLUSTERS, namespace, parse_cluster, progress)
        if not clusters:
            raise Fault(
                f"no Cluster objects in namespace {namespace}: join it with 'isthmus join', then wait"
            )
        return cluster_table(clusters)
    gateways = await _read(api, GATEWAYS, namespace, parse_gateway, progress)
    if not gateways:
        raise Fault(
            f"no gateway reports in namespace {namespace}: join with 'isthmus join' and check that a node "
            "carries the label submariner.io/gateway=true and runs isthmus-gateway"
        )
    return _GATEWAY_TABLES[subject](gateways)


_GATEWAY_TABLES: Mapping[Subject, Callable[[Sequence[Gateway]], Table]] = {
    Subject.ENDPOINTS: endpoint_table,
    Subject.CONNECTIONS: connection_table,
    Subject.GATEWAYS: gateway_table,
}


async def _read(
    api: KubeApi,
    resource: Resource,
    namespace: str,
    parse: Callable[[Mapping[str, Any]], R],
    progress: Progress,
) -> list[R]:
    try:
        listed = await api.list(resource, namespace)
    except NoSuchKind:
        raise Fault(
            f"the cluster at {api.server} does not know {resource.kind} objects: join it with 'isthmus join'"
        ) from None
    found: list[R] = []
    for item in listed.items:
        try:
            found.append(parse(item))
        except Invalid as refusal:
            progress.warned(f"left out: {refusal}")
    return found


def render_results(tables: Mapping[str, Table], form: Format) -> str:
    """Print the tables of all clusters, each under its cluster's name, or one document for programs."""
    if form is not Format.TABLE:
        return render_data({cluster: table.data for cluster, table in tables.items()}, form)
    return "\n".join(_render_block(cluster, table) for cluster, table in tables.items())


def _render_block(cluster: str, table: Table) -> str:
    return f'Cluster "{cluster}"\n' + (render_table(table) if table.rows else "(none)\n")
