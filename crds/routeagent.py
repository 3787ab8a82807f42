"""The RouteAgent object: what one node reports about its way to each remote Endpoint.

Nothing acts on a RouteAgent that was read: the parser is lenient and keeps what can be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crds.endpoint import EndpointEcho, EndpointSpec, render_spec
from crds.fields import Fields, mapping, object_fields
from crds.fit import failure_text, fit
from crds.gateway import (
    ConnectionStatus,
    Latency,
    parse_latency,
    parse_shown_spec,
    parse_status,
    render_latency,
)
from crds.meta import API_VERSION, ObjectRef

KIND = "RouteAgent"


@dataclass(frozen=True, slots=True)
class RemoteEndpoint:
    """A node's view of one remote Endpoint; `message` says in plain words what is wrong with it."""

    status: ConnectionStatus
    message: str
    spec: EndpointSpec | EndpointEcho
    latency: Latency | None = None


@dataclass(frozen=True, slots=True)
class RouteAgentStatus:
    """A node's own report. `status_failure` says why the node is not programmed, "" when it is."""

    version: str
    status_failure: str = ""
    remote_endpoints: tuple[RemoteEndpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteAgent:
    """One RouteAgent object; its name is that of the node."""

    ref: ObjectRef
    status: RouteAgentStatus


def parse_route_agent(raw: Mapping[str, Any]) -> RouteAgent:
    """Return what can be shown of a RouteAgent object. Raises Invalid only when it has no name."""
    whole = object_fields(raw, KIND)
    status = mapping(raw.get("status"))
    remote = status.get("remoteEndpoints")
    return RouteAgent(
        ref=whole.ref,
        status=RouteAgentStatus(
            version=str(status.get("version") or ""),
            status_failure=str(status.get("statusFailure") or ""),
            remote_endpoints=tuple(
                _parse_remote(whole, mapping(item)) for item in (remote if isinstance(remote, list) else [])
            ),
        ),
    )


def render_route_agent(name: str, namespace: str, status: RouteAgentStatus) -> dict[str, Any]:
    """Return the object of one node."""
    remote_endpoints, left_out = fit(map(_render_remote, status.remote_endpoints), "spec")
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace},
        "status": {
            "version": status.version,
            "statusFailure": failure_text(status.status_failure, left_out, "remote Endpoints"),
            "remoteEndpoints": remote_endpoints,
        },
    }


def _parse_remote(whole: Fields, raw: Mapping[str, Any]) -> RemoteEndpoint:
    return RemoteEndpoint(
        status=parse_status(raw.get("status")),
        message=str(raw.get("statusMessage") or ""),
        spec=parse_shown_spec(whole, raw.get("spec")),
        latency=parse_latency(raw.get("latencyRTT")),
    )


def _render_remote(remote: RemoteEndpoint) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        "status": remote.status.value,
        "statusMessage": remote.message,
        "spec": render_spec(remote.spec),
    }
    if remote.latency is not None:
        rendered["latencyRTT"] = render_latency(remote.latency)
    return rendered
