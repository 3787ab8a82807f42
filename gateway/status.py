"""What a gateway tells about itself: cables, refusals and pings become a Gateway status. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from crds.echo import echo_endpoint, shorten
from crds.endpoint import EndpointEcho, EndpointSpec
from crds.gateway import Connection, ConnectionStatus, GatewayStatus, HaStatus
from crds.meta import ClusterId, NodeName
from gateway.drivers import CableState
from gateway.health.stats import PeerHealth, Reach
from gateway.plan.cables import Cable
from isthmus.membership.judge import Refusal

LONGEST_FAILURE = 1024
"""Characters of `statusFailure`."""
NOT_YET = CableState(ConnectionStatus.CONNECTING, "the tunnel has not been set up yet")


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the status of one gateway is made of."""

    version: str
    active: bool
    local: EndpointSpec | EndpointEcho
    cables: tuple[Cable, ...] = ()
    states: Mapping[str, CableState] | None = None
    """None when the tunnel daemon does not answer; `driver_trouble` then says so."""
    driver_trouble: str = ""
    refusals: tuple[Refusal, ...] = ()
    health: Mapping[str, PeerHealth] | None = None
    troubles: tuple[str, ...] = ()


def gateway_status(report: Report) -> GatewayStatus:
    """The status to write; a passive gateway has no connections."""
    troubles = list(dict.fromkeys([*report.troubles, report.driver_trouble]))
    failure = "; ".join(trouble for trouble in troubles if trouble)
    return GatewayStatus(
        version=report.version,
        ha_status=HaStatus.ACTIVE if report.active else HaStatus.PASSIVE,
        local_endpoint=report.local,
        status_failure=shorten(failure, LONGEST_FAILURE),
        connections=_connections(report) if report.active else (),
    )


def _connections(report: Report) -> tuple[Connection, ...]:
    health = report.health or {}
    shown = [
        _connection(cable, _state(report, cable.cable_name), health.get(cable.cable_name))
        for cable in report.cables
    ]
    return (*shown, *(_refused(refusal) for refusal in report.refusals))


def _state(report: Report, name: str) -> CableState:
    if report.states is None:
        return CableState(ConnectionStatus.ERROR, report.driver_trouble)
    return report.states.get(name, NOT_YET)


def _connection(cable: Cable, state: CableState, health: PeerHealth | None) -> Connection:
    shown = Connection(
        status=state.status,
        message=state.message,
        endpoint=cable.remote,
        using_ip=state.using_ip or cable.address,
        using_nat=cable.nat if state.using_nat is None else state.using_nat,
        latency=health.round_trips.latency() if health else None,
    )
    if health is None:
        return shown
    if state.status is ConnectionStatus.CONNECTED and health.reach is Reach.LOST:
        return replace(shown, status=ConnectionStatus.ERROR, message=health.message)
    if state.status is ConnectionStatus.ERROR and health.reach is Reach.REACHED:
        # Packets come back, so the tunnel carries traffic whatever its last negotiation said.
        return replace(shown, status=ConnectionStatus.CONNECTED)
    return shown


def _refused(refusal: Refusal) -> Connection:
    return Connection(ConnectionStatus.ERROR, refusal.message, refusal.endpoint)


def unknown_endpoint(cluster_id: ClusterId, node: NodeName) -> EndpointEcho:
    """What to show as our Endpoint while the host's facts cannot be read."""
    return EndpointEcho(echo_endpoint({"cluster_id": cluster_id, "hostname": node, "backend": "libreswan"}))
