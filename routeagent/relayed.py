"""What the gateway refused at the broker never reaches this cluster's nodes; each still tells of it. Pure.

So somebody who asks a node why a cluster is not reached finds the reason there, too.
"""

from __future__ import annotations

from collections.abc import Iterable

from crds.endpoint import EndpointEcho, EndpointSpec, render_spec
from crds.gateway import ConnectionStatus, Gateway, HaStatus
from crds.routeagent import RemoteEndpoint
from isthmus.membership.judge import REFUSED


def relayed(gateways: Iterable[Gateway], shown: Iterable[RemoteEndpoint]) -> tuple[RemoteEndpoint, ...]:
    """The leading gateway's refusals but those that this node has come to itself and *shown*."""
    known = {(_cluster_id(entry.spec), entry.message) for entry in shown}
    return tuple(
        RemoteEndpoint(ConnectionStatus.ERROR, connection.message, connection.endpoint)
        for gateway in gateways
        if gateway.status.ha_status is HaStatus.ACTIVE
        for connection in gateway.status.connections
        if connection.status is ConnectionStatus.ERROR
        and connection.message.startswith(REFUSED)
        and (_cluster_id(connection.endpoint), connection.message) not in known
    )


def _cluster_id(spec: EndpointSpec | EndpointEcho) -> str:
    return str(render_spec(spec).get("cluster_id", ""))
