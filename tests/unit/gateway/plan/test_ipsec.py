from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from crds.endpoint import EndpointSpec
from gateway.plan.cables import plan_cable
from gateway.plan.ipsec import (
    ESP_PROPOSALS,
    IKE_PROPOSALS,
    IpsecOptions,
    IpsecPlan,
    obstacle,
    plan_initiation,
    plan_ipsec,
    reqid_of,
)
from isthmus.charon.records import Initiation, IpsecConnection, Psk, SharedSecret, StartAction
from tests.builders import endpoint_spec

OPTIONS = IpsecOptions(Psk("QUJD"))
EAST = endpoint_spec("east", "10.101.0.0/16", "10.1.0.0/16", private_ip="192.0.2.1")
WEST = endpoint_spec("west", "10.102.0.0/16", "10.2.0.0/16", private_ip="192.0.2.2")


def test_a_cable_becomes_one_connection_with_all_subnets_and_one_secret():
    plan = plan_ipsec([plan_cable(EAST, WEST)], OPTIONS, StartAction.NONE)

    assert plan == IpsecPlan(
        connections=(
            IpsecConnection(
                name="isthmus-submariner-cable-west-192-0-2-2",
                local_address=ip_address("192.0.2.1"),
                remote_address=ip_address("192.0.2.2"),
                local_port=4500,
                remote_port=4500,
                local_id="192.0.2.1",
                remote_id="192.0.2.2",
                local_subnets=(ip_network("10.101.0.0/16"), ip_network("10.1.0.0/16")),
                remote_subnets=(ip_network("10.102.0.0/16"), ip_network("10.2.0.0/16")),
                ike_proposals=IKE_PROPOSALS,
                esp_proposals=ESP_PROPOSALS,
                force_encapsulation=False,
                dpd_delay=6,
                initiation=Initiation.AT_ONCE,
                accept_any_address=False,
                start_action=StartAction.NONE,
                reqid=reqid_of("isthmus-submariner-cable-west-192-0-2-2"),
            ),
        ),
        secrets=(
            SharedSecret("isthmus-submariner-cable-west-192-0-2-2", ("192.0.2.1", "192.0.2.2"), Psk("QUJD")),
        ),
    )


def test_a_reqid_is_marked_as_ours_and_outlives_a_change_of_subnets():
    grown = endpoint_spec("west", "10.2.0.0/16", "10.3.0.0/16", private_ip="192.0.2.2")
    connections = [
        plan_ipsec([plan_cable(EAST, remote)], OPTIONS, StartAction.TRAP).connections[0]
        for remote in (WEST, grown)
    ]

    assert connections[0].reqid == connections[1].reqid
    assert connections[0].reqid >> 24 == 150
    assert reqid_of("isthmus-other") != connections[0].reqid


def test_each_end_calls_the_others_tunnel_port_from_its_own():
    east = endpoint_spec("east", "10.1.0.0/16", config={"udp-port": "4501"})
    west = endpoint_spec("west", "10.2.0.0/16", config={"udp-port": "4502"})

    (connection,) = plan_ipsec([plan_cable(east, west)], OPTIONS, StartAction.NONE).connections

    assert (connection.local_port, connection.remote_port) == (4501, 4502)


def test_the_two_ends_mirror_each_other():
    (ours,) = plan_ipsec([plan_cable(EAST, WEST)], OPTIONS, StartAction.NONE).connections
    (theirs,) = plan_ipsec([plan_cable(WEST, EAST)], OPTIONS, StartAction.NONE).connections

    assert (ours.local_id, ours.remote_id) == (theirs.remote_id, theirs.local_id)
    assert (ours.local_subnets, ours.remote_subnets) == (theirs.remote_subnets, theirs.local_subnets)
    assert {ours.initiation, theirs.initiation} == {Initiation.AT_ONCE, Initiation.AFTER_GRACE}


def test_through_a_nat_the_identities_stay_private_and_esp_goes_in_udp():
    west = endpoint_spec(
        "west", "10.2.0.0/16", private_ip="192.168.0.2", public_ip="203.0.113.2", nat_enabled=True
    )

    (connection,) = plan_ipsec([plan_cable(EAST, west)], OPTIONS, StartAction.NONE).connections

    assert connection.remote_address == ip_address("203.0.113.2")
    assert connection.remote_id == "192.168.0.2"
    assert connection.force_encapsulation
    assert connection.accept_any_address


