from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

from crds.cluster import Cluster
from crds.endpoint import EndpointEcho, EndpointSpec
from crds.gateway import Connection, ConnectionStatus, Gateway, GatewayStatus, HaStatus, Latency
from crds.meta import ClusterId, ObjectRef
from isthmus.cli.tables import (
    cluster_table,
    connection_table,
    endpoint_table,
    gateway_table,
    milliseconds,
    summary,
)

EAST = EndpointSpec(
    cluster_id=ClusterId("east"),
    cable_name="submariner-cable-east-192-0-2-1",
    hostname="east-gw",
    subnets=(ip_network("10.96.0.0/16"), ip_network("10.1.0.0/16")),
    private_ip=ip_address("192.0.2.1"),
    public_ip=ip_address("203.0.113.1"),
)
WEST = replace(
    EAST, cluster_id=ClusterId("west"), cable_name="c", hostname="west-gw", private_ip=ip_address("192.0.2.2")
)
UP = Connection(
    ConnectionStatus.CONNECTED,
    "",
    WEST,
    using_ip=ip_address("192.0.2.2"),
    using_nat=False,
    latency=Latency(0.0011, 0.001, 0.00123, 0.002, 0.0001),
)
DOWN = Connection(ConnectionStatus.ERROR, "the keys differ", WEST)


def gateway(*connections: Connection, ha: HaStatus = HaStatus.ACTIVE, failure: str = "") -> Gateway:
    return Gateway(
        ObjectRef("Gateway", "submariner-operator", "east-gw"),
        GatewayStatus("0.1.0", ha, EAST, failure, connections),
        None,
    )


def cluster(cluster_id: str, origin: str | None) -> Cluster:
    return Cluster(
        ObjectRef("Cluster", "submariner-operator", cluster_id),
        ClusterId(cluster_id),
        (ip_network("10.96.0.0/16"),),
        (ip_network("10.1.0.0/16"),),
        (),
        None,
        origin,
    )


def test_the_own_cluster_stands_first():
    table = cluster_table([cluster("alpha", "alpha"), cluster("west", None)])

    assert table.rows == (
        ("west", "10.96.0.0/16", "10.1.0.0/16", "local"),
        ("alpha", "10.96.0.0/16", "10.1.0.0/16", "remote"),
    )
    assert table.data[0]["serviceCIDRs"] == ["10.96.0.0/16"]


def test_an_established_connection_shows_its_address_and_round_trip():
    table = connection_table([gateway(UP)])

    assert table.rows == (
        (
            "west-gw",
            "west",
            "192.0.2.2",
            "no",
            "libreswan",
            "10.96.0.0/16, 10.1.0.0/16",
            "connected",
            "1.23 ms",
        ),
    )
    assert table.data[0]["rttSeconds"] == 0.00123
    assert table.data[0]["localGateway"] == "east-gw"


def test_a_failed_connection_shows_its_message_and_the_address_that_would_be_used():
    row = connection_table([gateway(DOWN)]).rows[0]

    assert row[2] == "192.0.2.2"
    assert row[3] == "-"
    assert row[-3:] == ("error", "-", "the keys differ")


def test_behind_nat_the_public_address_would_be_used():
    natted = replace(DOWN, endpoint=replace(WEST, nat_enabled=True))

    assert connection_table([gateway(natted)]).rows[0][2] == "203.0.113.1"


def test_a_refused_endpoint_still_has_a_row():
    refused = Connection(ConnectionStatus.ERROR, "subnets: is empty", EndpointEcho('{"cluster_id":"evil"}'))

    table = connection_table([gateway(refused)])

    assert table.rows[0][-1] == "subnets: is empty"
    assert table.data[0]["endpoint"] == {"cluster_id": "evil"}


def test_endpoints_are_our_own_and_the_peers():
    table = endpoint_table([gateway(UP)])

    assert [(row[0], row[-1]) for row in table.rows] == [("east", "local"), ("west", "remote")]


def test_the_summary_counts_what_stands():
    assert summary(gateway(UP, UP)) == "all 2 established"
    assert summary(gateway(UP, DOWN)) == "1 of 2 established"
    assert summary(gateway()) == "no connections"
    assert summary(gateway(ha=HaStatus.PASSIVE)) == "standby"
    assert summary(gateway(UP, failure="charon is away")) == "charon is away"


def test_gateways_are_listed_with_their_role():
    table = gateway_table([gateway(UP)])

    assert table.rows == (("east-gw", "active", "all 1 established"),)


def test_long_round_trips_lose_their_decimals():
    assert milliseconds(0.00042) == "0.42 ms"
    assert milliseconds(0.2503) == "250 ms"
