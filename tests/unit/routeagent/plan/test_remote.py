from __future__ import annotations

from ipaddress import ip_address

from routeagent.plan.remote import IKE_PORTS, remote_of
from tests import builders
from tests.unit.routeagent.worlds import GATEWAY, NODES, WORKER, node, own, west, world

NORTH = builders.endpoint("north", "10.98.0.0/16", private_ip="172.16.0.3")


def test_subnets_of_all_peers_are_remote():
    remote = remote_of(world(WORKER, NORTH, west(), local=own()), 4)

    assert remote.subnets == builders.networks("10.98.0.0/16", "10.97.0.0/16", "10.245.0.0/16")
    assert (remote.gateways, remote.ports, remote.rejections) == ((), IKE_PORTS, ())


def test_subnets_of_the_other_family_are_left_to_its_own_plan():
    mixed = west("10.245.0.0/16", "fd00:245::/48")

    assert remote_of(world(WORKER, mixed, local=own()), 4).subnets == builders.networks("10.245.0.0/16")
    assert remote_of(world(WORKER, mixed, local=own()), 6).subnets == builders.networks("fd00:245::/48")


def test_a_gateway_inside_its_own_subnet_is_found_with_the_ports_of_its_packets():
    inside = west("10.97.0.0/16", "172.16.0.0/24", config={"udp-port": "4501"})

    remote = remote_of(world(GATEWAY, inside, local=own()), 4)

    assert remote.gateways == (ip_address("172.16.0.1"),)
    assert remote.ports == (500, 4500, 4501)


def test_a_gateways_private_address_inside_another_members_subnet_stays_that_members():
    north = builders.endpoint("north", "172.16.0.0/24", private_ip="192.0.2.3")

    assert remote_of(world(GATEWAY, north, west(), local=own()), 4).gateways == ()


def test_a_subnet_that_holds_a_node_of_ours_is_refused_and_other_peers_are_kept():
    greedy = west("10.0.0.0/12")

    remote = remote_of(world(WORKER, NORTH, greedy, local=own()), 4)

    assert remote.subnets == builders.networks("10.98.0.0/16")
    [(peer, rejection)] = remote.rejections
    assert peer.cluster_id == "west"
    assert rejection.field == "spec.subnets"
    assert "10.0.0.0/12 holds the node address 10.1.0.1 of this cluster" in rejection.reason


def test_an_address_that_only_a_node_object_knows_is_protected_too():
    nodes = (*NODES, node("east-control-plane", "10.245.7.7"))

    remote = remote_of(world(WORKER, west(), local=own(), nodes=nodes), 4)

    assert remote.subnets == ()
    assert "10.245.7.7" in remote.rejections[0][1].reason


def test_a_departed_subnet_stays_closed_until_somebody_else_has_it():
    gone = ["10.99.0.0/16"]

    assert remote_of(world(WORKER, west(), local=own(), departed=gone), 4).departed == builders.networks(
        *gone
    )
    assert remote_of(world(WORKER, west("10.99.4.0/24"), local=own(), departed=gone), 4).departed == ()


def test_a_departed_subnet_never_closes_what_is_ours():
    gone = ["10.244.0.0/14", "10.1.0.0/24"]

    assert remote_of(world(WORKER, local=own(), departed=gone), 4).departed == ()
