from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from crds.endpoint import EndpointEcho
from crds.gateway import ConnectionStatus, HaStatus
from crds.meta import ClusterId, NodeName, ObjectRef, Rejection
from gateway.drivers import CableState
from gateway.health.stats import PeerHealth, Reach, answered
from gateway.plan.cables import plan_cable
from gateway.status import NOT_YET, Report, gateway_status, unknown_endpoint
from isthmus.membership.judge import Refusal
from tests.builders import endpoint_spec

LOCAL = endpoint_spec("east", "10.96.0.0/16")
WEST = endpoint_spec("west", "10.97.0.0/16", health_check_ip="10.97.0.1")
BAD = ObjectRef("Endpoint", "ns", "bad")
CABLE = plan_cable(LOCAL, WEST)
CONNECTED = CableState(ConnectionStatus.CONNECTED, using_ip=ip_address("192.0.2.1"), using_nat=True)
BROKEN = CableState(ConnectionStatus.ERROR, "the peer has another pre-shared key")
SILENT = PeerHealth(ip_address("10.97.0.1"))
HEALTHY = answered(SILENT, 0.002)
LOST = replace(HEALTHY, reach=Reach.LOST, message="the last 6 pings got no answer")


def report(state: CableState | None = None, health: PeerHealth | None = None) -> Report:
    name = CABLE.cable_name
    return Report(
        version="1",
        active=True,
        local=LOCAL,
        cables=(CABLE,),
        states={name: state} if state else {},
        health={name: health} if health else {},
    )


def shown(state: CableState | None = None, health: PeerHealth | None = None) -> tuple[str, str]:
    (connection,) = gateway_status(report(state, health)).connections
    return connection.status.value, connection.message


def test_a_connected_cable_with_answered_pings_shows_its_round_trip_times():
    (connection,) = gateway_status(report(CONNECTED, HEALTHY)).connections

    assert (connection.status, connection.message) == (ConnectionStatus.CONNECTED, "")
    assert connection.latency is not None
    assert connection.latency.average == 0.002
    assert (connection.using_ip, connection.using_nat) == (ip_address("192.0.2.1"), True)
    assert connection.endpoint == WEST


def test_a_connected_cable_whose_pings_are_lost_is_in_error_and_says_so():
    assert shown(CONNECTED, LOST) == ("error", "the last 6 pings got no answer")


def test_a_connected_cable_that_nobody_pings_is_connected():
    assert shown(CONNECTED) == ("connected", "")
    assert shown(CONNECTED, SILENT) == ("connected", "")


def test_the_drivers_error_keeps_its_own_cause():
    assert shown(BROKEN, LOST) == ("error", "the peer has another pre-shared key")


def test_a_cable_that_answers_pings_is_connected_in_spite_of_a_failed_negotiation():
    assert shown(BROKEN, HEALTHY) == ("connected", "the peer has another pre-shared key")


def test_a_cable_the_driver_does_not_know_yet_is_connecting():
    assert shown() == ("connecting", NOT_YET.message)


def test_a_silent_tunnel_daemon_puts_every_cable_in_error_and_into_the_failure():
    silent = replace(report(), states=None, driver_trouble="charon does not answer")

    status = gateway_status(silent)

    assert status.status_failure == "charon does not answer"
    assert [(one.status.value, one.message) for one in status.connections] == [
        ("error", "charon does not answer")
    ]


def test_a_refused_endpoint_shows_up_as_a_connection_in_error():
    echo = EndpointEcho('{"cluster_id":"bad"}')
    rejection = Rejection(BAD, "spec.subnets[0]", "10.0.0.1/8 has host bits set")
    refused = replace(report(CONNECTED), refusals=(Refusal(rejection, "bad", echo),))

    connections = gateway_status(refused).connections

    assert [one.status.value for one in connections] == ["connected", "error"]
    assert connections[1].message == "refused: spec.subnets[0]: 10.0.0.1/8 has host bits set"
    assert connections[1].endpoint == echo


def test_a_passive_gateway_shows_no_connections_but_its_troubles():
    passive = replace(report(CONNECTED), active=False, troubles=("", "the API server is away"))

    status = gateway_status(passive)

    assert (status.ha_status, status.connections) == (HaStatus.PASSIVE, ())
    assert status.status_failure == "the API server is away"


def test_the_same_trouble_is_told_once_and_never_at_endless_length():
    noisy = replace(report(), troubles=("x" * 5000, "x" * 5000))

    assert len(gateway_status(noisy).status_failure) == 1024


def test_without_host_facts_the_own_endpoint_is_shown_as_far_as_known():
    echo = unknown_endpoint(ClusterId("east"), NodeName("east-gw"))

    assert '"cluster_id":"east"' in echo.text
