"""The Gateway object: what one gateway node reports of itself and of each of its connections.

Nothing acts on a Gateway that was read: the parser is lenient and keeps what can be shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from crds.duration import parse_duration, render_duration
from crds.echo import echo_endpoint
from crds.endpoint import EndpointEcho, EndpointSpec, parse_spec, render_spec
from crds.fields import Fields, mapping, object_fields
from crds.fit import failure_text, fit
from crds.meta import API_VERSION, Invalid, IPAddress, ObjectRef
from crds.network import BadNetwork, parse_address

KIND = "Gateway"

_UNIX_SECOND = re.compile(r"[0-9]{1,15}")
UPDATE_TIMESTAMP = "update-timestamp"
"""Annotation with the Unix second of the last write; the object of a dead gateway is known by its age."""


class ConnectionStatus(StrEnum):
    """State of a connection; `NONE` is only ever read, from members that report nothing yet."""

    CONNECTED = "connected"
    CONNECTING = "connecting"
    ERROR = "error"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Latency:
    """Round-trip times in seconds."""

    last: float
    minimum: float
    average: float
    maximum: float
    std_dev: float


@dataclass(frozen=True, slots=True)
class Connection:
    """A gateway's connection to one peer; `message` says in plain words what keeps it from working."""

    status: ConnectionStatus
    message: str
    endpoint: EndpointSpec | EndpointEcho
    using_ip: IPAddress | None = None
    using_nat: bool | None = None
    latency: Latency | None = None


class HaStatus(StrEnum):
    """Whether a gateway leads its cluster or stands by."""

    ACTIVE = "active"
    PASSIVE = "passive"


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """A gateway's own report. `status_failure` says why it does not work, "" when it does."""

    version: str
    ha_status: HaStatus
    local_endpoint: EndpointSpec | EndpointEcho
    status_failure: str = ""
    connections: tuple[Connection, ...] = ()


@dataclass(frozen=True, slots=True)
class Gateway:
    """One Gateway object; `updated` is the Unix second of its last write."""

    ref: ObjectRef
    status: GatewayStatus
    updated: int | None


def parse_gateway(raw: Mapping[str, Any]) -> Gateway:
    """Return what can be shown of a Gateway object. Raises Invalid only when it has no name."""
    whole = object_fields(raw, KIND)
    status = mapping(raw.get("status"))
    stamp = str(mapping(mapping(raw.get("metadata")).get("annotations")).get(UPDATE_TIMESTAMP, ""))
    connections = status.get("connections")
    return Gateway(
        ref=whole.ref,
        status=GatewayStatus(
            version=str(status.get("version") or ""),
            ha_status=HaStatus.ACTIVE if status.get("haStatus") == HaStatus.ACTIVE else HaStatus.PASSIVE,
            local_endpoint=parse_shown_spec(whole, status.get("localEndpoint")),
            status_failure=str(status.get("statusFailure") or ""),
            connections=tuple(
                parse_connection(whole, mapping(item))
                for item in (connections if isinstance(connections, list) else [])
            ),
        ),
        updated=int(stamp) if _UNIX_SECOND.fullmatch(stamp) else None,
    )


def render_gateway(name: str, namespace: str, status: GatewayStatus, update_timestamp: int) -> dict[str, Any]:
    """Return the object of one gateway. *update_timestamp* is in Unix seconds."""
    connections, left_out = fit(map(render_connection, status.connections), "endpoint")
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": {UPDATE_TIMESTAMP: str(update_timestamp)},
        },
        "status": {
            "version": status.version,
            "haStatus": status.ha_status.value,
            "localEndpoint": render_spec(status.local_endpoint),
            "statusFailure": failure_text(status.status_failure, left_out, "connections"),
            "connections": connections,
        },
    }


def parse_connection(whole: Fields, raw: Mapping[str, Any]) -> Connection:
    """Return what can be shown of one connection; *whole* is the object that holds it."""
    using_nat = raw.get("usingNAT")
    return Connection(
        status=parse_status(raw.get("status")),
        message=str(raw.get("statusMessage") or ""),
        endpoint=parse_shown_spec(whole, raw.get("endpoint")),
        using_ip=_shown_address(raw.get("usingIP")),
        using_nat=using_nat if isinstance(using_nat, bool) else None,
        latency=parse_latency(raw.get("latencyRTT")),
    )


def render_connection(connection: Connection) -> dict[str, Any]:
    """Return one entry of a Gateway's connections."""
    rendered: dict[str, Any] = {
        "status": connection.status.value,
        "statusMessage": connection.message,
        "endpoint": render_spec(connection.endpoint),
    }
    if connection.using_ip is not None:
        rendered["usingIP"] = str(connection.using_ip)
    if connection.using_nat is not None:
        rendered["usingNAT"] = connection.using_nat
    if connection.latency is not None:
        rendered["latencyRTT"] = render_latency(connection.latency)
    return rendered


def parse_shown_spec(whole: Fields, spec: object) -> EndpointSpec | EndpointEcho:
    """Return the spec inside a status; one that could not be honoured comes back as an echo."""
    try:
        return parse_spec(Fields(whole.ref, mapping(spec), "status"))
    except Invalid:
        return EndpointEcho(echo_endpoint(spec))


def parse_status(value: object) -> ConnectionStatus:
    """Return the state that *value* names, `NONE` for one that is not known."""
    try:
        return ConnectionStatus(str(value))
    except ValueError:
        return ConnectionStatus.NONE


def parse_latency(value: object) -> Latency | None:
    """Return the round-trip times of a status, None when there are none."""
    if not isinstance(value, Mapping):
        return None
    last, minimum, average, maximum, std_dev = (
        parse_duration(str(value.get(field) or "0s")) or 0.0
        for field in ("last", "min", "average", "max", "stdDev")
    )
    return Latency(last, minimum, average, maximum, std_dev)


def render_latency(latency: Latency) -> dict[str, str]:
    """Return round-trip times as Go duration text."""
    return {
        "last": render_duration(latency.last),
        "min": render_duration(latency.minimum),
        "average": render_duration(latency.average),
        "max": render_duration(latency.maximum),
        "stdDev": render_duration(latency.std_dev),
    }


def _shown_address(value: object) -> IPAddress | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        return parse_address(value)
    except BadNetwork:
        return None