def test_encapsulation_can_be_forced_everywhere():
    options = IpsecOptions(Psk("QUJD"), force_encapsulation=True)

    (connection,) = plan_ipsec([plan_cable(EAST, WEST)], options, StartAction.NONE).connections

    assert connection.force_encapsulation


def test_the_gateways_own_address_is_not_tunnelled():
    west = endpoint_spec("west", "192.0.2.2/32", "10.2.0.0/16", private_ip="192.0.2.2")

    (connection,) = plan_ipsec([plan_cable(EAST, west)], OPTIONS, StartAction.NONE).connections

    assert connection.remote_subnets == (ip_network("10.2.0.0/16"),)


def test_a_cable_with_nothing_to_carry_is_not_loaded():
    alone = endpoint_spec("west", "192.0.2.2/32", private_ip="192.0.2.2")

    assert plan_ipsec([plan_cable(EAST, alone)], OPTIONS, StartAction.NONE) == IpsecPlan((), ())


def test_only_subnets_of_the_ip_versions_that_both_ends_have_are_tunnelled():
    west = endpoint_spec("west", "10.102.0.0/16", "fd00:2::/64", private_ip="192.0.2.2")

    (ours,) = plan_ipsec([plan_cable(EAST, west)], OPTIONS, StartAction.NONE).connections
    (theirs,) = plan_ipsec([plan_cable(west, EAST)], OPTIONS, StartAction.NONE).connections

    assert ours.remote_subnets == theirs.local_subnets == (ip_network("10.102.0.0/16"),)


@pytest.mark.parametrize(
    ("west", "reason"),
    [
        (endpoint_spec("west", "fd00:2::/64", private_ip="192.0.2.2"), "nothing to carry"),
        (endpoint_spec("west", "10.2.0.0/16", private_ip="fd00::2"), "has no IPv6 address from which"),
    ],
)
def test_a_peer_of_another_ip_version_gets_no_connection_and_a_reason(west: EndpointSpec, reason: str):
    cable = plan_cable(EAST, west)

    assert plan_ipsec([cable], OPTIONS, StartAction.NONE) == IpsecPlan((), ())
    assert reason in obstacle(cable)


def test_a_trap_is_set_only_for_a_peer_that_can_be_called():
    server = endpoint_spec("east", "10.1.0.0/16", config={"preferred-server": "true"})

    (calls,) = plan_ipsec([plan_cable(EAST, WEST)], OPTIONS, StartAction.TRAP).connections
    (waits,) = plan_ipsec([plan_cable(server, WEST)], OPTIONS, StartAction.TRAP).connections

    assert calls.start_action is StartAction.TRAP
    assert waits.start_action is StartAction.NONE
    assert waits.accept_any_address


@pytest.mark.parametrize(
    ("ours", "theirs", "initiation"),
    [
        ({}, {}, Initiation.AT_ONCE),
        ({"preferred-server": "false"}, {"preferred-server": "false"}, Initiation.AT_ONCE),
        ({"preferred-server": "true"}, {}, Initiation.NEVER),
        ({"preferred-server": "true"}, {"preferred-server": "0"}, Initiation.NEVER),
        ({}, {"preferred-server": "1"}, Initiation.AT_ONCE),
        ({"preferred-server": "True"}, {"preferred-server": "t"}, Initiation.AT_ONCE),
    ],
)
def test_a_preferred_server_waits_to_be_called(
    ours: dict[str, str], theirs: dict[str, str], initiation: Initiation
):
    east, west = endpoint_spec("east", config=ours), endpoint_spec("west", config=theirs)

    assert plan_initiation(east, west) is initiation


def test_of_two_preferred_servers_the_one_with_the_greater_cable_name_serves():
    server = {"preferred-server": "true"}
    east, west = endpoint_spec("east", config=server), endpoint_spec("west", config=server)

    assert plan_initiation(west, east) is Initiation.NEVER


def test_without_servers_the_greater_cable_name_gives_the_other_side_time():
    assert plan_initiation(WEST, EAST) is Initiation.AFTER_GRACE


def test_esp_is_offered_with_and_without_a_group_and_aead_first():
    assert ESP_PROPOSALS[0].startswith("aes256gcm16-")
    assert "modp2048" in ESP_PROPOSALS[0]
    assert ESP_PROPOSALS[-1] == "aes256gcm16-aes128gcm16"
    assert IKE_PROPOSALS[0].startswith("aes256gcm16-")
